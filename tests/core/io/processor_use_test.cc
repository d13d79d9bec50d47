// SPDX-License-Identifier: Apache-2.0
#include "core/io/processor_use.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/io/slices.h"
#include "tests/core/io/run_on_cores.h"

namespace {
thread_local int yields = 0;
}

// The one that all of this program calls, and libraries it is linked to.
extern "C" int sched_yield() noexcept {
  ++yields;
  return static_cast<int>(::syscall(SYS_sched_yield));
}

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
      EXPECT_EQ(each.is_pinned, cores < count);
      EXPECT_EQ(each.home >= 0, cores <= count);
      if (each.home < 0) continue;
      EXPECT_TRUE(CPU_ISSET(static_cast<std::size_t>(each.home), &allowed));
      EXPECT_FALSE(CPU_ISSET(static_cast<std::size_t>(each.home), &homes));
      CPU_SET(static_cast<std::size_t>(each.home), &homes);
    }
  }
}

cpu_set_t processors_of(pid_t thread) {
  cpu_set_t its;
  EXPECT_EQ(::sched_getaffinity(thread, sizeof(its), &its), 0);
  return its;
}
int processors_of_this_thread() {
  const cpu_set_t its = processors_of(0);
  return CPU_COUNT(&its);
}

TEST(processor_use_test,
     cores_stay_on_one_processor_while_slices_keep_all_busy_and_do_not_sleep_there) {
  const auto all = static_cast<std::uint32_t>(processors_of_this_thread());
  if (all < 2 || all > 16) GTEST_SKIP() << "with " << all << " processors";
  run_on_cores(all, [all]() -> task<void> {
    std::array<std::atomic<int>, 16> processors{};
    std::array<std::atomic<pid_t>, 16> threads{};
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
      threads[loop::current().core_index()] = ::gettid();
    };
    const auto give_up = loop::current().now() + 60s;
    while (count_with(1) < all && loop::current().now() < give_up) {
      auto running = run_slices(16 * all, slice);
      co_await running;
    }
    EXPECT_EQ(count_with(1), all);
    while (count_with(static_cast<int>(all)) < all && loop::current().now() < give_up) {
      co_await loop::current().sleep_until(loop::current().now() + 1ms);
      // Looked at from here: the others sleep, and nobody wakes them.
      for (std::uint32_t core = 0; core < all; ++core) {
        const cpu_set_t its = processors_of(threads[core]);
        processors[core] = CPU_COUNT(&its);
      }
    }
    EXPECT_EQ(count_with(static_cast<int>(all)), all);
  });
}

struct scheduling {
  std::uint32_t size = 0;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;

  static scheduling of_this_thread() {
    scheduling read;
    EXPECT_EQ(::syscall(SYS_sched_getattr, 0, &read, sizeof(read), 0), 0);
    return read;
  }
  void set() { EXPECT_EQ(::syscall(SYS_sched_setattr, 0, this, 0), 0); }
  bool operator==(const scheduling&) const = default;
};

constexpr std::uint64_t short_run_ns = sliced_run_us * 1000;

class thread_with_slices {
 public:
  explicit thread_with_slices(int home = -1) : place_{home, false} {}
  /// A turn with nothing but a slice, so long that a yield is due after it. How often it yielded.
  int run_slice(bool has_ready_work = false, int gaps = 1) {
    const clock_time began = std::chrono::steady_clock::now();
    const auto length = std::chrono::microseconds(give_way_gap_us * gaps);
    while (std::chrono::steady_clock::now() - began < length) {
    }
    const int before = yields;
    use_.end_turn(began, true, has_ready_work);
    return yields - before;
  }
  void become_heavy() {
    const clock_time end =
        std::chrono::steady_clock::now() + 2 * std::chrono::microseconds(slice_load_window_us);
    while (std::chrono::steady_clock::now() < end)
      run_slice();
  }
  void become_light() { use_.end_turn(std::chrono::steady_clock::now() + 1h, false, false); }

 private:
  const processor_place place_;
  processor_use use_{place_};
};

/// In a thread of its own, which only has what it was given.
void run_in_thread(const std::function<void()>& body) {
  std::thread(body).join();
}

bool has_runs_of_a_length() {
  return scheduling::of_this_thread().runtime_ns != 0;
}

TEST(processor_use_test, a_thread_has_short_runs_while_it_is_heavy_and_then_its_own_again) {
  if (!has_runs_of_a_length()) GTEST_SKIP() << "before Linux 6.12";
  for (const std::uint32_t policy : {SCHED_OTHER, SCHED_BATCH}) {
    run_in_thread([policy] {
      scheduling chosen = scheduling::of_this_thread();
      chosen.policy = policy;
      chosen.flags = 1;  // SCHED_FLAG_RESET_ON_FORK
      chosen.nice = 3;
      chosen.runtime_ns = 700'000;
      chosen.set();
      thread_with_slices core;
      core.become_heavy();
      scheduling expected = chosen;
      expected.runtime_ns = short_run_ns;
      EXPECT_EQ(scheduling::of_this_thread(), expected) << "policy " << policy;
      core.become_light();
      EXPECT_EQ(scheduling::of_this_thread(), chosen) << "policy " << policy;
    });
  }
}

