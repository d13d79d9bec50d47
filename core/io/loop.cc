// SPDX-License-Identifier: Apache-2.0
#include "core/io/loop.h"

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>

#include "core/base/assert.h"
#include "core/io/slices.h"

namespace vexfs::io {
namespace {

thread_local loop* current_loop = nullptr;

}  // namespace

loop::loop(loop_group& group, std::uint32_t core_index) : group_(group), core_index_(core_index) {
  event_ = eventfd(0, EFD_CLOEXEC);
  event_read_.owner = this;
  event_read_.done = [](completion& done, int, std::uint32_t, bool) {
    loop& self = *static_cast<event_completion&>(done).owner;
    self.ring_->read_event(self.event_, self.event_counter_, self.event_read_);
  };
}

loop::~loop() {
  ring_.reset();
  if (event_ >= 0) ::close(event_);
}

loop& loop::current() {
  VEXFS_ASSERT(current_loop != nullptr);
  return *current_loop;
}

loop* loop::current_or_null() { return current_loop; }

std::uint32_t loop::core_count() const { return group_.core_count(); }

std::int64_t loop::wall_time_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
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
  has_overflow_ = false;
  for (std::uint32_t core = 0; core < overflow_.size(); ++core) {
    run_queue& waiting = overflow_[core];
    if (waiting.empty()) continue;
    run_queue kept;
    bool full = false;
    while (runnable* message = waiting.pop()) {
      if (!full && group_.mail(core_index_, core).push(*message)) continue;
      full = true;
      kept.push(*message);
    }
    kept.move_to(waiting);
    has_overflow_ = has_overflow_ || !waiting.empty();
    group_.loops_[core]->wake();
  }
}

void loop::wake() {
  // Pairs with the fence in turn(): either this load sees that the core sleeps, or the core's last
  // look at its mailboxes sees the message that was pushed before.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!asleep_.load(std::memory_order_relaxed)) return;
  if (!asleep_.exchange(false, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_, &one, sizeof(one));
}

void loop::serve_mailboxes() {
  for (std::uint32_t from = 0; from < core_count(); ++from)
    if (from != core_index_) group_.mail(from, core_index_).drain(ready_);
}

void loop::run_all(run_queue& queue) {
  // Only what is queued now: work that queues itself again waits for the next turn.
  run_queue batch;
  std::swap(batch, queue);
  while (runnable* work = batch.pop()) work->run(*work);
}

// One turn. The order matters:
// - ring_->turn submits what the last turn prepared and reaps, in one system call; its handlers come
//   first because they free buffers and make the requests that everything below works on;
// - mailboxes next: they carry answers that other cores' clients wait for, and work whose completion
//   frees a sender's queue;
// - then what was deferred by the last turn (retries after a guard was taken, yields), so that it
//   cannot starve new events but is never starved by them either;
// - timers after work: a connection whose bytes have just arrived is not timed out;
// - the end-of-turn list when all requests of the turn have been run: one log write and one send
//   serve all of them;
// - a slice of a long scan last and only one, so that the ring is looked at between two of them.
void loop::turn() {
  now_ = std::chrono::steady_clock::now();
  serve_mailboxes();
  deferred_.move_to(ready_);
  timers_.expire(now_, ready_);
  run_all(ready_);
  run_all(end_of_turn_);
  if (has_overflow_) flush_overflow();
  const bool sliced = group_.slices_->run_one(core_index_);

  const bool runnable_now = sliced || !deferred_.empty() || !end_of_turn_.empty() ||
                            !ready_.empty() || has_overflow_;
  if (runnable_now) {
    ring_->turn(0);
    return;
  }
  asleep_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  bool work_came = group_.stopping() || group_.slices_->has_work();
  for (std::uint32_t from = 0; from < core_count() && !work_came; ++from)
    work_came = from != core_index_ && !group_.mail(from, core_index_).empty();
  std::optional<std::int64_t> wait_ns;
  if (work_came) {
    wait_ns = 0;
  } else if (const auto due = timers_.next_due()) {
    wait_ns = std::max<std::int64_t>(
        0, std::chrono::duration_cast<std::chrono::nanoseconds>(*due - now_).count());
  }
  ring_->turn(wait_ns);
  asleep_.store(false, std::memory_order_relaxed);
}

loop_group::loop_group() : slices_(std::make_unique<slice_board>()) {}
loop_group::~loop_group() = default;

result<std::unique_ptr<loop_group>> loop_group::create(std::uint32_t core_count) {
  VEXFS_ASSERT(core_count > 0 && core_count <= core_count_max);
  auto group = std::unique_ptr<loop_group>(new loop_group);
  for (std::uint32_t core = 0; core < core_count; ++core) {
    group->loops_.push_back(std::unique_ptr<loop>(new loop(*group, core)));
    if (group->loops_.back()->event_ < 0)
      return fail(errc::service, std::string("eventfd: ") + std::strerror(errno));
    group->loops_.back()->overflow_.resize(core_count);
  }
  group->mailboxes_ = std::make_unique<mailbox[]>(std::size_t{core_count} * core_count);
  return group;
}

result<void> loop_group::run(result<void> (*start)(loop&, void* context), void* context) {
  std::mutex outcome_lock;
  result<void> outcome;
  cpu_set_t allowed;
  const bool pin = sched_getaffinity(0, sizeof(allowed), &allowed) == 0 &&
                   static_cast<std::uint32_t>(CPU_COUNT(&allowed)) >= core_count();
  const auto live = [&](loop& core, int cpu) {
    if (cpu >= 0) {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cpu, &one);
      pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
    }
    current_loop = &core;
    auto opened = ring::open();
    result<void> started;
    if (opened) {
      core.ring_ = std::move(*opened);
      core.ring_->read_event(core.event_, core.event_counter_, core.event_read_);
      started = start(core, context);
    } else {
      started = std::unexpected(std::move(opened).error());
    }
    if (!started) {
      const std::lock_guard lock(outcome_lock);
      outcome = std::move(started);
      stop();
    }
    while (core.ring_ && !stopping()) core.turn();
    current_loop = nullptr;
  };

  std::vector<std::thread> threads;
  int cpu = -1;
  for (auto& core : loops_) {
    if (pin) {
      do ++cpu;
      while (!CPU_ISSET(cpu, &allowed));
    }
    threads.emplace_back(live, std::ref(*core), cpu);
  }
  for (std::thread& thread : threads) thread.join();
  return outcome;
}

void loop_group::stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  for (const auto& core : loops_) {
    core->asleep_.store(false, std::memory_order_relaxed);
    [[maybe_unused]] const auto written = ::write(core->event_, &one, sizeof(one));
  }
}

void loop_group::wake_idle() {
  for (const auto& core : loops_) core->wake();
}

}  // namespace vexfs::io
