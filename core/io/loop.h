// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "core/io/task.h"

namespace vexfs::io {

using clock_time = std::chrono::steady_clock::time_point;

/// Work that waits in a loop's queue: intrusive, lives inside its owner (usually a coroutine frame),
/// may be queued in one place at a time.
struct runnable {
  void (*run)(runnable&) = nullptr;
  runnable* next = nullptr;
};

/// One core: a pinned thread, its ring, its run queue, its timers and its mailboxes. Every member
/// is called on that core's own thread unless it says otherwise. The order of a turn, and why, is
/// written in loop.cc.
class loop {
 public:
  /// The loop that runs on this thread; asserts that there is one.
  [[nodiscard]] static loop& current();

  [[nodiscard]] std::uint32_t core_index() const;
  [[nodiscard]] std::uint32_t core_count() const;

  /// Time as of the beginning of this turn. Tests run loops on a simulated clock.
  [[nodiscard]] clock_time now() const;
  /// Wall clock, microseconds since 1970, as of the beginning of this turn.
  [[nodiscard]] std::int64_t wall_time_us() const;

  /// Queues work for the next turn of this core.
  void defer(runnable& work);

  /// Queues work on another core (or this one). The message belongs to the sender and must stay
  /// alive until it has run. Waits in this core's overflow list while the mailbox is full.
  void post(std::uint32_t core, runnable& message);

  // What coroutines of this core await.

  /// Continues in this core's next turn, after completions and mailboxes were served.
  [[nodiscard]] auto yield();
  /// Continues at or after the given time.
  [[nodiscard]] auto sleep_until(clock_time when);
};

/// Runs `work` on another core and comes back: co_await call_on(core, [&] { return x; }) gives x.
/// Captures stay alive in the caller's frame. `work` returns a value or a task.
template <class Work>
auto call_on(std::uint32_t core, Work work);

/// Runs slice(i) for every i in [0, count), on this core and on any core that is idle, and continues
/// here when all have ended. Slices are plain functions, take at most about 200 us each, and may run
/// at the same time; between two slices every core serves its ring and its mailboxes.
/// co_await run_slices(count, [&](std::uint32_t i) {...});
template <class Slice>
task<void> run_slices(std::uint32_t count, Slice slice);

}  // namespace vexfs::io
