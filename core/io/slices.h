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

/// Work cut into slices that several cores take from. Lives in the frame of the coroutine that
/// waits for it. Who takes the last slice takes the job off the board; who finishes the last one
/// tells the home core.
struct slice_job {
  void (*run)(slice_job&, std::uint32_t index) = nullptr;
  std::uint32_t count = 0;
  std::uint32_t home = 0;
  std::atomic<std::uint32_t> next{0};  // may run past count
  std::atomic<std::uint32_t> unfinished{0};
  resume_later finished;
};

/// The jobs that are open to all cores. A core that has a slice keeps its job alive by that; before
/// it has one, it announces the job that it looks at in its own line and looks again whether the
/// job is still on the board. So a job may go when it is finished and no core announces it, and a
/// core that has just read the pointer never finds it dangling.
class slice_board {
 public:
  explicit slice_board(std::uint32_t core_count) : core_count_(core_count) {}

  /// False when all places are taken; the caller then runs the job alone.
  [[nodiscard]] bool publish(slice_job& job);
  /// Of a finished job: false while another core may still look at it, which is a matter of a few
  /// instructions. Ask again next turn.
  [[nodiscard]] bool may_go(const slice_job& job) const;
  /// Runs one slice of one open job; jobs take turns. False if there was none.
  bool run_one(std::uint32_t core);
  /// True while there are slices that nobody has taken.
  [[nodiscard]] bool has_work() const { return open_.load(std::memory_order_seq_cst) != 0; }

 private:
  bool run_slice_at(std::uint32_t core, std::uint32_t place);

  static_assert(slice_jobs_max == 64, "one bit a place");
  // Places whose job has slices left; read by every core in every turn.
  alignas(64) std::atomic<std::uint64_t> open_{0};
  // Places that are not free; a place is open, then its job is there, until the last slice is
  // taken.
  alignas(64) std::atomic<std::uint64_t> taken_{0};
  alignas(64) std::array<std::atomic<slice_job*>, slice_jobs_max> places_{};
  struct alignas(64) core_line {
    std::atomic<const slice_job*> looking_at{nullptr};
    std::uint32_t last_place = 0;  // of this core alone
  };
  const std::uint32_t core_count_;
  std::array<core_line, core_count_max> cores_{};
};

/// Whether somebody waits for slices, or they are for turns that had nothing else to do.
enum class urgency : std::uint8_t { somebody_waits, when_idle };

/// Runs slice(i) for every i in [0, count), here and on every idle core, and continues here when
/// all have ended; what the slices wrote is visible then. Slices are plain functions of at most
/// about 200 us that may run at the same time. `slice` lives in the caller's frame until then.
template <class Slice>
task<void> run_slices(std::uint32_t count, Slice& slice, urgency when = urgency::somebody_waits) {
  if (count == 0) co_return;
  if (count == 1 && when == urgency::somebody_waits) {
    slice(0U);
    co_return;
  }
  struct job_of : slice_job {
    Slice* slice = nullptr;
  } job;
  loop& here = loop::current();
  slice_board& board =
      when == urgency::when_idle ? here.group().idle_slices() : here.group().slices();
  job.slice = &slice;
  job.run = [](slice_job& self, std::uint32_t index) {
    (*static_cast<job_of&>(self).slice)(index);
  };
  job.count = count;
  job.home = here.core_index();
  job.unfinished.store(count, std::memory_order_relaxed);

  if (!board.publish(job)) {
    for (std::uint32_t index = 0; index < count; ++index) {
      slice(index);
      co_await here.yield();
    }
    co_return;
  }
  here.group().wake_idle(count - 1);
  struct wait_for_last {
    slice_job& job;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) { job.finished.waiting = caller; }
    void await_resume() const noexcept {}
  };
  co_await wait_for_last{job};
  while (!board.may_go(job))
    co_await here.yield();
}

}  // namespace vexfs::io
