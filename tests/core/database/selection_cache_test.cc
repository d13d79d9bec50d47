// SPDX-License-Identifier: Apache-2.0
#include "core/database/selection_cache.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/limits.h"

namespace vexfs {
namespace {

TEST(selection_cache_test, what_was_kept_last_is_found_and_what_was_used_least_makes_room) {
  selection_cache cache;
  EXPECT_TRUE(cache.find("a").words.empty());
  const std::vector<std::uint64_t> words(selection_cache_bytes_max / 4 / sizeof(std::uint64_t), 7);
  cache.keep("a", {words, 1, 10});
  cache.keep("a", {words, 1, 11});
  EXPECT_EQ(cache.find("a").changes_seen, 11U);
  cache.keep("b", {words, 1, 12});
  cache.keep("c", {words, 1, 13});
  EXPECT_EQ(cache.find("a").words.size(), words.size());
  cache.keep("d", {words, 1, 14});
  EXPECT_TRUE(cache.find("b").words.empty());
  EXPECT_EQ(cache.find("a").words[3], 7U);
  EXPECT_EQ(cache.find("d").changes_seen, 14U);
}

TEST(selection_cache_test, a_bitmap_larger_than_the_cache_is_not_kept) {
  selection_cache cache;
  const std::vector<std::uint64_t> words(selection_cache_bytes_max / sizeof(std::uint64_t) + 1);
  cache.keep("a", {words, 1, 1});
  EXPECT_TRUE(cache.find("a").words.empty());
}

}  // namespace
}  // namespace vexfs