TEST(processor_use_test, a_heavy_thread_lets_others_run_and_ready_work_go_first) {
  if (!has_runs_of_a_length()) GTEST_SKIP() << "before Linux 6.12";
  run_in_thread([] {
    thread_with_slices core;
    EXPECT_EQ(core.run_slice(), 0) << "before it was heavy";
    core.become_heavy();
    EXPECT_EQ(core.run_slice(), 1);
    EXPECT_EQ(core.run_slice(true, 2), 1) << "there may always be ready work";
    core.become_light();
    EXPECT_EQ(core.run_slice(), 0);
  });
}

void expect_processors(const cpu_set_t& expected) {
  const cpu_set_t its = processors_of(0);
  EXPECT_TRUE(CPU_EQUAL(&its, &expected));
}

TEST(processor_use_test, processors_that_are_taken_from_the_running_process_are_left_alone) {
  const cpu_set_t all = processors_of(::getpid());
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "needs two processors";
  int home = 0;
  while (!CPU_ISSET(static_cast<std::size_t>(home), &all))
    ++home;
  cpu_set_t at_home;
  CPU_ZERO(&at_home);
  CPU_SET(static_cast<std::size_t>(home), &at_home);
  cpu_set_t others;
  CPU_XOR(&others, &all, &at_home);
  run_in_thread([&] {
    thread_with_slices core(home);
    core.become_heavy();
    expect_processors(at_home);
    EXPECT_EQ(::sched_setaffinity(::getpid(), sizeof(others), &others), 0);
    core.become_light();
    expect_processors(others);
    thread_with_slices again(home);
    again.become_heavy();
    expect_processors(others);
    EXPECT_EQ(::sched_setaffinity(::getpid(), sizeof(all), &all), 0);
    again.become_light();
    expect_processors(all);
  });
}

TEST(processor_use_test, a_thread_that_a_core_starts_has_neither_its_processor_nor_its_runs) {
  const cpu_set_t all = processors_of(::getpid());
  int home = 0;
  while (!CPU_ISSET(static_cast<std::size_t>(home), &all))
    ++home;
  const std::uint64_t usual_ns = scheduling::of_this_thread().runtime_ns;
  run_in_thread([&] {
    thread_with_slices core(home);
    core.become_heavy();
    run_in_thread([&] {
      begin_beside_cores();
      expect_processors(all);
      EXPECT_EQ(scheduling::of_this_thread().runtime_ns, usual_ns);
    });
  });
}

TEST(processor_use_test, of_all_threads_only_a_pinned_core_stays_on_its_processor) {
  const cpu_set_t all = processors_of(::getpid());
  if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "needs two processors";
  run_on_cores(
      1,
      []() -> task<void> {
        EXPECT_EQ(processors_of_this_thread(), 1);
        int pinned = 0;
        for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
          const cpu_set_t its = processors_of(std::stoi(thread.path().filename()));
          pinned += CPU_COUNT(&its) == 1 ? 1 : 0;
        }
        EXPECT_EQ(pinned, 1);
        co_return;
      },
      transport_kind::epoll);
}

// Promises nothing about the machine: of many slices one is not kept waiting in the middle.
TEST(processor_use_test, a_slice_that_made_work_ready_is_not_followed_by_a_yield) {
  if (!has_runs_of_a_length()) GTEST_SKIP() << "before Linux 6.12";
  run_in_thread([] {
    thread_with_slices core;
    core.become_heavy();
    bool was_put_off = false;
    for (int tries = 0; tries < 1000 && !was_put_off; ++tries) {
      core.run_slice();
      was_put_off = core.run_slice(true) == 0;
    }
    EXPECT_TRUE(was_put_off);
  });
}

TEST(processor_use_test, a_thread_that_may_not_have_short_runs_never_gives_one_away) {
  run_in_thread([] {
    // A filter of system calls, as the kernel's headers have it.
    struct instruction {
      std::uint16_t code;
      std::uint8_t if_true, if_false;
      std::uint32_t operand;
    };
    constexpr std::uint32_t fail_with = 0x00050000;
    constexpr std::uint32_t allow = 0x7fff0000;
    std::array<instruction, 4> refuse_setting{{
        {0x20, 0, 0, 0},                  // load the call's number
        {0x15, 0, 1, SYS_sched_setattr},  // another one: skip the next
        {0x06, 0, 0, fail_with | EPERM},  // return
        {0x06, 0, 0, allow},
    }};
    struct {
      std::uint16_t count;
      instruction* first;
    } const program{refuse_setting.size(), refuse_setting.data()};
    ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(::prctl(PR_SET_SECCOMP, 2, &program), 0);
    thread_with_slices core;
    core.become_heavy();
    EXPECT_EQ(core.run_slice(), 0);
    EXPECT_EQ(yields, 0);
  });
}

}  // namespace
}  // namespace vexfs::io
