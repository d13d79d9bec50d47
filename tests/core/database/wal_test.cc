// SPDX-License-Identifier: Apache-2.0
#include "core/database/wal.h"

#include <chrono>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "core/io/simulated_cores.h"
#include "core/io/simulated_storage.h"

namespace vexfs {
namespace {

struct kept {
  std::uint64_t sequence;
  std::string bytes;
  friend bool operator==(const kept&, const kept&) = default;
};

std::vector<kept> read(std::string_view segment, segment_content& content) {
  std::vector<kept> found;
  content = read_segment(segment, [&](const logged& record) {
    EXPECT_EQ(record.collection, 9U);
    found.push_back({record.sequence, std::string(record.bytes)});
  });
  return found;
}

std::string write(std::mt19937_64& random, std::vector<kept>& records, std::size_t count) {
  std::string segment;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t size = random() % 8 == 0 ? random() % 100'000 : random() % 300;
    std::string bytes(size, '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(random());
    records.push_back({i + 1, bytes});
    append_record(segment, segment.size(), {9, i + 1, bytes});
  }
  return segment;
}

TEST(wal_test, records_of_every_size_come_back_whole_and_in_order) {
  std::mt19937_64 random(21);
  std::vector<kept> records;
  const std::string segment = write(random, records, 200);
  segment_content content;
  EXPECT_EQ(read(segment, content), records);
  EXPECT_FALSE(content.torn);
  EXPECT_FALSE(content.damaged);
}

TEST(wal_test, a_segment_cut_at_any_byte_gives_the_records_that_are_whole) {
  std::mt19937_64 random(22);
  std::vector<kept> records;
  const std::string segment = write(random, records, 12);
  std::size_t whole = 0;
  for (std::size_t size = 0; size < segment.size(); size += size < 2000 ? 1 : 97) {
    segment_content content;
    const auto found = read(std::string_view(segment).substr(0, size), content);
    ASSERT_LE(found.size(), records.size());
    ASSERT_GE(found.size(), whole);
    whole = found.size();
    for (std::size_t i = 0; i < found.size(); ++i)
      ASSERT_EQ(found[i], records[i]);
    ASSERT_FALSE(content.damaged);
  }
}

TEST(wal_test, every_flipped_bit_is_noticed_and_other_records_survive) {
  std::mt19937_64 random(23);
  std::vector<kept> records;
  const std::string segment = write(random, records, 30);
  for (int round = 0; round < 400; ++round) {
    std::string damaged = segment;
    const std::size_t at = random() % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
    segment_content content;
    const auto found = read(damaged, content);
    for (const kept& one : found)
      ASSERT_EQ(one, records[one.sequence - 1]);
    // Padding at the end of a block carries nothing; anything else is missed.
    if (found.size() != records.size()) {
      ASSERT_TRUE(content.torn || content.damaged);
    }
  }
}

TEST(wal_test, a_hole_ends_the_log_unless_the_log_says_that_it_was_synced) {
  const std::string bytes(40'000, 'b');
  std::string segment;
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence)
    append_record(segment, segment.size(), {9, sequence, bytes});
  const std::size_t synced = segment.size();
  std::string marked = segment;
  append_record(marked, marked.size(), {0, synced, ""});
  for (const bool has_mark : {false, true}) {
    for (const bool lost : {false, true}) {
      SCOPED_TRACE(has_mark);
      std::string content = has_mark ? marked : segment;
      // The second record: zeros for some of its sectors, or a bit.
      if (lost)
        content.replace(50'000, 20'000, 20'000, '\0');
      else
        content[50'000] ^= 1;
      io::simulated_storage disk;
      ASSERT_TRUE(io::replace_file(disk, "log", std::as_bytes(std::span(content))));
      ASSERT_TRUE(seal_segment(disk, "log", 1 << 20));
      const auto sealed = io::read_file(disk, "log", 1 << 20);
      ASSERT_TRUE(sealed);
      segment_content state;
      const auto found =
          read({reinterpret_cast<const char*>(sealed->data()), sealed->size()}, state);
      ASSERT_GE(found.size(), 1U);
      EXPECT_EQ(found.front().sequence, 1U);
      if (has_mark) {
        EXPECT_TRUE(state.damaged);
      } else {
        EXPECT_FALSE(state.damaged || state.torn);
        EXPECT_EQ(found.size(), 1U);
      }
    }
  }
}

TEST(wal_test, damage_in_front_of_a_mark_is_found_also_where_both_are_in_one_block) {
  std::string segment;
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence)
    append_record(segment, segment.size(), {9, sequence, "some bytes"});
  const std::size_t synced = segment.size();
  append_record(segment, segment.size(), {0, synced, ""});
  append_record(segment, segment.size(), {9, 4, "some more"});
  for (std::size_t at = 0; at < synced; ++at) {
    SCOPED_TRACE(at);
    std::string damaged = segment;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    io::simulated_storage disk;
    ASSERT_TRUE(io::replace_file(disk, "log", std::as_bytes(std::span(damaged))));
    ASSERT_TRUE(seal_segment(disk, "log", 1 << 20));
    const auto sealed = io::read_file(disk, "log", 1 << 20);
    ASSERT_TRUE(sealed);
    segment_content state;
    read({reinterpret_cast<const char*>(sealed->data()), sealed->size()}, state);
    EXPECT_TRUE(state.damaged || state.torn);
  }
}

TEST(wal_test, a_stop_about_a_second_after_a_write_waits_for_the_sync_that_the_timer_asked_for) {
  for (std::uint32_t early_us = 0; early_us < 400; ++early_us) {
    SCOPED_TRACE(early_us);
    io::simulated_storage disk(early_us);
    ASSERT_TRUE(disk.make_directories("wal"));
    io::simulated_cores cores(1, early_us);
    EXPECT_TRUE(cores.run(0, [&]() -> io::task<void> {
      auto opened = wal::open(disk, 0, 1);
      EXPECT_TRUE(opened);
      const std::unique_ptr<wal> log = std::move(*opened);
      log->put({9, 1, "some bytes"});
      auto writing = log->written();
      EXPECT_TRUE(co_await writing);
      io::loop& here = io::loop::current();
      co_await here.sleep_until(here.now() + log_sync_delay - std::chrono::microseconds(early_us));
      auto closing = log->close();
      EXPECT_TRUE(co_await closing);
    }));
  }
}

}  // namespace
}  // namespace vexfs
