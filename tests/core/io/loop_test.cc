// SPDX-License-Identifier: Apache-2.0
#include "core/io/loop.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/io/simulated_cores.h"
#include "core/io/slices.h"
#include "core/io/storage.h"
#include "tests/core/io/run_on_cores.h"

namespace vexfs::io {
namespace {

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

TEST(loop_test, end_of_turn_work_of_end_of_turn_work_is_of_the_same_turn) {
  simulated_cores cores(1, 1);
  struct step : runnable {
    std::vector<char>* order;
    char name;
    step* after = nullptr;
  } log, connection;
  std::vector<char> order;
  for (step* each : {&log, &connection}) {
    each->order = &order;
    each->run = [](runnable& self) {
      auto& work = static_cast<step&>(self);
      work.order->push_back(work.name);
      if (work.after) loop::current().at_end_of_turn(*work.after);
    };
  }
  log.name = 'l';
  log.after = &connection;
  connection.name = 'c';
  const auto body = [&]() -> task<void> {
    loop::current().at_end_of_turn(log);
    order.push_back('w');
    co_await loop::current().yield();
    order.push_back('n');
  };
  ASSERT_TRUE(cores.run(0, body));
  EXPECT_EQ(order, (std::vector<char>{'w', 'l', 'c', 'n'}));
}

TEST(loop_test, the_same_seed_gives_the_same_interleaving) {
  const auto trace = [](std::uint64_t seed) {
    simulated_cores cores(3, seed);
    std::vector<std::uint32_t> order;
    const auto body = [&]() -> task<void> {
      const auto chatter = [&](std::uint32_t core, int& left) -> detached {
        for (int i = 0; i < 20; ++i)
          co_await call_on(core, [&] { order.push_back(loop::current().core_index()); });
        --left;
      };
      int left = 2;
      chatter(1, left);
      chatter(2, left);
      // The chatters count down while this core yields.
      while (left > 0)  // NOLINT(bugprone-infinite-loop)
        co_await loop::current().yield();
    };
    EXPECT_TRUE(cores.run(0, body));
    return order;
  };
  EXPECT_EQ(trace(5), trace(5));
  EXPECT_NE(trace(5), trace(6));
}

TEST(loop_test, an_error_of_one_core_at_start_stops_all_and_is_returned) {
  auto group = loop_group::create(3);
  ASSERT_TRUE(group);
  const auto outcome = (*group)->run(
      [](loop& core, void*) -> result<void> {
        if (core.core_index() == 1) return fail(errc::service, "core 1 cannot");
        return {};
      },
      nullptr);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().text, "core 1 cannot");
}

class loop_over_test : public testing::TestWithParam<transport_kind> {};
INSTANTIATE_TEST_SUITE_P(over, loop_over_test,
                         testing::Values(transport_kind::uring, transport_kind::epoll),
                         [](const auto& chosen) { return std::string(name_of(chosen.param)); });

TEST_P(loop_over_test, asking_to_stop_runs_the_work_given_for_it_once_and_wakes_a_sleeping_core) {
  auto group = loop_group::create(2, GetParam());
  ASSERT_TRUE(group);
  struct stopper : runnable {
    loop_group* all = nullptr;
    int runs = 0;
  } stopping;
  stopping.all = group->get();
  stopping.run = [](runnable& self) {
    auto& asked = static_cast<stopper&>(self);
    ++asked.runs;
    EXPECT_EQ(loop::current().core_index(), 0U);
    asked.all->stop();
  };
  (*group)->when_asked_to_stop(stopping);
  std::thread outside([&] {
    (*group)->ask_to_stop();
    (*group)->ask_to_stop();
  });
  EXPECT_TRUE((*group)->run([](loop&, void*) -> result<void> { return {}; }, nullptr));
  outside.join();
  EXPECT_EQ(stopping.runs, 1);
}

TEST_P(loop_over_test, time_after_a_sleep_is_the_time_of_waking) {
  run_on_cores(
      1,
      []() -> task<void> {
        loop& here = loop::current();
        const clock_time due = here.now() + std::chrono::milliseconds(3);
        co_await here.sleep_until(due);
        EXPECT_GE(here.now(), due);
        EXPECT_LE(here.now(), std::chrono::steady_clock::now());
      },
      GetParam());
}

// Both cores go to sleep between two messages nearly every time: a lost wake hangs here.
TEST_P(loop_over_test, no_wake_is_lost_between_cores_that_fall_asleep) {
  run_on_cores(
      2,
      []() -> task<void> {
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < 20'000; ++i)
          sum += co_await call_on(1, [i] { return i; });
        EXPECT_EQ(sum, 20'000ULL * 19'999 / 2);
      },
      GetParam());
}

TEST_P(loop_over_test, what_a_turn_sends_is_with_the_peer_before_the_turn_runs_a_slice) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  run_on_cores(
      1,
      [&]() -> task<void> {
        struct noted : completion {
          bool ended = false;
        } sent;
        sent.done = [](completion& self, int result, std::uint32_t, bool) {
          EXPECT_EQ(result, 2);
          static_cast<noted&>(self).ended = true;
        };
        const auto text = std::as_bytes(std::span("ab", 2));
        loop::current().transport().send(pair[0], text, sent);
        std::array<ssize_t, 2> seen{};
        auto slice = [&](std::uint32_t index) {
          std::array<char, 8> peeked{};
          seen[index] = ::recv(pair[1], peeked.data(), peeked.size(), MSG_PEEK | MSG_DONTWAIT);
        };
        auto running = run_slices(2, slice);
        co_await running;
        EXPECT_EQ(seen[0], 2);
        EXPECT_EQ(seen[1], 2);
        while (!sent.ended)
          co_await loop::current().yield();
        loop::current().transport().close(pair[0]);
      },
      GetParam());
  ::close(pair[1]);
}

TEST_P(loop_over_test, two_files_are_synced_at_once_while_the_core_goes_on) {
  std::string folder = std::filesystem::temp_directory_path() / "vexfs-io-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto disk = open_local_storage(folder);
  ASSERT_TRUE(disk) << disk.error().text;
  run_on_cores(
      1,
      [&]() -> task<void> {
        int left = 2;
        const auto write = [&](const char* name) -> detached {
          const auto opened = (*disk)->open(name, open_mode::create);
          EXPECT_TRUE(opened);
          EXPECT_TRUE((*opened)->write(0, std::as_bytes(std::span("text"))));
          auto syncing = (*opened)->sync();
          const auto synced = co_await syncing;
          EXPECT_TRUE(synced);
          --left;
        };
        write("one");
        write("two");
        EXPECT_EQ(left, 2);
        while (left > 0)
          co_await loop::current().yield();
      },
      GetParam());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace vexfs::io
