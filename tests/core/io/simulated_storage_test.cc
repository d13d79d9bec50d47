// SPDX-License-Identifier: Apache-2.0
#include "core/io/simulated_storage.h"

#include <map>
#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/seeds.h"

namespace vexfs::io {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string get(storage& disk, std::string_view path) {
  const auto content = read_file(disk, path, 1 << 20);
  if (!content) return "none";
  return {reinterpret_cast<const char*>(content->data()), content->size()};
}

void put_synced(storage& disk, std::string_view path, std::string_view text) {
  ASSERT_TRUE(replace_file(disk, path, bytes_of(text)));
}

constexpr std::uint64_t crash_count = 200;
constexpr std::uint64_t never = 1'000'000;

TEST(simulated_storage_test, a_crash_keeps_what_was_synced_and_may_lose_or_keep_the_rest) {
  std::set<std::string> outcomes;
  for (const std::uint64_t seed : seeds(crash_count)) {
    SCOPED_TRACE(seed);
    simulated_storage disk;
    put_synced(disk, "log", "synced");
    {
      auto log = disk.open("log", open_mode::read_write);
      ASSERT_TRUE(log);
      ASSERT_TRUE((*log)->write(6, bytes_of("+unsynced")));
    }
    disk.crash(seed);
    const std::string after = get(disk, "log");
    ASSERT_EQ(after.substr(0, 6), "synced");
    ASSERT_EQ(std::string("synced+unsynced").substr(0, after.size()), after);
    outcomes.insert(after);
  }
  EXPECT_TRUE(outcomes.contains("synced"));
  EXPECT_TRUE(outcomes.contains("synced+unsynced"));
  EXPECT_GT(outcomes.size(), 3U) << "a torn sector is among them";
}

TEST(simulated_storage_test, a_crash_may_keep_a_later_write_without_an_earlier_one) {
  bool seen = false;
  for (std::uint64_t seed = 1; seed <= crash_count && !seen; ++seed) {
    simulated_storage disk;
    put_synced(disk, "log", "");
    auto log = disk.open("log", open_mode::read_write);
    ASSERT_TRUE((*log)->write(0, bytes_of("first")));
    ASSERT_TRUE((*log)->write(5, bytes_of("second")));
    disk.crash(seed);
    seen = get(disk, "log") == std::string(5, '\0') + "second";
  }
  EXPECT_TRUE(seen);
}

TEST(simulated_storage_test, writes_between_two_syncs_are_torn_at_sectors) {
  std::set<std::size_t> counts_kept;
  for (const std::uint64_t seed : seeds(crash_count)) {
    simulated_storage disk;
    put_synced(disk, "log", std::string(8 * 512, 'o'));
    auto log = disk.open("log", open_mode::read_write);
    ASSERT_TRUE((*log)->write(0, bytes_of(std::string(8 * 512, 'n'))));
    disk.crash(seed);
    const std::string after = get(disk, "log");
    ASSERT_EQ(after.size(), 8U * 512);
    std::size_t kept = 0;
    for (std::size_t sector = 0; sector < 8; ++sector)
      kept += after[sector * 512] == 'n';
    counts_kept.insert(kept);
  }
  EXPECT_GT(counts_kept.size(), 4U);
}

TEST(simulated_storage_test, a_file_name_is_safe_only_after_its_directory_was_synced) {
  bool lost = false;
  bool kept = false;
  for (const std::uint64_t seed : seeds(crash_count)) {
    simulated_storage disk;
    {
      auto made = disk.open("file", open_mode::create);
      ASSERT_TRUE((*made)->write(0, bytes_of("x")));
      ASSERT_TRUE((*made)->sync_now());
    }
    disk.crash(seed);
    const bool there = disk.exists("file").value();
    (there ? kept : lost) = true;
    if (there) {
      EXPECT_EQ(get(disk, "file"), "x");
    }
  }
  EXPECT_TRUE(lost);
  EXPECT_TRUE(kept);
}

TEST(simulated_storage_test, a_replaced_file_is_old_or_new_at_every_step_of_a_crash) {
  // The replacement fails at call n, then the power goes; at every n the content is whole.
  for (std::uint64_t step = 1; step <= 10; ++step) {
    std::set<std::string> outcomes;
    bool replaced = false;
    for (const std::uint64_t seed : seeds(50)) {
      simulated_storage disk;
      put_synced(disk, "config", "old content");
      disk.fail_call(step, errc::service);
      replaced = replace_file(disk, "config", bytes_of("new")).has_value();
      disk.fail_call(never, errc::service);
      disk.crash(seed);
      const std::string after = get(disk, "config");
      ASSERT_TRUE(after == "old content" || after == "new") << after;
      if (replaced) {
        ASSERT_EQ(after, "new");
      }
    }
    if (replaced) return;
  }
  FAIL() << "replace_file never came to its end";
}

TEST(simulated_storage_test, a_directory_that_was_not_synced_into_its_parent_goes_with_its_files) {
  bool lost = false;
  for (const std::uint64_t seed : seeds(crash_count)) {
    simulated_storage disk;
    ASSERT_TRUE(disk.make_directories("a/b"));
    put_synced(disk, "a/b/file", "x");
    ASSERT_TRUE(disk.sync_directory("a"));
    disk.crash(seed);
    const bool there = disk.exists("a").value();
    lost = lost || !there;
    if (there) {
      EXPECT_EQ(get(disk, "a/b/file"), "x");
    }
  }
  EXPECT_TRUE(lost);
}

TEST(simulated_storage_test, a_killed_process_loses_nothing_it_wrote) {
  simulated_storage disk;
  auto made = disk.open("file", open_mode::create);
  ASSERT_TRUE((*made)->write(0, bytes_of("unsynced")));
  disk.kill();
  EXPECT_EQ(get(disk, "file"), "unsynced");
  EXPECT_FALSE((*made)->write(0, bytes_of("ghost")));
  EXPECT_FALSE((*made)->sync_now());
  EXPECT_EQ(get(disk, "file"), "unsynced");
}

TEST(simulated_storage_test, what_a_failed_sync_should_have_saved_is_never_saved_by_a_later_one) {
  for (const std::uint64_t seed : seeds(50)) {
    simulated_storage disk;
    put_synced(disk, "log", "");
    auto log = disk.open("log", open_mode::read_write);
    ASSERT_TRUE((*log)->write(0, bytes_of("lost")));
    disk.fail_call(1, errc::service);
    ASSERT_FALSE((*log)->sync_now());
    ASSERT_TRUE((*log)->write(4, bytes_of("kept")));
    ASSERT_TRUE((*log)->sync_now());
    EXPECT_EQ(get(disk, "log"), "lostkept") << "the page cache still shows it";
    disk.crash(seed);
    EXPECT_EQ(get(disk, "log"), std::string(4, '\0') + "kept");
  }
}

TEST(simulated_storage_test, exactly_the_call_asked_for_fails) {
  simulated_storage disk;
  disk.fail_call(3, errc::timeout);
  EXPECT_TRUE(disk.exists("a"));
  EXPECT_TRUE(disk.exists("a"));
  EXPECT_EQ(disk.exists("a").error().code, errc::timeout);
  EXPECT_TRUE(disk.exists("a"));
  EXPECT_EQ(disk.call_count(), 4U);
}

TEST(simulated_storage_test, a_full_disk_takes_what_fits_and_still_deletes) {
  simulated_storage disk;
  disk.set_capacity_bytes(10);
  auto made = disk.open("file", open_mode::create);
  ASSERT_TRUE((*made)->write(0, bytes_of("12345678")));
  EXPECT_EQ(disk.free_bytes().value(), 2U);
  const auto refused = (*made)->write(8, bytes_of("abcdef"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::insufficient_storage);
  EXPECT_EQ(get(disk, "file"), "12345678ab");
  EXPECT_TRUE((*made)->write(0, bytes_of("overwriting needs no room").first(10)));
  EXPECT_TRUE(disk.remove("file"));
  EXPECT_EQ(disk.free_bytes().value(), 10U);
}

TEST(simulated_storage_test, a_flipped_bit_stays_flipped) {
  simulated_storage disk;
  put_synced(disk, "file", "aaaa");
  ASSERT_TRUE(disk.flip_bit("file", 2 * 8 + 1));
  EXPECT_EQ(get(disk, "file"), "aaca");
  disk.crash(1);
  EXPECT_EQ(get(disk, "file"), "aaca");
  EXPECT_FALSE(disk.flip_bit("file", 4 * 8));
}

// Random histories against a slow model: the bytes of the last successful sync, for each file whose
// name was synced, are a lower bound of what a crash may leave.
TEST(simulated_storage_test, no_history_of_writes_and_crashes_loses_synced_bytes) {
  for (const std::uint64_t seed : seeds(60)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    simulated_storage disk(seed);
    std::map<std::string, std::string> safe;  // appended and synced
    for (int life = 0; life < 4; ++life) {
      for (int step = 0; step < 20; ++step) {
        const std::string name = "log" + std::to_string(random() % 3);
        auto opened = disk.open(name, open_mode::create_or_open);
        ASSERT_TRUE(opened);
        const std::uint64_t end = (*opened)->size_bytes().value();
        const std::string text(1 + random() % 900, static_cast<char>('a' + random() % 26));
        ASSERT_TRUE((*opened)->write(end, bytes_of(text)));
        if (random() % 3 != 0) continue;
        ASSERT_TRUE((*opened)->sync_now());
        ASSERT_TRUE(disk.sync_directory(""));
        safe[name] = get(disk, name);
      }
      disk.crash(random());
      for (const auto& [name, content] : safe) {
        const std::string after = get(disk, name);
        ASSERT_EQ(after.substr(0, content.size()), content);
      }
    }
  }
}

}  // namespace
}  // namespace vexfs::io
