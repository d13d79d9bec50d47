// SPDX-License-Identifier: Apache-2.0
#include "core/io/loop.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/io/processor_use.h"
#include "core/io/read_guard.h"
#include "core/io/slices.h"

namespace vexfs::io {
namespace {

thread_local loop* current_loop = nullptr;

// write(2) is safe in a signal handler. It cannot fail here: the counter never comes near its end.
void write_event(int event) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event, &one, sizeof(one));
}

// Begins simulated wall clocks: a fixed moment, 2024-01-01.
constexpr std::int64_t simulated_epoch_us = 1'704'067'200'000'000;

}  // namespace

loop::loop(loop_group& group, std::uint32_t core_index) : group_(group), core_index_(core_index) {
  event_ = eventfd(0, EFD_CLOEXEC);
  event_read_.owner = this;
  event_read_.done = [](completion& done, int, std::uint32_t, bool) {
    loop& self = *static_cast<event_completion&>(done).owner;
    self.transport_->read_event(self.event_, self.event_counter_, self.event_read_);
    loop_group& all = self.group_;
    if (self.core_index_ == 0 && all.stop_asked_.load(std::memory_order_acquire) && all.on_stop_)
      self.defer(*std::exchange(all.on_stop_, nullptr));
  };
}

loop::~loop() {
  transport_.reset();
  if (event_ >= 0) ::close(event_);
}

loop& loop::current() {
  VEXFS_ASSERT(current_loop != nullptr);
  return *current_loop;
}

loop* loop::current_or_null() {
  return current_loop;
}
void loop::make_current() {
  current_loop = this;
}
void loop::leave_current() {
  current_loop = nullptr;
}

std::uint32_t loop::core_count() const {
  return group_.core_count();
}

