// SPDX-License-Identifier: Apache-2.0
// What every storage promises, run over the local disk and over the simulated one.
#include "core/io/storage.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/io/directory_lock.h"
#include "core/io/simulated_storage.h"
#include "tests/core/io/run_on_cores.h"
#include "tests/seeds.h"

namespace vexfs::io {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class scratch_directory {
 public:
  scratch_directory() {
    std::string name = std::filesystem::temp_directory_path() / "vexfs-io-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~scratch_directory() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class storage_test : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      disk_ = std::make_unique<simulated_storage>();
    } else {
      auto opened = open_local_storage(scratch_.path() + "/made/by/opening");
      ASSERT_TRUE(opened) << opened.error().text;
      disk_ = std::move(*opened);
    }
  }
  void put(std::string_view path, std::string_view text) {
    ASSERT_TRUE(replace_file(*disk_, path, bytes_of(text)));
  }
  std::string get(std::string_view path) {
    const auto content = read_file(*disk_, path, 1 << 20);
    return content ? text_of(*content) : "error: " + content.error().text;
  }
  scratch_directory scratch_;
  std::unique_ptr<storage> disk_;
};

INSTANTIATE_TEST_SUITE_P(local, storage_test, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(simulated, storage_test, testing::Values(true));

TEST_P(storage_test, what_was_written_is_read_back_at_any_offset) {
  std::mt19937_64 random(7);
  auto opened = disk_->open("data", open_mode::create);
  ASSERT_TRUE(opened);
  file& data = **opened;
  std::string oracle;
  for (int round = 0; round < 300; ++round) {
    const std::size_t offset = random() % 5000;
    const std::string text(random() % 700, static_cast<char>('a' + random() % 26));
    if (random() % 8 == 0) {
      ASSERT_TRUE(data.truncate(offset));
      oracle.resize(offset);
    } else {
      ASSERT_TRUE(data.write(offset, bytes_of(text)));
      if (!text.empty() && oracle.size() < offset + text.size())
        oracle.resize(offset + text.size());
      oracle.replace(std::min(offset, oracle.size()), text.size(), text);
    }
    ASSERT_EQ(data.size_bytes().value(), oracle.size());
    std::vector<std::byte> seen(random() % 900);
    const std::size_t from = random() % 5000;
    const std::size_t expected =
        from < oracle.size() ? std::min(seen.size(), oracle.size() - from) : 0;
    ASSERT_EQ(data.read(from, seen).value(), expected);
    ASSERT_EQ(text_of(std::span(seen).first(expected)),
              expected ? oracle.substr(from, expected) : "");
  }
  ASSERT_TRUE(data.sync_now());
}

/// Parts in any order and of any length, some of nothing, more than are under way at a time.
void expect_parts(file& data, const std::string& content, std::mt19937_64& random) {
  std::vector<std::string> buffers;
  std::vector<read_part> parts;
  std::vector<std::string> expected;
  for (std::uint32_t i = 0; i < 5 * file_reads_max; ++i) {
    const std::size_t offset = random() % content.size();
    const std::size_t size = std::min(random() % 9000, content.size() - offset);
    expected.push_back(content.substr(offset, size));
    buffers.emplace_back(size, '?');
    parts.push_back({offset, {}});
  }
  for (std::size_t i = 0; i < parts.size(); ++i)
    parts[i].into = std::as_writable_bytes(std::span(buffers[i]));
  const auto read_all = [&]() -> task<void> {
    auto reading = data.read_parts(parts);
    const auto outcome = co_await reading;
    EXPECT_TRUE(outcome) << outcome.error().text;
    EXPECT_TRUE(buffers == expected);
    auto beyond = parts;
    beyond[2].offset = content.size() - beyond[2].into.size() / 2;
    auto failing = data.read_parts(beyond);
    const auto failed = co_await failing;
    EXPECT_EQ(failed.has_value(), beyond[2].into.empty());
    auto nothing = data.read_parts({});
    EXPECT_TRUE(co_await nothing);
  };
  // On a core of each kind, and without any.
  run_on_cores(1, read_all);
  run_on_cores(1, read_all, transport_kind::epoll);
  [](const auto& body) -> detached {
    auto running = body();
    co_await running;
  }(read_all);
}

TEST_P(storage_test, parts_of_a_file_are_read_whole_or_not_at_all) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  auto opened = disk_->open("data", open_mode::create);
  ASSERT_TRUE(opened);
  std::string content(300'000, ' ');
  for (char& letter : content)
    letter = static_cast<char>('a' + random() % 26);
  ASSERT_TRUE((*opened)->write(0, bytes_of(content)));
  expect_parts(**opened, content, random);
}

TEST_P(storage_test, room_that_is_reserved_holds_nothing_and_is_never_less) {
  auto opened = disk_->open("data", open_mode::create);
  ASSERT_TRUE(opened);
  file& data = **opened;
  ASSERT_TRUE(data.write(0, bytes_of("begin")));
  ASSERT_TRUE(data.reserve(10'000));
  EXPECT_EQ(data.size_bytes().value(), 10'000U);
  ASSERT_TRUE(data.reserve(20));
  EXPECT_EQ(data.size_bytes().value(), 10'000U);
  std::array<std::byte, 7> first{};
  EXPECT_EQ(data.read(0, first).value(), 7U);
  EXPECT_EQ(text_of(first), std::string("begin\0\0", 7));
}

TEST_P(storage_test, modes_of_opening_say_what_must_exist) {
  EXPECT_EQ(disk_->open("a", open_mode::read).error().code, errc::not_found);
  EXPECT_EQ(disk_->open("a", open_mode::read_write).error().code, errc::not_found);
  EXPECT_TRUE(disk_->open("a", open_mode::create));
  EXPECT_EQ(disk_->open("a", open_mode::create).error().code, errc::already_exists);
  EXPECT_TRUE(disk_->open("a", open_mode::create_or_open));
  EXPECT_TRUE(disk_->open("b", open_mode::create_or_open));
  EXPECT_EQ(disk_->open("no/directory/here", open_mode::create).error().code, errc::not_found);
  auto read_only = disk_->open("a", open_mode::read);
  ASSERT_TRUE(read_only);
  EXPECT_FALSE((*read_only)->write(0, bytes_of("x")));
}

TEST_P(storage_test, directories_are_listed_sorted_and_removed_whole) {
  ASSERT_TRUE(disk_->make_directories("one/two/three"));
  ASSERT_TRUE(disk_->make_directories("one/two"));
  put("one/zebra", "1");
  put("one/apple", "2");
  EXPECT_EQ(disk_->list("one").value(), (std::vector<std::string>{"apple", "two", "zebra"}));
  EXPECT_EQ(disk_->list("").value(), std::vector<std::string>{"one"});
  EXPECT_TRUE(disk_->list("nowhere").value().empty());
  EXPECT_TRUE(disk_->exists("one/two/three").value());
  ASSERT_TRUE(disk_->remove("one/apple"));
  EXPECT_EQ(disk_->remove("one/apple").error().code, errc::not_found);
  EXPECT_FALSE(disk_->remove("one/two"));
  ASSERT_TRUE(disk_->remove_tree("one"));
  ASSERT_TRUE(disk_->remove_tree("one"));
  EXPECT_FALSE(disk_->exists("one").value());
  EXPECT_FALSE(disk_->exists("one/zebra").value());
}

TEST_P(storage_test, a_file_is_replaced_whole_and_leaves_no_other) {
  put("config", "first and long");
  put("config", "second");
  EXPECT_EQ(get("config"), "second");
  EXPECT_EQ(disk_->list("").value(), std::vector<std::string>{"config"});
  EXPECT_FALSE(read_file(*disk_, "config", 5));
  EXPECT_TRUE(read_file(*disk_, "config", 6));
}

TEST_P(storage_test, a_rename_takes_the_place_of_what_was_there) {
  put("from", "new");
  put("to", "old");
  ASSERT_TRUE(disk_->rename("from", "to"));
  EXPECT_EQ(get("to"), "new");
  EXPECT_FALSE(disk_->exists("from").value());
  EXPECT_EQ(disk_->rename("from", "to").error().code, errc::not_found);
}

TEST_P(storage_test, an_open_file_outlives_its_name) {
  put("file", "content");
  auto opened = disk_->open("file", open_mode::read);
  ASSERT_TRUE(opened);
  ASSERT_TRUE(disk_->remove("file"));
  std::vector<std::byte> seen(7);
  EXPECT_EQ((*opened)->read(0, seen).value(), 7U);
  EXPECT_EQ(text_of(seen), "content");
}

TEST_P(storage_test, free_space_is_known) {
  EXPECT_GT(disk_->free_bytes().value(), 0U);
}

TEST(local_storage_test, a_root_that_is_a_file_is_refused_by_name) {
  const scratch_directory scratch;
  const std::string path = scratch.path() + "/file";
  ASSERT_TRUE(open_local_storage(scratch.path()).value()->open("file", open_mode::create));
  const auto refused = open_local_storage(path);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find(path), std::string::npos);
}

TEST(local_storage_test, a_full_disk_is_told_apart) {
  // The device that is always full; named through a link, so that it is reached by the seam.
  const scratch_directory scratch;
  std::filesystem::create_symlink("/dev/full", scratch.path() + "/full");
  auto disk = open_local_storage(scratch.path());
  ASSERT_TRUE(disk);
  auto opened = (*disk)->open("full", open_mode::read_write);
  if (!opened) GTEST_SKIP() << "no /dev/full here";
  const auto written = (*opened)->write(0, bytes_of("x"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, errc::insufficient_storage);
}

TEST(directory_lock_test, a_second_holder_is_refused_and_told_who_is_first) {
  const scratch_directory scratch;
  const std::string directory = scratch.path() + "/storage";
  {
    auto first = directory_lock::acquire(directory);
    ASSERT_TRUE(first) << first.error().text;
    const auto second = directory_lock::acquire(directory);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, errc::locked);
    EXPECT_NE(second.error().text.find("process " + std::to_string(::getpid())), std::string::npos)
        << second.error().text;
    EXPECT_NE(second.error().text.find(directory), std::string::npos);
  }
  EXPECT_TRUE(directory_lock::acquire(directory));
}

}  // namespace
}  // namespace vexfs::io
