// SPDX-License-Identifier: Apache-2.0
#include "core/io/huge_pages.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/io/wanted_pages.h"
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

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t mib = std::size_t{1} << 20;

std::size_t bytes_there(void* memory, std::size_t bytes) {
  std::vector<unsigned char> present(bytes / page_bytes);
  EXPECT_EQ(::mincore(memory, bytes, present.data()), 0);
  return page_bytes * static_cast<std::size_t>(std::ranges::count_if(
                          present, [](unsigned char page) { return page % 2 == 1; }));
}

/// Until others have touched all of it; that they never do fails the test.
task<void> wait_until_there(void* memory, std::size_t bytes) {
  for (int turn = 0; turn < 10'000 && bytes_there(memory, bytes) < bytes; ++turn)
    co_await loop::current().sleep_until(loop::current().now() + std::chrono::milliseconds(1));
  EXPECT_EQ(bytes_there(memory, bytes), bytes);
}

/// 0 where no thread of this process has the name.
pid_t thread_named(const std::string& name) {
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string its;
    std::getline(std::ifstream(thread.path() / "comm"), its);
    if (its == name) return std::stoi(thread.path().filename().string());
  }
  return 0;
}

// Before the other tests of a core: the thread that makes pages is started once.
TEST(huge_pages, a_pinned_core_does_not_share_its_processor_with_the_thread_that_makes_pages) {
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(::getpid(), sizeof(allowed), &allowed), 0);
  if (CPU_COUNT(&allowed) < 2) GTEST_SKIP() << "needs two processors";
  run_on_cores(1, [&]() -> task<void> {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
    EXPECT_EQ(::pthread_setaffinity_np(::pthread_self(), sizeof(one), &one), 0);
    void* const taken = take_huge(8 * mib);
    co_await wait_until_there(taken, 8 * mib);
    const pid_t maker = thread_named("pages");
    EXPECT_NE(maker, 0);
    cpu_set_t its;
    EXPECT_EQ(::sched_getaffinity(maker, sizeof(its), &its), 0);
    EXPECT_TRUE(CPU_EQUAL(&its, &allowed));
    EXPECT_TRUE(give_back_huge(taken, 8 * mib));
  });
}

// A huge page that is touched first takes a core milliseconds where the host makes it, too.
TEST(huge_pages, what_a_core_takes_and_what_is_next_is_there_before_it_is_touched) {
  constexpr std::size_t taken_bytes = 3 * mib;
  constexpr std::size_t next_bytes = mib;
  run_on_cores(1, [&]() -> task<void> {
    auto* const taken = static_cast<std::byte*>(take_huge(taken_bytes));
    co_await wait_until_there(taken, taken_bytes + next_bytes);
    auto* const next = static_cast<std::byte*>(take_huge(next_bytes));
    EXPECT_EQ(next, taken + taken_bytes);
    EXPECT_EQ(bytes_there(taken, taken_bytes), taken_bytes);
    EXPECT_EQ(bytes_there(next, next_bytes), next_bytes);
    EXPECT_TRUE(is_all({taken, taken_bytes, std::byte{0}}, std::byte{0}));
    EXPECT_TRUE(is_all({next, next_bytes, std::byte{0}}, std::byte{0}));
    EXPECT_TRUE(give_back_huge(taken, taken_bytes));
    EXPECT_TRUE(give_back_huge(next, next_bytes));
  });
}

TEST(huge_pages, what_is_given_back_before_it_was_made_is_not_made_for_nobody) {
  run_on_cores(1, []() -> task<void> {
    void* const busy = take_huge(8 * mib);  // so that the next has to wait
    void* const gone = take_huge(8 * mib);
    void* const behind = take_huge(page_bytes);  // so that the last does not get its addresses
    EXPECT_TRUE(give_back_huge(gone, 8 * mib));
    void* const last = take_huge(9 * mib);
    co_await wait_until_there(last, 8 * mib);  // then all that was asked before is done
    // One huge page was perhaps being made, and one at each end is a neighbour's, too.
    EXPECT_LE(bytes_there(gone, 8 * mib), 6 * mib);
    EXPECT_TRUE(give_back_huge(busy, 8 * mib));
    EXPECT_TRUE(give_back_huge(behind, page_bytes));
    EXPECT_TRUE(give_back_huge(last, 9 * mib));
  });
}

