// SPDX-License-Identifier: Apache-2.0
#include "core/io/timers.h"

#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "core/io/simulated_cores.h"
#include "tests/seeds.h"

namespace vexfs::io {
namespace {

using std::chrono::milliseconds;

clock_time at(std::int64_t ms) {
  return clock_time(milliseconds(ms));
}

TEST(timer_heap_test, random_sets_cancels_and_pops_agree_with_a_sorted_set) {
  for (const std::uint64_t seed : seeds(20)) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    timer_heap tested;
    std::vector<timer> timers(60);
    std::set<std::pair<clock_time, timer*>> oracle;
    clock_time now = at(0);
    for (int step = 0; step < 3000; ++step) {
      timer& one = timers[random() % timers.size()];
      switch (random() % 3) {
        case 0:
        case 1: {
          if (random() % 4 == 0) {
            oracle.erase({one.due, &one});
            tested.cancel(one);
          } else {
            oracle.erase({one.due, &one});
            tested.set(one, now + milliseconds(random() % 50));
            oracle.insert({one.due, &one});
          }
          break;
        }
        default: {
          now += milliseconds(random() % 10);
          while (timer* due = tested.pop_due(now)) {
            ASSERT_FALSE(oracle.empty());
            ASSERT_EQ(due->due, oracle.begin()->first);
            ASSERT_FALSE(due->is_set());
            ASSERT_EQ(oracle.erase({due->due, due}), 1U);
          }
          ASSERT_TRUE(oracle.empty() || oracle.begin()->first > now);
        }
      }
      ASSERT_EQ(tested.count(), oracle.size());
      ASSERT_EQ(tested.next_due().has_value(), !oracle.empty());
      if (!oracle.empty()) {
        ASSERT_EQ(*tested.next_due(), oracle.begin()->first);
      }
      for (timer& each : timers)
        ASSERT_EQ(each.is_set(), oracle.contains({each.due, &each}));
    }
  }
}

struct counted_timer : timer {
  int runs = 0;
  counted_timer* victim = nullptr;
  counted_timer() {
    run = [](runnable& self) {
      auto& fired = static_cast<counted_timer&>(self);
      ++fired.runs;
      if (fired.victim) loop::current().cancel_timer(*fired.victim);
    };
  }
};

TEST(timers_test, a_timer_that_another_one_cancels_in_the_same_turn_does_not_run) {
  simulated_cores cores(1, 1);
  counted_timer first;
  counted_timer second;
  first.victim = &second;
  const auto body = [&]() -> task<void> {
    loop& here = loop::current();
    here.set_timer(first, here.now() + milliseconds(1));
    here.set_timer(second, here.now() + milliseconds(1) + std::chrono::nanoseconds(1));
    co_await here.sleep_until(here.now() + milliseconds(5));
  };
  ASSERT_TRUE(cores.run(0, body));
  EXPECT_EQ(first.runs, 1);
  EXPECT_EQ(second.runs, 0);
}

TEST(timers_test, time_jumps_to_the_next_timer_when_nobody_has_anything_to_do) {
  simulated_cores cores(2, 1);
  const clock_time before = cores.now();
  const auto body = []() -> task<void> {
    loop& here = loop::current();
    const auto wall = here.wall_time_us();
    co_await here.sleep_until(here.now() + std::chrono::hours(24));
    EXPECT_GE(here.wall_time_us() - wall, 86'400'000'000);
  };
  ASSERT_TRUE(cores.run(1, body, 20));
  EXPECT_GE(cores.now() - before, std::chrono::hours(24));
}

TEST(timers_test, a_timer_that_sets_itself_for_the_past_does_not_hold_up_the_turn) {
  simulated_cores cores(1, 1);
  struct eager : timer {
    int runs = 0;
  } eager;
  eager.run = [](runnable& self) {
    auto& fired = static_cast<struct eager&>(self);
    if (++fired.runs < 10) loop::current().set_timer(fired, loop::current().now());
  };
  const auto body = [&]() -> task<void> {
    loop::current().set_timer(eager, loop::current().now());
    while (eager.runs < 10)
      co_await loop::current().yield();
  };
  EXPECT_TRUE(cores.run(0, body, 100));
}

}  // namespace
}  // namespace vexfs::io
