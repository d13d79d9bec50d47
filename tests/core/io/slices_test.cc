// SPDX-License-Identifier: Apache-2.0
#include "core/io/slices.h"

#include <array>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/io/simulated_cores.h"
#include "tests/core/io/run_on_cores.h"
#include "tests/seeds.h"

namespace vexfs::io {
namespace {

/// Jobs one after another from one core; every index of each must have run once when it continues,
/// and what the slices wrote without atomics must be there.
task<void> run_jobs(int jobs, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int job = 0; job < jobs; ++job) {
    const auto count = static_cast<std::uint32_t>(random() % 40);
    std::vector<std::uint32_t> runs(count);
    auto slice = [&](std::uint32_t index) { ++runs[index]; };
    auto running = run_slices(count, slice);
    co_await running;
    for (const std::uint32_t times : runs)
      EXPECT_EQ(times, 1U);
  }
}

TEST(slices_test, every_slice_runs_exactly_once_on_any_number_of_cores) {
  for (const std::uint32_t cores : {1U, 2U, 3U, 4U})
    run_on_cores(cores, []() -> task<void> { return run_jobs(200, 1); });
}

TEST(slices_test, jobs_of_all_cores_at_once_do_not_disturb_each_other) {
  run_on_cores(4, []() -> task<void> {
    std::uint32_t left = 4;
    const auto start = [&](std::uint32_t core) -> detached {
      co_await call_on(core, [core] { return run_jobs(200, core); });
      --left;
    };
    for (std::uint32_t core = 0; core < 4; ++core)
      start(core);
    while (left > 0)
      co_await loop::current().yield();
  });
}

TEST(slices_test, more_jobs_than_the_board_has_places_all_end) {
  run_on_cores(2, []() -> task<void> {
    std::uint32_t left = slice_jobs_max * 2;
    const auto start = [&](std::uint64_t seed) -> detached {
      auto running = run_jobs(3, seed);
      co_await running;
      --left;
    };
    for (std::uint64_t seed = 0; seed < slice_jobs_max * 2; ++seed)
      start(seed);
    while (left > 0)
      co_await loop::current().yield();
    EXPECT_FALSE(loop::current().group().slices().has_work());
  });
}

TEST(slices_test, one_job_uses_a_second_core) {
  run_on_cores(2, []() -> task<void> {
    // The slices wait for each other: only two cores at once can finish them.
    std::atomic<std::uint32_t> inside{0};
    auto meet = [&](std::uint32_t) {
      inside.fetch_add(1);
      while (inside.load() < 2)
        std::this_thread::yield();
    };
    auto both = run_slices(2, meet);
    co_await both;
    EXPECT_EQ(inside.load(), 2U);
  });
}

TEST(slices_test, interleavings_by_seed_run_every_slice_once_and_leave_an_empty_board) {
  for (const std::uint64_t seed : seeds(100)) {
    SCOPED_TRACE(seed);
    simulated_cores cores(3, seed);
    std::uint32_t left = 3;
    const auto body = [&]() -> task<void> {
      const auto start = [&](std::uint32_t core) -> detached {
        co_await call_on(core, [core, seed] { return run_jobs(5, seed * 3 + core); });
        --left;
      };
      for (std::uint32_t core = 0; core < 3; ++core)
        start(core);
      while (left > 0)
        co_await loop::current().yield();
    };
    ASSERT_TRUE(cores.run(0, body));
    EXPECT_FALSE(cores.group().slices().has_work());
  }
}

TEST(slices_test, the_cores_of_a_long_job_serve_others_between_two_slices) {
  simulated_cores cores(1, 1);
  std::vector<char> order;
  const auto body = [&]() -> task<void> {
    bool scanned = false;
    const auto scan = [&]() -> detached {
      auto slice = [&](std::uint32_t) { order.push_back('s'); };
      auto running = run_slices(4, slice);
      co_await running;
      scanned = true;
    };
    scan();
    while (!scanned) {
      order.push_back('g');
      co_await loop::current().yield();
    }
  };
  ASSERT_TRUE(cores.run(0, body));
  const std::string seen(order.begin(), order.end());
  EXPECT_EQ(seen.find("ss"), std::string::npos) << seen;
}

TEST(slices_test, open_jobs_take_turns) {
  simulated_cores cores(1, 1);
  std::vector<int> order;
  const auto body = [&]() -> task<void> {
    int left = 2;
    const auto scan = [&](int name) -> detached {
      auto slice = [&, name](std::uint32_t) { order.push_back(name); };
      auto running = run_slices(6, slice);
      co_await running;
      --left;
    };
    scan(1);
    scan(2);
    while (left > 0)
      co_await loop::current().yield();
  };
  ASSERT_TRUE(cores.run(0, body));
  ASSERT_EQ(order.size(), 12U);
  for (std::size_t i = 1; i < order.size(); ++i)
    EXPECT_NE(order[i], order[i - 1]);
}

TEST(slices_test, idle_slices_run_once_each_and_first_when_nothing_else_does) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    simulated_cores cores(1, seed);
    std::vector<int> runs(7);
    int busy_turns = 0;
    bool ended = false;
    const auto body = [&]() -> task<void> {
      const auto link = [&]() -> detached {
        auto slice = [&](std::uint32_t index) { ++runs[index]; };
        auto running = run_slices(7, slice, urgency::when_idle);
        co_await running;
        ended = true;
      };
      co_await loop::current().yield();
      link();
      for (; busy_turns < 30; ++busy_turns) {
        for (const int times : runs)
          EXPECT_EQ(times, 0);
        co_await loop::current().yield();
      }
      while (!ended)
        co_await loop::current().sleep_until(loop::current().now() + std::chrono::milliseconds(1));
    };
    ASSERT_TRUE(cores.run(0, body));
    for (const int times : runs)
      EXPECT_EQ(times, 1);
  }
}

TEST(slices_test, idle_slices_end_though_no_core_is_ever_idle) {
  constexpr std::uint32_t count = 9;
  for (const std::uint32_t core_count : {1U, 2U}) {
    simulated_cores cores(core_count, 1);
    bool ended = false;
    const auto body = [&]() -> task<void> {
      const auto link = [&]() -> detached {
        auto slice = [](std::uint32_t) {};
        auto running = run_slices(count, slice, urgency::when_idle);
        co_await running;
        ended = true;
      };
      link();
      const clock_time until =
          loop::current().now() + (count + 1) * std::chrono::microseconds(idle_slice_gap_us + 1000);
      while (!ended && loop::current().now() < until)
        co_await loop::current().yield();
    };
    ASSERT_TRUE(cores.run(0, body));
    EXPECT_TRUE(ended);
  }
}

TEST(slices_test, idle_slices_of_several_cores_all_end) {
  run_on_cores(3, []() -> task<void> {
    for (int job = 0; job < 50; ++job) {
      std::atomic<std::uint32_t> ran{0};
      auto slice = [&](std::uint32_t) { ++ran; };
      auto running = run_slices(9, slice, urgency::when_idle);
      co_await running;
      EXPECT_EQ(ran, 9U);
    }
  });
}

}  // namespace
}  // namespace vexfs::io
