// SPDX-License-Identifier: Apache-2.0
#include "core/database/wal.h"

#include <random>

#include <gtest/gtest.h>

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
    for (char& byte : bytes) byte = static_cast<char>(random());
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
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], records[i]);
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
    for (const kept& one : found) ASSERT_EQ(one, records[one.sequence - 1]);
    // Padding at the end of a block carries nothing; anything else is missed.
    if (found.size() != records.size()) {
      ASSERT_TRUE(content.torn || content.damaged);
    }
  }
}

}  // namespace
}  // namespace vexfs
