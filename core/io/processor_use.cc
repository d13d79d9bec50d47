// SPDX-License-Identifier: Apache-2.0
#include "core/io/processor_use.h"

#include <chrono>
#include <utility>

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/limits.h"

namespace vexfs::io {
namespace {

// As the system calls have it; newer C libraries bring a name for it, ours does not.
struct scheduling {
  std::uint32_t size = 0;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(scheduling) == 48);

/// Of this thread; without a run's length where the system does not say.
scheduling read_scheduling() {
  scheduling read;
  if (::syscall(SYS_sched_getattr, 0, &read, sizeof(read), 0) != 0) return {};
  // What a deadline's runtime means is another thing, and the operator's.
  if (read.policy == SCHED_DEADLINE) return {};
  return read;
}

/// Since Linux 6.12 a thread may say how long it wants to run at a time. Gives how long it did
/// before; 0 where nothing has changed, as on earlier kernels, where this is refused, and for
/// threads with a priority.
std::uint64_t ask_for_runs_of(std::uint64_t run_ns) {
  scheduling wanted = read_scheduling();
  const std::uint64_t before_ns = std::exchange(wanted.runtime_ns, run_ns);
  if (before_ns == 0) return 0;
  ::syscall(SYS_sched_setattr, 0, &wanted, 0);
  return read_scheduling().runtime_ns == run_ns ? before_ns : 0;
}

// Of the process: those of its first thread, which is pinned to none. An operator may change them.
cpu_set_t allowed_processors() {
  cpu_set_t allowed;
  if (::sched_getaffinity(::getpid(), sizeof(allowed), &allowed) != 0) CPU_ZERO(&allowed);
  return allowed;
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

bool is_allowed(int processor) {
  const cpu_set_t allowed = allowed_processors();
  return CPU_ISSET(static_cast<std::size_t>(processor), &allowed) != 0;
}

}  // namespace

void begin_beside_cores() {
  run_on(allowed_processors());
  ask_for_runs_of(0);
}

std::vector<processor_place> processor_places(std::uint32_t core_count) {
  std::vector<processor_place> places(core_count);
  const cpu_set_t allowed = allowed_processors();
  const auto allowed_count = static_cast<std::uint32_t>(CPU_COUNT(&allowed));
  if (allowed_count < core_count) return places;
  int next = 0;
  for (processor_place& each : places) {
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

clock_time slice_load::next_look() const {
  return heavy_ ? window_began_ + std::chrono::microseconds(slice_load_window_us)
                : clock_time::max();
}

processor_use::processor_use(const processor_place& where) : where_(where) {
  if (where.is_pinned) run_on(where.home);
}

void processor_use::end_turn(clock_time began, bool ran_slice, bool has_ready_work) {
  const clock_time now = ran_slice ? std::chrono::steady_clock::now() : began;
  const slice_load::change change = load_.end_turn(now, now - began);
  const bool may_move = where_.home >= 0 && !where_.is_pinned;
  if (change == slice_load::change::became_heavy) {
    // The system moves busy threads about as soon as there is one more than processors, and then
    // two cores wait for each other, 4 ms at a time, on one of them.
    if (may_move && is_allowed(where_.home)) run_on(where_.home);
    usual_run_ns_ = ask_for_runs_of(sliced_run_us * 1000);
  } else if (change == slice_load::change::became_light) {
    if (may_move) run_on(allowed_processors());
    if (usual_run_ns_ != 0) ask_for_runs_of(std::exchange(usual_run_ns_, 0));
  }
  // A yield gives away the rest of a run, so never that of a long one: beside a busy thread a core
  // would have a twelfth of the processor.
  if (!ran_slice || usual_run_ns_ == 0) return;
  // Work that the slice made ready goes first, but there may be some after every slice.
  if (now - gave_way_ < std::chrono::microseconds(give_way_gap_us * (has_ready_work ? 2 : 1)))
    return;
  ::sched_yield();
  gave_way_ = std::chrono::steady_clock::now();
  load_.leave_out(gave_way_ - now);
}

}  // namespace vexfs::io
