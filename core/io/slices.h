// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <coroutine>
#include <cstdint>
#include <utility>

#include "core/base/limits.h"
#include "core/io/loop.h"

namespace vexfs::io {

/// Work cut into slices that several cores take from. Lives in the frame of the coroutine that waits
/// for it. `next` may run past `count`; who finishes the last slice tells the home core.
struct slice_job {
  void (*run)(slice_job&, std::uint32_t index) = nullptr;
  std::uint32_t count = 0;
  std::uint32_t home = 0;
  std::uint32_t place = 0;  // on the board
  std::atomic<std::uint32_t> next{0};
  std::atomic<std::uint32_t> unfinished{0};
  resume_later finished;
};

/// The jobs that are open to all cores. A place holds a job and the number of cores that look at it:
/// a job leaves its place first and is forgotten only when nobody looks any more, so a core that has
/// just read the pointer never finds it dangling.
class slice_board {
 public:
  /// False when all places are taken; the caller then runs the job alone.
  [[nodiscard]] bool publish(slice_job& job);
  /// Takes the job from the board. False while another core still looks at it: ask again next turn.
  [[nodiscard]] bool withdraw(slice_job& job);
  /// Runs one slice of one open job; jobs take turns. False if there was none.
  bool run_one(std::uint32_t core);
  [[nodiscard]] bool has_work() const;

 private:
  struct alignas(64) place {
    std::atomic<slice_job*> job{nullptr};
    std::atomic<std::uint32_t> lookers{0};
  };
  std::array<place, slice_jobs_max> places_;
  std::array<std::uint32_t, core_count_max> cursor_{};
};

/// Runs slice(i) for every i in [0, count), here and on every idle core, and continues here when all
/// have ended; what the slices wrote is visible then. Slices are plain functions of at most about
/// 200 us that may run at the same time.
template <class Slice>
task<void> run_slices(std::uint32_t count, Slice& slice) {
  if (count == 0) co_return;
  if (count == 1) {
    slice(0U);
    co_return;
  }
  struct job_of : slice_job {
    Slice* slice = nullptr;
  } job;
  loop& here = loop::current();
  job.slice = &slice;
  job.run = [](slice_job& self, std::uint32_t index) {
    (*static_cast<job_of&>(self).slice)(index);
  };
  job.count = count;
  job.home = here.core_index();
  job.unfinished.store(count, std::memory_order_relaxed);

  if (!here.group().slices().publish(job)) {
    for (std::uint32_t index = 0; index < count; ++index) {
      slice(index);
      co_await here.yield();
    }
    co_return;
  }
  here.group().wake_idle();
  struct wait_for_last {
    slice_job& job;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) { job.finished.waiting = caller; }
    void await_resume() const noexcept {}
  };
  co_await wait_for_last{job};
  while (!here.group().slices().withdraw(job)) co_await here.yield();
}

}  // namespace vexfs::io
