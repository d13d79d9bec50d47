// SPDX-License-Identifier: Apache-2.0
#include "core/io/processor_use.h"

#include <array>
#include <atomic>
#include <chrono>

#include <gtest/gtest.h>
#include <pthread.h>

#include "core/base/limits.h"
#include "core/io/slices.h"
#include "tests/core/io/run_on_cores.h"

namespace vexfs::io {
namespace {

using namespace std::chrono_literals;

/// Turns of 100 us for one window and a little more, of which `sliced` of 100 run slices.
slice_load::change run_window(slice_load& load, clock_time& now, int sliced) {
  auto last = slice_load::change::none;
  const auto end = now + std::chrono::microseconds(slice_load_window_us) + 100us;
  for (int turn = 0; now < end; ++turn) {
    now += 100us;
    const auto change = load.end_turn(now, turn % 100 < sliced ? 100us : 0us);
    if (change == slice_load::change::none) continue;
    EXPECT_EQ(last, slice_load::change::none) << "twice in one window";
    last = change;
  }
  return last;
}

TEST(slice_load_test, it_is_heavy_from_a_half_of_the_time_and_until_a_quarter) {
  slice_load load;
  clock_time now{1h};
  using change = slice_load::change;
  EXPECT_EQ(run_window(load, now, 0), change::none);
  EXPECT_EQ(run_window(load, now, 40), change::none);
  EXPECT_EQ(run_window(load, now, 60), change::became_heavy);
  EXPECT_EQ(run_window(load, now, 40), change::none);
  EXPECT_EQ(run_window(load, now, 100), change::none);
  EXPECT_EQ(run_window(load, now, 10), change::became_light);
  EXPECT_EQ(run_window(load, now, 40), change::none);
}

TEST(slice_load_test, a_core_that_has_slept_is_light_after_its_first_turn) {
  slice_load load;
  clock_time now{1h};
  run_window(load, now, 0);
  ASSERT_EQ(run_window(load, now, 100), slice_load::change::became_heavy);
  now += 10s;
  EXPECT_EQ(load.end_turn(now, 0us), slice_load::change::became_light);
}

TEST(processor_places_test, cores_have_homes_of_their_own_where_there_are_enough_processors) {
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(allowed), &allowed), 0);
  const auto count = static_cast<std::uint32_t>(CPU_COUNT(&allowed));
  for (const std::uint32_t cores : {1U, count, count + 1}) {
    cpu_set_t homes;
    CPU_ZERO(&homes);
    for (const processor_place& each : processor_places(cores)) {
      EXPECT_TRUE(CPU_EQUAL(&each.everywhere, &allowed));
      EXPECT_EQ(each.is_pinned, cores < count);
      EXPECT_EQ(each.home >= 0, cores <= count);
      if (each.home < 0) continue;
      EXPECT_TRUE(CPU_ISSET(static_cast<std::size_t>(each.home), &allowed));
      EXPECT_FALSE(CPU_ISSET(static_cast<std::size_t>(each.home), &homes));
      CPU_SET(static_cast<std::size_t>(each.home), &homes);
    }
  }
}

int processors_of_this_thread() {
  cpu_set_t its;
  EXPECT_EQ(::pthread_getaffinity_np(::pthread_self(), sizeof(its), &its), 0);
  return CPU_COUNT(&its);
}

TEST(processor_use_test, cores_stay_on_one_processor_while_slices_keep_all_busy) {
  const auto all = static_cast<std::uint32_t>(processors_of_this_thread());
  if (all < 2 || all > 16) GTEST_SKIP() << "with " << all << " processors";
  run_on_cores(all, [all]() -> task<void> {
    std::array<std::atomic<int>, 16> processors{};
    const auto count_with = [&](int wanted) {
      std::uint32_t count = 0;
      for (const auto& each : processors)
        count += each.load(std::memory_order_relaxed) == wanted ? 1 : 0;
      return count;
    };
    auto slice = [&](std::uint32_t) {
      const auto until = std::chrono::steady_clock::now() + 100us;
      while (std::chrono::steady_clock::now() < until) {
      }
      processors[loop::current().core_index()] = processors_of_this_thread();
    };
    const auto give_up = loop::current().now() + 60s;
    while (count_with(1) < all && loop::current().now() < give_up) {
      auto running = run_slices(16 * all, slice);
      co_await running;
    }
    EXPECT_EQ(count_with(1), all);
    while (count_with(static_cast<int>(all)) < all && loop::current().now() < give_up) {
      co_await loop::current().sleep_until(loop::current().now() + 1ms);
      for (std::uint32_t core = 0; core < all; ++core)
        co_await call_on(
            core, [&] { processors[loop::current().core_index()] = processors_of_this_thread(); });
    }
    EXPECT_EQ(count_with(static_cast<int>(all)), all);
  });
}

}  // namespace
}  // namespace vexfs::io
