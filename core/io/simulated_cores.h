// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <utility>

#include "core/io/loop.h"
#include "core/io/task.h"

namespace vexfs::io {

/// The cores of a test: loops without threads, transports or real time, stepped one turn at a time
/// by the calling thread. The seed draws which core goes next and how long a turn takes, so that a
/// run with its interleavings can be repeated. When no core has anything to do, time jumps to the
/// next timer. One at a time on a thread.
class simulated_cores {
 public:
  simulated_cores(std::uint32_t core_count, std::uint64_t seed);
  ~simulated_cores();

  [[nodiscard]] loop_group& group() { return *group_; }
  [[nodiscard]] clock_time now() const { return now_; }

  /// One turn of one core. False when nothing is left to do: no work, no message, no timer.
  bool step();
  /// Steps until nothing is left to do; false if that is not so after `turns_max`.
  bool run_until_idle(std::uint64_t turns_max);

  /// Runs the task that body() returns on one core, and all others meanwhile. False if it has not
  /// ended after `turns_max`, or waits for what never comes.
  template <class Body>
  [[nodiscard]] bool run(std::uint32_t core, Body body, std::uint64_t turns_max = 1'000'000) {
    bool ended = false;
    struct start : runnable {
      Body* body;
      bool* ended;
    } first;
    first.body = &body;
    first.ended = &ended;
    first.run = [](runnable& self) {
      auto& work = static_cast<start&>(self);
      go(*work.body, *work.ended);
    };
    at(core).defer(first);
    for (std::uint64_t turn = 0; turn < turns_max && !ended; ++turn)
      if (!step()) break;
    return ended;
  }

 private:
  template <class Body>
  static detached go(Body& body, bool& ended) {
    auto running = body();
    co_await running;
    ended = true;
  }
  loop& at(std::uint32_t core) { return *group_->loops_[core]; }

  std::mt19937_64 random_;
  clock_time now_;
  const std::unique_ptr<loop_group> group_;
};

}  // namespace vexfs::io
