// SPDX-License-Identifier: Apache-2.0
#include "core/io/processor_use.h"

#include <chrono>

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/limits.h"

namespace vexfs::io {
namespace {

// As the system call has it; newer C libraries bring a name for it, ours does not.
struct scheduling {
  std::uint32_t size = sizeof(scheduling);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(scheduling) == 48);

// Since Linux 6.12 a thread may say how long it wants to run at a time; 0: as long as the system
// finds right. Earlier kernels ignore it. Nobody's policy is changed who chose another one.
void ask_for_runs_of(std::uint64_t run_us) {
  if (::sched_getscheduler(0) != SCHED_OTHER) return;
  scheduling wanted;
  wanted.nice = ::getpriority(PRIO_PROCESS, 0);  // of this thread
  wanted.runtime_ns = run_us * 1000;
  ::syscall(SYS_sched_setattr, 0, &wanted, 0);
}

// Best effort: a core elsewhere is slower, not wrong.
void run_on(const cpu_set_t& processors) {
  ::pthread_setaffinity_np(::pthread_self(), sizeof(processors), &processors);
}
void run_on(int processor) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(processor), &one);
  run_on(one);
}

}  // namespace

std::vector<processor_place> processor_places(std::uint32_t core_count) {
  std::vector<processor_place> places(core_count);
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return places;
  const auto allowed_count = static_cast<std::uint32_t>(CPU_COUNT(&allowed));
  int next = 0;
  for (processor_place& each : places) {
    each.everywhere = allowed;
    if (allowed_count < core_count) continue;
    while (!CPU_ISSET(static_cast<std::size_t>(next), &allowed))
      ++next;
    each.home = next++;
    // Pinned only where processors are left for others. On every processor, a pinned core that has
    // to share its own with a client cannot move to one that is idle: with a client of one thread
    // on two processors that is 114,000 requests a second instead of 158,000, and 4 ms of p99
    // instead of 1.3.
    each.is_pinned = allowed_count > core_count;
  }
  return places;
}

slice_load::change slice_load::end_turn(clock_time now, clock_time::duration with_slice) {
  sliced_ += with_slice;
  const clock_time::duration passed = now - window_began_;
  if (passed < std::chrono::microseconds(slice_load_window_us)) return change::none;
  const bool was_heavy = heavy_;
  // Two bounds, so that a load between them does not move a thread back and forth.
  heavy_ = sliced_ * (was_heavy ? 4 : 2) >= passed;
  window_began_ = now;
  sliced_ = {};
  if (heavy_ == was_heavy) return change::none;
  return heavy_ ? change::became_heavy : change::became_light;
}

processor_use::processor_use(const processor_place& where) : where_(where) {
  if (where.is_pinned) run_on(where.home);
}

void processor_use::end_turn(clock_time began, bool ran_slice) {
  const clock_time now = ran_slice ? std::chrono::steady_clock::now() : began;
  const slice_load::change change = load_.end_turn(now, now - began);
  const bool may_move = where_.home >= 0 && !where_.is_pinned;
  if (change == slice_load::change::became_heavy) {
    // The system moves busy threads about as soon as there is one more than processors, and then
    // two cores wait for each other, 4 ms at a time, on one of them.
    if (may_move) run_on(where_.home);
    // What a yield gives away is the rest of a run.
    ask_for_runs_of(sliced_run_us);
  } else if (change == slice_load::change::became_light) {
    if (may_move) run_on(where_.everywhere);
    ask_for_runs_of(0);
  }
  if (!ran_slice || !load_.is_heavy()) return;
  if (now - gave_way_ < std::chrono::microseconds(give_way_gap_us)) return;
  ::sched_yield();
  gave_way_ = now;
}

}  // namespace vexfs::io
