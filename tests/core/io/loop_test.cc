// SPDX-License-Identifier: Apache-2.0
#include "core/io/loop.h"

#include <array>
#include <atomic>
#include <functional>

#include <gtest/gtest.h>

#include "core/io/epoch.h"
#include "core/io/gate.h"
#include "core/io/read_guard.h"
#include "core/io/slices.h"

namespace vexfs::io {
namespace {

/// Runs a coroutine on core 0 of a group of `core_count` cores and stops them when it ends.
void run_on_cores(std::uint32_t core_count, const std::function<task<void>()>& body) {
  auto group = loop_group::create(core_count);
  ASSERT_TRUE(group) << group.error().text;
  struct scenario {
    const std::function<task<void>()>& body;
    detached go() const {
      auto running = body();
      co_await running;
      loop::current().group().stop();
    }
  } context{body};
  const auto outcome = (*group)->run(
      [](loop& core, void* given) -> result<void> {
        if (core.core_index() == 0) static_cast<scenario*>(given)->go();
        return {};
      },
      &context);
  EXPECT_TRUE(outcome) << outcome.error().text;
}

TEST(loop_test, a_call_runs_on_the_other_core_and_comes_back) {
  run_on_cores(3, []() -> task<void> {
    for (int i = 0; i < 1000; ++i) {
      for (std::uint32_t core = 0; core < 3; ++core) {
        const auto ran_on = co_await call_on(core, [] { return loop::current().core_index(); });
        EXPECT_EQ(ran_on, core);
        EXPECT_EQ(loop::current().core_index(), 0U);
      }
    }
  });
}

TEST(loop_test, a_call_may_be_a_task_that_suspends_there) {
  run_on_cores(2, []() -> task<void> {
    const auto there = []() -> task<std::uint32_t> {
      co_await loop::current().yield();
      co_return loop::current().core_index();
    };
    const auto ran_on = co_await call_on(1, there);
    EXPECT_EQ(ran_on, 1U);
  });
}

TEST(loop_test, more_messages_than_a_mailbox_holds_arrive_in_order) {
  run_on_cores(2, []() -> task<void> {
    struct numbered : runnable {
      std::uint32_t number = 0;
      std::vector<std::uint32_t>* seen = nullptr;
    };
    std::vector<std::uint32_t> seen;
    std::vector<numbered> messages(mailbox_capacity * 3);
    for (std::uint32_t i = 0; i < messages.size(); ++i) {
      messages[i].number = i;
      messages[i].seen = &seen;
      messages[i].run = [](runnable& self) {
        auto& message = static_cast<numbered&>(self);
        message.seen->push_back(message.number);
      };
      loop::current().post(1, messages[i]);
    }
    const auto count = co_await call_on(1, [&] { return seen.size(); });
    EXPECT_EQ(count, messages.size());
    for (std::uint32_t i = 0; i < seen.size(); ++i)
      EXPECT_EQ(seen[i], i);
  });
}

TEST(loop_test, sleepers_wake_in_the_order_of_their_times) {
  run_on_cores(1, []() -> task<void> {
    static std::vector<int> order;
    order.clear();
    const auto sleeper = [](int name, std::chrono::milliseconds time) -> detached {
      co_await loop::current().sleep_until(loop::current().now() + time);
      order.push_back(name);
    };
    sleeper(3, std::chrono::milliseconds(6));
    sleeper(1, std::chrono::milliseconds(2));
    sleeper(2, std::chrono::milliseconds(4));
    while (order.size() < 3)
      co_await loop::current().yield();
    EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  });
}

TEST(slices_test, every_slice_of_concurrent_jobs_runs_exactly_once) {
  for (const std::uint32_t cores : {1U, 2U, 4U}) {
    run_on_cores(cores, []() -> task<void> {
      for (std::uint32_t round = 0; round < 50; ++round) {
        std::array<std::atomic<std::uint32_t>, 37> runs{};
        auto count_run = [&](std::uint32_t index) { runs[index].fetch_add(1); };
        const auto count = static_cast<std::uint32_t>(runs.size());
        auto first = run_slices(count, count_run);
        co_await first;
        for (const auto& run : runs)
          EXPECT_EQ(run.load(), 1U);
      }
    });
  }
}

TEST(slices_test, one_job_uses_a_second_core) {
  run_on_cores(2, []() -> task<void> {
    // The slices wait for each other: only two cores at once can finish them.
    std::atomic<std::uint32_t> inside{0};
    auto meet = [&](std::uint32_t) {
      inside.fetch_add(1);
      while (inside.load() < 2) {
      }
    };
    auto both = run_slices(2, meet);
    co_await both;
    EXPECT_EQ(inside.load(), 2U);
  });
}

TEST(read_guard_test, readers_never_see_half_a_write) {
  run_on_cores(3, []() -> task<void> {
    struct shared_pair {
      read_guard guard{3};
      std::uint64_t left = 0;
      std::uint64_t right = 0;
    } pair;
    const auto reader = [&pair]() -> task<bool> {
      bool equal = true;
      for (int i = 0; i < 2000; ++i) {
        {
          const auto section = co_await read(pair.guard);
          equal = equal && pair.left == pair.right;
        }
        co_await loop::current().yield();
      }
      co_return equal;
    };
    bool first_done = false;
    bool second_done = false;
    const auto watch = [&](std::uint32_t core, bool& done) -> detached {
      const bool equal = co_await call_on(core, reader);
      EXPECT_TRUE(equal);
      done = true;
    };
    watch(1, first_done);
    watch(2, second_done);
    while (!first_done || !second_done) {
      {
        const auto section = co_await write(pair.guard);
        ++pair.left;
        ++pair.right;
      }
      co_await loop::current().yield();
    }
    EXPECT_GT(pair.left, 0U);
  });
}

TEST(epochs_test, a_retired_thing_waits_for_every_reader_that_was_there) {
  epochs tracked(2);
  epochs::reader early;
  epochs::reader late;
  tracked.enter(0, early);
  const std::uint64_t retired = tracked.retire();
  tracked.enter(1, late);
  EXPECT_LE(tracked.safe_before(), retired);
  tracked.leave(0, early);
  EXPECT_GT(tracked.safe_before(), retired);
  tracked.leave(1, late);
}

TEST(gate_test, close_waits_for_the_last_user) {
  run_on_cores(1, []() -> task<void> {
    gate users;
    users.enter();
    bool left = false;
    const auto leave_later = [&]() -> detached {
      co_await loop::current().yield();
      left = true;
      users.leave();
    };
    leave_later();
    co_await users.close();
    EXPECT_TRUE(left);
    EXPECT_TRUE(users.closed());
  });
}

}  // namespace
}  // namespace vexfs::io