TEST(huge_pages, more_is_taken_at_once_than_can_wait_to_be_made) {
  run_on_cores(1, []() -> task<void> {
    constexpr std::size_t bytes = 64 * 1024;
    std::vector<piece> held;
    for (std::size_t i = 0; i < 4 * wanted_pages_max; ++i)
      held.push_back(
          {static_cast<std::byte*>(take_huge(bytes)), bytes, static_cast<std::byte>(1 + i % 255)});
    for (const piece& one : held) {
      EXPECT_TRUE(is_all(one, std::byte{0}));
      std::memset(one.memory, std::to_integer<int>(one.mark), bytes);
    }
    // Once something new is made, all that was asked before is done.
    bool is_made = false;
    for (int wait = 1; wait <= 200 && !is_made; ++wait) {
      void* const last = take_huge(8 * mib);
      co_await loop::current().sleep_until(loop::current().now() + std::chrono::milliseconds(wait));
      is_made = bytes_there(last, 8 * mib) == 8 * mib;
      EXPECT_TRUE(give_back_huge(last, 8 * mib));
    }
    EXPECT_TRUE(is_made);
    for (const piece& one : held) {
      EXPECT_TRUE(is_all(one, one.mark));
      EXPECT_TRUE(give_back_huge(one.memory, bytes));
    }
  });
}

/// Addresses only; nobody touches them.
std::span<std::byte> range(std::size_t from, std::size_t to) {
  return {reinterpret_cast<std::byte*>(from), to - from};
}

bool are_same(std::span<std::byte> left, std::span<std::byte> right) {
  return left.data() == right.data() && left.size() == right.size();
}

TEST(wanted_pages, ranges_come_out_in_their_order_one_unit_at_a_time) {
  wanted_pages wanted;
  EXPECT_TRUE(wanted.put(range(150, 320)));
  EXPECT_TRUE(wanted.put(range(700, 700)));
  EXPECT_TRUE(wanted.put(range(900, 1000)));
  EXPECT_TRUE(are_same(wanted.take(100), range(150, 200)));
  EXPECT_TRUE(are_same(wanted.take(100), range(200, 300)));
  EXPECT_TRUE(are_same(wanted.take(100), range(300, 320)));
  EXPECT_TRUE(are_same(wanted.take(100), range(900, 1000)));
  EXPECT_TRUE(wanted.empty());
}

TEST(wanted_pages, a_full_queue_refuses_and_keeps_what_it_has) {
  wanted_pages wanted;
  for (std::size_t i = 1; i <= wanted_pages_max; ++i)
    EXPECT_TRUE(wanted.put(range(100 * i, 100 * i + 50)));
  EXPECT_FALSE(wanted.put(range(7, 8)));
  EXPECT_TRUE(are_same(wanted.take(100), range(100, 150)));
  EXPECT_TRUE(wanted.put(range(7, 8)));
  for (std::size_t i = 2; i <= wanted_pages_max; ++i)
    EXPECT_TRUE(are_same(wanted.take(100), range(100 * i, 100 * i + 50)));
  EXPECT_TRUE(are_same(wanted.take(100), range(7, 8)));
  EXPECT_TRUE(wanted.empty());
}

TEST(wanted_pages, a_cut_leaves_what_lies_outside_of_it) {
  wanted_pages wanted;
  for (const auto& one : {range(100, 200), range(210, 220), range(150, 400), range(240, 300),
                          range(290, 350), range(300, 310)})
    EXPECT_TRUE(wanted.put(one));
  wanted.cut(range(180, 300));
  for (const auto& left :
       {range(100, 180), range(150, 180), range(300, 400), range(300, 350), range(300, 310)})
    EXPECT_TRUE(are_same(wanted.take(1000), left));
  EXPECT_TRUE(wanted.empty());
}

TEST(wanted_pages, a_cut_of_a_full_queue_forgets_the_last) {
  wanted_pages wanted;
  for (std::size_t i = 1; i <= wanted_pages_max; ++i)
    EXPECT_TRUE(wanted.put(range(100 * i, 100 * i + 50)));
  wanted.cut(range(110, 120));
  EXPECT_TRUE(are_same(wanted.take(100), range(100, 110)));
  EXPECT_TRUE(are_same(wanted.take(100), range(120, 150)));
  for (std::size_t i = 2; i < wanted_pages_max; ++i)
    EXPECT_TRUE(are_same(wanted.take(100), range(100 * i, 100 * i + 50)));
  EXPECT_TRUE(wanted.empty());
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
