// SPDX-License-Identifier: Apache-2.0
#include "core/base/arena.h"

#include <cstdint>
#include <string_view>

#include <gtest/gtest.h>

#include "core/base/limits.h"

namespace vexfs {
namespace {

TEST(arena_test, every_allocation_is_aligned_and_apart_from_the_others) {
  arena memory;
  std::uintptr_t end = 0;
  for (std::size_t alignment : {1U, 2U, 8U, 64U, 4096U}) {
    const auto start = reinterpret_cast<std::uintptr_t>(memory.allocate(3, alignment));
    EXPECT_EQ(start % alignment, 0U);
    EXPECT_TRUE(end == 0 || start >= end || start + 3 <= end - 3);
    end = start + 3;
  }
}

TEST(arena_test, an_allocation_larger_than_any_block_is_served) {
  arena memory;
  const auto values = memory.array<std::uint64_t>(arena_block_bytes_max);
  EXPECT_EQ(values.front(), 0U);
  EXPECT_EQ(values.back(), 0U);
}

TEST(arena_test, a_warm_arena_hands_out_the_same_memory_again) {
  arena memory;
  const void* first = memory.allocate(100, 8);
  memory.reset();
  EXPECT_EQ(memory.used_bytes(), 0U);
  EXPECT_EQ(memory.allocate(100, 8), first);
}

TEST(arena_test, a_copy_is_independent_of_its_source) {
  arena memory;
  char source[] = "abc";
  const std::string_view copy = memory.copy(std::string_view(source));
  source[0] = 'x';
  EXPECT_EQ(copy, "abc");
}

}  // namespace
}  // namespace vexfs