std::int64_t loop::wall_time_us() const {
  using std::chrono::duration_cast;
  using std::chrono::microseconds;
  if (group_.simulated_)
    return simulated_epoch_us + duration_cast<microseconds>(now_.time_since_epoch()).count();
  return duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void loop::post(std::uint32_t core, runnable& message) {
  VEXFS_DASSERT(core < core_count());
  if (core == core_index_) {
    defer(message);
    return;
  }
  // Order is kept: nothing overtakes what waits already.
  if (!overflow_[core].empty() || !group_.mail(core_index_, core).push(message)) {
    overflow_[core].push(message);
    has_overflow_ = true;
    return;
  }
  group_.loops_[core]->wake();
}

void loop::flush_overflow() {
  if (!has_overflow_) return;
  has_overflow_ = false;
  for (std::uint32_t core = 0; core < overflow_.size(); ++core) {
    run_queue& waiting = overflow_[core];
    if (waiting.empty()) continue;
    run_queue kept;
    while (runnable* message = waiting.pop()) {
      if (group_.mail(core_index_, core).push(*message)) continue;
      kept.push(*message);
      break;
    }
    waiting.move_to(kept);
    kept.move_to(waiting);
    has_overflow_ = has_overflow_ || !waiting.empty();
    group_.loops_[core]->wake();
  }
}

bool loop::wake() {
  // Sequentially consistent with wait_for_events(): either this load sees that the core sleeps, or
  // the core's last look for news sees what was pushed or published before.
  if (!asleep_.load(std::memory_order_seq_cst)) return false;
  if (!asleep_.exchange(false, std::memory_order_acq_rel)) return false;
  write_event(event_);
  return true;
}

void loop::serve_mailboxes() {
  for (std::uint32_t from = 0; from < core_count(); ++from)
    if (from != core_index_) group_.mail(from, core_index_).drain(ready_);
}

namespace {

// Only what is queued now: work that queues itself again waits for the next turn.
bool run_all(run_queue& queue) {
  run_queue batch;
  std::swap(batch, queue);
  const bool any = !batch.empty();
  while (runnable* work = batch.pop()) {
    work->run(*work);
    detail::assert_no_section();
  }
  return any;
}

}  // namespace

bool loop::run_ready() {
  deferred_.move_to(ready_);
  return run_all(ready_);
}

bool loop::run_timers() {
  bool any = false;
  // As many as there are now: one that is set again for a time that has passed waits its turn.
  for (std::size_t left = timers_.count(); left > 0; --left) {
    timer* due = timers_.pop_due(now_);
    if (!due) break;
    due->run(*due);
    detail::assert_no_section();
    any = true;
  }
  return any;
}

bool loop::run_end_of_turn() {
  bool any = false;
  for (std::uint32_t round = 0; round < end_of_turn_rounds_max && !end_of_turn_.empty(); ++round)
    any |= run_all(end_of_turn_);
  return any;
}

// One turn, between two looks at the transport. The order matters:
// - run_completions first: they free buffers and make the requests that everything below works on.
//   The wait only collected them, so that a handler never runs inside another one;
// - serve_mailboxes next: they carry answers that other cores' clients wait for, and work whose
//   completion frees a sender's queue;
// - run_ready: that mail, then what the last turn deferred (retries after a guard was taken,
//   yields), which so cannot starve new events and is never starved by them either;
// - run_timers after work: a connection whose bytes have just arrived is not timed out;
// - run_end_of_turn when all requests of the turn have been run: one log write and one send serve
//   all of them;
// - flush_overflow: the last moment to hand over what found a mailbox full, before this core may be
//   busy for a while;
// - run_slice last.
// wait_for_events() then submits what is queued and waits, if at all, in a single system call; only
// before a slice there is one more.
bool loop::serve() {
  bool busy = transport_ && transport_->run_completions();
  detail::assert_no_section();
  serve_mailboxes();
  busy |= run_ready();
  busy |= run_timers();
  busy |= run_end_of_turn();
  flush_overflow();
  return run_slice(busy);
}

// One slice of a long scan, and only one, so that the transport is looked at between two of them;
// an idle slice only in a turn that had nothing else to do, so that under load they cost nobody
// much, but one every idle_slice_gap_us all the same: what waits for them ends some day. The turn's
// answers go out before a slice: it takes longer than the system call that this may cost.
bool loop::run_slice(bool busy) {
  const bool idle_late = now_ - idle_turn_ >= std::chrono::microseconds(idle_slice_gap_us);
  const bool idle_may_run = (!busy || idle_late) && group_.idle_slices_->has_work();
  if (transport_ && (group_.slices_->has_work() || idle_may_run)) transport_->submit();
  bool ran = group_.slices_->run_one(core_index_);
  if ((!busy && !ran) || idle_late) {
    ran |= group_.idle_slices_->run_one(core_index_);
    idle_turn_ = now_;
  }
  return ran;
}

bool loop::has_work() const {
  return !deferred_.empty() || !end_of_turn_.empty() || has_overflow_ ||
         group_.slices_->has_work() || group_.idle_slices_->has_work();
}

bool loop::has_mail() const {
  for (std::uint32_t from = 0; from < core_count(); ++from)
    if (from != core_index_ && !group_.mail(from, core_index_).empty()) return true;
  return false;
}

bool loop::has_news() const {
  return has_mail() || group_.slices_->has_work() || group_.idle_slices_->has_work() ||
         group_.stopping();
}

void loop::wait_for_events(clock_time latest) {
  if (has_work()) {
    transport_->submit_and_wait(0);
  } else {
    asleep_.store(true, std::memory_order_seq_cst);
    const clock_time until = std::min(latest, timers_.next_due().value_or(clock_time::max()));
    std::optional<std::int64_t> wait_ns;
    if (has_news()) {
      wait_ns = 0;
    } else if (until != clock_time::max()) {
      // Not from now_: a turn may have taken longer than a timer has left.
      const auto left = until - std::chrono::steady_clock::now();
      wait_ns = std::max<std::int64_t>(
          0, std::chrono::duration_cast<std::chrono::nanoseconds>(left).count());
    }
    transport_->submit_and_wait(wait_ns);
    asleep_.store(false, std::memory_order_relaxed);
  }
  now_ = std::chrono::steady_clock::now();
}

loop_group::loop_group(std::uint32_t core_count, transport_kind kind)
    : kind_(kind),
      mailboxes_(std::make_unique<mailbox[]>(std::size_t{core_count} * core_count)),
      slices_(std::make_unique<slice_board>(core_count)),
      idle_slices_(std::make_unique<slice_board>(core_count)) {
  for (std::uint32_t core = 0; core < core_count; ++core) {
    loops_.push_back(std::unique_ptr<loop>(new loop(*this, core)));
    loops_.back()->overflow_.resize(core_count);
  }
}

loop_group::~loop_group() = default;

result<std::unique_ptr<loop_group>> loop_group::create(std::uint32_t core_count,
                                                       transport_kind kind) {
  VEXFS_ASSERT(core_count > 0 && core_count <= core_count_max);
  auto group = std::unique_ptr<loop_group>(new loop_group(core_count, kind));
  for (const auto& core : group->loops_)
    if (core->event_ < 0)
      return fail(errc::service,
                  std::string("eventfd: ") + std::strerror(EMFILE) + ": raise 'ulimit -n'");
  return group;
}

result<void> loop_group::live(loop& core, const processor_place& where,
                              result<void> (*start)(loop&, void*), void* context) {
  ::pthread_setname_np(::pthread_self(),
                       std::string("core-").append(std::to_string(core.core_index_)).c_str());
  core.make_current();
  core.now_ = std::chrono::steady_clock::now();
  VEXFS_TRY(core.transport_, open_transport(kind_));
  // After the transport, whose threads for files begin where this one may run.
  processor_use processors(where);
  core.transport_->read_event(core.event_, core.event_counter_, core.event_read_);
  VEXFS_CHECK(start(core, context));
  while (!stopping()) {
    const bool ran_slice = core.serve();
    processors.end_turn(core.now_, ran_slice, !core.deferred_.empty() || core.has_mail());
    core.wait_for_events(processors.next_look());
  }
  return {};
}

result<void> loop_group::run(result<void> (*start)(loop&, void* context), void* context) {
  std::mutex outcome_lock;
  result<void> outcome;  // the first failure
  const auto end = [&](result<void> ended) {
    if (ended) return;
    stop();
    const std::lock_guard lock(outcome_lock);
    if (outcome) outcome = std::move(ended);
  };

  const auto places = processor_places(core_count());
  std::vector<std::thread> threads;
  for (const auto& core : loops_) {
    const processor_place& where = places[core->core_index_];
    try {
      threads.emplace_back([this, &end, &core, &where, start, context] {
        end(live(*core, where, start, context));
        loop::leave_current();
      });
    } catch (const std::system_error& refused) {
      end(fail(errc::service, std::string("cannot start a thread: ") + refused.what() +
                                  ": raise 'ulimit -u' or the container's pids limit"));
      break;
    }
  }
  for (std::thread& thread : threads)
    thread.join();
  return outcome;
}

void loop_group::stop() noexcept {
  stopping_.store(true, std::memory_order_seq_cst);
  for (const auto& core : loops_)
    write_event(core->event_);
}

void loop_group::ask_to_stop() noexcept {
  stop_asked_.store(true, std::memory_order_release);
  write_event(loops_.front()->event_);
}

void loop_group::wake_idle(std::uint32_t cores_max) {
  for (const auto& core : loops_) {
    if (cores_max == 0) return;
    if (core->wake()) --cores_max;
  }
}

}  // namespace vexfs::io
