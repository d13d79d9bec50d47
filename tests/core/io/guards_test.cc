// SPDX-License-Identifier: Apache-2.0
// What keeps coroutines and cores out of each other's way: read_guard, epochs, gate, mutex.
#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/io/epoch.h"
#include "core/io/gate.h"
#include "core/io/mutex.h"
#include "core/io/read_guard.h"
#include "core/io/simulated_cores.h"
#include "tests/core/io/run_on_cores.h"
#include "tests/seeds.h"

namespace vexfs::io {
namespace {

/// Core 0 writes a pair, all others read it, until every reader has had its share.
task<void> write_and_read(std::uint32_t core_count, int reads) {
  struct shared_pair {
    read_guard guard;
    std::uint64_t left = 0;
    std::uint64_t right = 0;
  } pair{.guard = read_guard(core_count)};
  const auto reader = [&pair, reads]() -> task<bool> {
    bool equal = true;
    for (int i = 0; i < reads; ++i) {
      {
        const auto section = co_await read(pair.guard);
        equal = equal && pair.left == pair.right;
      }
      if (i % 3 == 0) co_await loop::current().yield();
    }
    co_return equal;
  };
  std::uint32_t reading = core_count - 1;
  const auto watch = [&](std::uint32_t core) -> detached {
    const bool equal = co_await call_on(core, reader);
    EXPECT_TRUE(equal);
    --reading;
  };
  for (std::uint32_t core = 1; core < core_count; ++core)
    watch(core);
  std::uint64_t writes = 0;
  while (reading > 0) {
    {
      const auto section = co_await write(pair.guard);
      ++pair.left;
      ++pair.right;
    }
    ++writes;
    co_await loop::current().yield();
  }
  EXPECT_GT(writes, 0U);
}

TEST(read_guard_test, readers_never_see_half_a_write) {
  run_on_cores(3, []() -> task<void> { return write_and_read(3, 3000); });
}

TEST(read_guard_test, neither_side_starves_in_any_drawn_interleaving) {
  for (const std::uint64_t seed : seeds(100)) {
    SCOPED_TRACE(seed);
    simulated_cores cores(3, seed);
    ASSERT_TRUE(cores.run(0, []() -> task<void> { return write_and_read(3, 50); }, 20'000));
  }
}

TEST(read_guard_test, a_waiting_writer_keeps_new_readers_out_and_gets_in_when_the_last_leaves) {
  read_guard guard(2);
  ASSERT_TRUE(guard.try_read(0));
  ASSERT_TRUE(guard.try_read(1));
  EXPECT_FALSE(guard.try_write());
  guard.end_read(0);
  EXPECT_FALSE(guard.try_read(0));
  EXPECT_FALSE(guard.try_write());
  guard.end_read(1);
  EXPECT_FALSE(guard.try_read(1));
  EXPECT_TRUE(guard.try_write());
  EXPECT_FALSE(guard.try_read(0));
  guard.end_write();
  EXPECT_TRUE(guard.try_read(0));
  guard.end_read(0);
}

#ifdef VEXFS_DEBUG_ASSERTS
TEST(read_guard_death_test, a_section_held_across_a_suspension_is_caught) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        simulated_cores cores(1, 1);
        read_guard guard(1);
        const auto body = [&]() -> task<void> {
          const auto section = co_await read(guard);
          co_await loop::current().yield();
        };
        (void)cores.run(0, body);
      },
      "open_sections");
}

TEST(run_queue_death_test, work_that_waits_already_is_not_queued_again) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        run_queue queue;
        runnable work;
        queue.push(work);
        queue.push(work);
      },
      "queued");
}
#endif

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

TEST(epochs_test, random_histories_agree_with_a_list_of_readers) {
  for (const std::uint64_t seed : seeds(20)) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    epochs tested(3);
    std::array<epochs::reader, 12> readers;
    std::array<bool, 12> inside{};
    std::array<std::uint64_t, 12> entered{};  // things retired before
    std::vector<std::uint64_t> retired;
    for (int step = 0; step < 2000; ++step) {
      const std::size_t one = random() % readers.size();
      const auto core = static_cast<std::uint32_t>(one % 3);
      if (random() % 4 == 0) {
        retired.push_back(tested.retire());
      } else if (inside[one]) {
        tested.leave(core, readers[one]);
        inside[one] = false;
      } else {
        tested.enter(core, readers[one]);
        inside[one] = true;
        entered[one] = retired.size();
      }
      std::uint64_t reusable = retired.size();
      for (std::size_t i = 0; i < readers.size(); ++i)
        if (inside[i]) reusable = std::min(reusable, entered[i]);
      for (std::size_t i = 0; i < retired.size(); ++i)
        ASSERT_EQ(retired[i] < tested.safe_before(), i < reusable);
    }
  }
}

TEST(gate_test, close_waits_for_the_last_user_and_lets_no_other_in) {
  for (const std::uint64_t seed : seeds(20)) {
    simulated_cores cores(1, seed);
    const auto body = []() -> task<void> {
      gate users;
      int left = 0;
      const auto use = [&](int turns) -> detached {
        users.enter();
        for (; turns > 0; --turns)
          co_await loop::current().yield();
        ++left;
        users.leave();
      };
      use(1);
      use(5);
      use(3);
      co_await users.close();
      EXPECT_EQ(left, 3);
      EXPECT_TRUE(users.closed());
      EXPECT_FALSE(users.try_enter());
    };
    ASSERT_TRUE(cores.run(0, body));
  }
}

TEST(gate_test, an_empty_gate_closes_at_once) {
  simulated_cores cores(1, 1);
  const auto body = []() -> task<void> {
    gate users;
    EXPECT_TRUE(users.try_enter());
    users.leave();
    co_await users.close();
  };
  ASSERT_TRUE(cores.run(0, body));
}

TEST(mutex_test, holders_follow_each_other_in_the_order_of_asking) {
  simulated_cores cores(1, 1);
  const auto body = []() -> task<void> {
    mutex turn;
    int inside = 0;
    std::vector<int> order;
    const auto use = [&](int name) -> detached {
      auto lock = co_await turn.acquire();
      EXPECT_EQ(++inside, 1);
      for (int i = 0; i < 3; ++i)
        co_await loop::current().yield();
      --inside;
      order.push_back(name);
    };
    for (int name = 0; name < 5; ++name)
      use(name);
    while (order.size() < 5)
      co_await loop::current().yield();
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
  };
  ASSERT_TRUE(cores.run(0, body));
}

}  // namespace
}  // namespace vexfs::io
