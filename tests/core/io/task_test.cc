// SPDX-License-Identifier: Apache-2.0
#include "core/io/task.h"

#include <cstring>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/io/simulated_cores.h"

// Counts what reaches the general heap. Sanitizers bring their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#include "bench/allocation_count.h"
#define HEAP_IS_COUNTED 1
#endif

namespace vexfs::io {
namespace {

task<int> add(int left, int right) {
  co_return left + right;
}

task<int> add_all(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    auto next = add(sum, 1);
    sum = co_await next;
  }
  co_return sum;
}

detached keep(task<int> (*body)(int), int argument, int& kept) {
  auto running = body(argument);
  kept = co_await running;
}

TEST(task_test, a_task_runs_without_a_loop) {
  int kept = 0;
  keep(add_all, 3, kept);
  EXPECT_EQ(kept, 3);
}

TEST(task_test, a_long_loop_of_awaits_that_do_not_suspend_keeps_the_stack) {
  int kept = 0;
  keep(add_all, 3'000'000, kept);
  EXPECT_EQ(kept, 3'000'000);
}

#ifdef HEAP_IS_COUNTED
TEST(task_test, frames_come_from_free_lists_once_those_are_warm) {
  int kept = 0;
  keep(add_all, 10, kept);
  const std::size_t before = allocation_count;
  for (int i = 0; i < 1000; ++i)
    keep(add_all, 10, kept);
  EXPECT_EQ(allocation_count, before);
}

TEST(task_test, cores_yield_sleep_and_call_each_other_without_the_heap_once_warm) {
  simulated_cores cores(2, 1);
  const auto round = []() -> task<void> {
    co_await loop::current().yield();
    co_await loop::current().sleep_until(loop::current().now() + std::chrono::milliseconds(1));
    co_await call_on(1, []() -> task<int> {
      co_await loop::current().yield();
      co_return 1;
    });
  };
  std::uint64_t used = 1;
  const auto body = [&]() -> task<void> {
    for (int i = 0; i < 20; ++i) {
      auto warm = round();
      co_await warm;
    }
    co_return;
  };
  ASSERT_TRUE(cores.run(0, body));
  // Stepping itself may allocate; what the tasks take is counted around their own code only.
  const auto counted = [&]() -> task<void> {
    const std::size_t before = allocation_count;
    auto frames = add_all(100);
    co_await frames;
    used = allocation_count - before;
  };
  ASSERT_TRUE(cores.run(0, counted));
  EXPECT_EQ(used, 0U);
}
#endif

TEST(task_test, frames_of_every_size_are_apart_from_each_other) {
  std::vector<std::pair<void*, std::size_t>> frames;
  std::set<void*> places;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t bytes = 1; bytes < 20'000; bytes = bytes * 3 / 2 + 1) {
      void* frame = allocate_frame(bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame) % alignof(std::max_align_t), 0U);
      std::memset(frame, 0xcc, bytes);
      EXPECT_TRUE(places.insert(frame).second);
      frames.emplace_back(frame, bytes);
    }
    for (const auto& [frame, bytes] : frames)
      free_frame(frame, bytes);
    frames.clear();
    places.clear();
  }
}

TEST(task_test, a_frame_may_end_on_another_thread) {
  void* frame = allocate_frame(100);
  std::thread([frame] { free_frame(frame, 100); }).join();
}

TEST(task_test, a_value_that_only_moves_arrives) {
  const auto give = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  int seen = 0;
  const auto take = [&]() -> detached {
    auto running = give();
    const auto value = co_await running;
    seen = *value;
  };
  take();
  EXPECT_EQ(seen, 7);
}

TEST(task_test, a_task_that_is_never_awaited_frees_its_frame) {
  auto held = std::make_shared<int>(1);
  const auto body = [](std::shared_ptr<int> kept) -> task<int> { co_return *kept; };
  {
    auto dropped = body(held);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(task_test, captures_of_a_call_on_another_core_live_exactly_once) {
  simulated_cores cores(2, 3);
  auto held = std::make_shared<int>(5);
  const auto body = [&]() -> task<void> {
    const auto look = [held] { return *held; };
    EXPECT_EQ(co_await call_on(1, look), 5);
    const auto look_later = [held]() -> task<int> {
      co_await loop::current().yield();
      co_return *held;
    };
    EXPECT_EQ(co_await call_on(1, look_later), 5);
    co_await call_on(1, [&held] { ++*held; });
    co_await call_on(1, [&held]() -> task<void> {
      co_await loop::current().yield();
      ++*held;
    });
  };
  ASSERT_TRUE(cores.run(0, body));
  EXPECT_EQ(*held, 7);
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace vexfs::io
