// SPDX-License-Identifier: Apache-2.0
#include "core/io/huge_pages.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "tests/core/io/run_on_cores.h"
#include "tests/seeds.h"

namespace vexfs::io {
namespace {

struct piece {
  std::byte* memory;
  std::size_t bytes;
  std::byte mark;
};

bool is_all(const piece& one, std::byte value) {
  return std::ranges::all_of(std::span(one.memory, one.bytes),
                             [&](std::byte byte) { return byte == value; });
}

/// Takes and gives back at random; every piece is zeroed when it is taken and keeps what is
/// written.
void take_and_give(std::uint64_t seed, int rounds) {
  std::mt19937_64 random(seed);
  std::vector<piece> held;
  for (int round = 0; round < rounds; ++round) {
    if (held.size() < 8 || random() % 2 == 0) {
      const std::size_t bytes = 1 + random() % (std::size_t{3} << 20);
      piece one{static_cast<std::byte*>(take_huge(bytes)), bytes,
                static_cast<std::byte>(1 + random() % 255)};
      ASSERT_NE(one.memory, nullptr);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(one.memory) % 4096, 0U);
      ASSERT_TRUE(is_all(one, std::byte{0})) << "seed " << seed << " round " << round;
      std::memset(one.memory, std::to_integer<int>(one.mark), bytes);
      held.push_back(one);
    } else {
      std::swap(held[random() % held.size()], held.back());
      const piece last = held.back();
      held.pop_back();
      ASSERT_TRUE(is_all(last, last.mark)) << "seed " << seed << " round " << round;
      ASSERT_TRUE(give_back_huge(last.memory, last.bytes));
    }
  }
  for (const piece& one : held)
    ASSERT_TRUE(give_back_huge(one.memory, one.bytes));
}

TEST(huge_pages, pieces_are_zeroed_and_nobody_elses) {
  take_and_give(run_seed(), 300);
}

TEST(huge_pages, threads_take_at_the_same_time) {
  const std::uint64_t seed = run_seed();
  std::vector<std::jthread> threads;
  for (std::uint64_t i = 0; i < 3; ++i)
    threads.emplace_back([=] { take_and_give(seed + i, 60); });
}

TEST(huge_pages, addresses_that_are_given_back_join_and_are_used_again) {
  constexpr std::size_t part = std::size_t{1} << 20;
  void* const whole = take_huge(3 * part);
  ASSERT_NE(whole, nullptr);
  ASSERT_TRUE(give_back_huge(whole, 3 * part));
  std::vector<void*> parts;
  for (int i = 0; i < 3; ++i)
    parts.push_back(take_huge(part));
  std::ranges::sort(parts);
  EXPECT_EQ(parts.front(), whole);
  for (const int i : {1, 0, 2})
    EXPECT_TRUE(give_back_huge(parts[static_cast<std::size_t>(i)], part));
  void* const again = take_huge(3 * part);
  EXPECT_EQ(again, whole);
  EXPECT_TRUE(give_back_huge(again, 3 * part));
}

TEST(huge_pages, locked_memory_that_is_given_back_is_zeroed_too) {
  constexpr std::size_t bytes = 4096;
  auto* const locked = static_cast<std::byte*>(take_huge(bytes));
  ASSERT_NE(locked, nullptr);
  if (::mlock(locked, bytes) != 0) GTEST_SKIP() << "no memory may be locked here";
  std::memset(locked, 7, bytes);
  EXPECT_TRUE(give_back_huge(locked, bytes));
  auto* const again = static_cast<std::byte*>(take_huge(bytes));
  EXPECT_EQ(again, locked);
  EXPECT_TRUE(is_all({again, bytes, std::byte{0}}, std::byte{0}));
  EXPECT_EQ(::munlock(again, bytes), 0);
  EXPECT_TRUE(give_back_huge(again, bytes));
}

// A huge page that is touched first takes a core milliseconds where the host makes it, too.
TEST(huge_pages, what_a_core_takes_and_what_is_next_is_there_before_it_is_touched) {
  constexpr std::size_t page_bytes = 4096;
  constexpr std::size_t taken_bytes = std::size_t{3} << 20;
  constexpr std::size_t next_bytes = std::size_t{1} << 20;
  const auto is_there = [](void* memory, std::size_t bytes) {
    std::vector<unsigned char> present(bytes / page_bytes);
    EXPECT_EQ(::mincore(memory, bytes, present.data()), 0);
    return std::ranges::all_of(present, [](unsigned char page) { return page % 2 == 1; });
  };
  run_on_cores(1, [&]() -> task<void> {
    auto* const taken = static_cast<std::byte*>(take_huge(taken_bytes));
    for (int turn = 0; turn < 10'000 && !is_there(taken, taken_bytes + next_bytes); ++turn)
      co_await loop::current().sleep_until(loop::current().now() + std::chrono::milliseconds(1));
    auto* const next = static_cast<std::byte*>(take_huge(next_bytes));
    EXPECT_EQ(next, taken + taken_bytes);
    EXPECT_TRUE(is_there(taken, taken_bytes));
    EXPECT_TRUE(is_there(next, next_bytes));
    EXPECT_TRUE(is_all({taken, taken_bytes, std::byte{0}}, std::byte{0}));
    EXPECT_TRUE(is_all({next, next_bytes, std::byte{0}}, std::byte{0}));
    EXPECT_TRUE(give_back_huge(taken, taken_bytes));
    EXPECT_TRUE(give_back_huge(next, next_bytes));
  });
}

TEST(huge_pages, memory_from_elsewhere_is_left_alone) {
  std::vector<std::byte> other(1 << 20);
  EXPECT_FALSE(give_back_huge(other.data(), other.size()));
}

TEST(huge_pages, what_does_not_fit_the_address_space_is_no_memory) {
  EXPECT_EQ(take_huge(std::size_t{1} << 60), nullptr);
}

}  // namespace
}  // namespace vexfs::io
