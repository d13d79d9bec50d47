// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/io/mailbox.h"
#include "core/io/task.h"
#include "core/io/timers.h"
#include "core/io/transport.h"

namespace vexfs::io {

class loop_group;
class slice_board;
struct processor_place;

/// One core: its transport, run queue, timers and mailboxes. Every member is called on that core's
/// own thread unless it says otherwise. The order of a turn, and why, is written in loop.cc.
class loop {
 public:
  ~loop();

  /// The loop that runs on this thread; asserts that there is one.
  [[nodiscard]] static loop& current();
  /// The same, or nullptr on a thread without one.
  [[nodiscard]] static loop* current_or_null();

  [[nodiscard]] std::uint32_t core_index() const { return core_index_; }
  [[nodiscard]] std::uint32_t core_count() const;
  /// Not there in simulated_cores.
  [[nodiscard]] io::transport& transport() {
    VEXFS_DASSERT(transport_ != nullptr);
    return *transport_;
  }
  [[nodiscard]] bool has_transport() const { return transport_ != nullptr; }
  [[nodiscard]] loop_group& group() { return group_; }

  /// Time as of the beginning of this turn, after the wait for its events.
  [[nodiscard]] clock_time now() const { return now_; }
  /// Wall clock in microseconds since 1970.
  [[nodiscard]] std::int64_t wall_time_us() const;

  /// Queues work for the next turn of this core.
  void defer(runnable& work) { deferred_.push(work); }
  /// Queues work for the end of this turn, after everything that the turn's events caused: where
  /// one write or one send serves all of them. Work queued meanwhile still belongs to this turn.
  void at_end_of_turn(runnable& work) { end_of_turn_.push(work); }
  /// Queues work on another core, or this one. The message stays alive until it has run. Messages
  /// of one core to another run in the order of their posts.
  void post(std::uint32_t core, runnable& message);

  void set_timer(timer& entry, clock_time due) { timers_.set(entry, due); }
  void cancel_timer(timer& entry) { timers_.cancel(entry); }

  /// Continues in this core's next turn, after completions and mailboxes were served.
  [[nodiscard]] auto yield();
  /// Continues at or after the given time.
  [[nodiscard]] auto sleep_until(clock_time when);

 private:
  friend class loop_group;
  friend class simulated_cores;
  loop(loop_group& group, std::uint32_t core_index);
  void make_current();
  static void leave_current();

  // Each false where there was nothing to run; serve(), where no slice was.
  bool serve();
  void serve_mailboxes();
  bool run_ready();
  bool run_timers();
  bool run_end_of_turn();
  bool run_slice(bool busy);
  void flush_overflow();
  [[nodiscard]] bool has_work() const;
  [[nodiscard]] bool has_mail() const;
  [[nodiscard]] bool has_news() const;
  void wait_for_events(clock_time latest);
  bool wake();

  loop_group& group_;
  const std::uint32_t core_index_;
  std::unique_ptr<io::transport> transport_;
  clock_time now_{};
  clock_time idle_turn_{};  // the last one in which an idle slice could run
  run_queue ready_;
  run_queue deferred_;
  run_queue end_of_turn_;
  timer_heap timers_;
  std::vector<run_queue> overflow_;  // per target core: what did not fit into its mailbox
  bool has_overflow_ = false;

  // A core about to sleep sets this; whoever gives it work afterwards clears it and writes the
  // event. Everybody else reads it, so it has a line of its own.
  alignas(64) std::atomic<bool> asleep_{false};
  int event_ = -1;
  std::uint64_t event_counter_ = 0;
  struct event_completion : completion {
    loop* owner = nullptr;
  } event_read_;
};

/// All cores of a process.
class loop_group {
 public:
  [[nodiscard]] static result<std::unique_ptr<loop_group>> create(
      std::uint32_t core_count, transport_kind kind = transport_kind::uring);
  ~loop_group();

  [[nodiscard]] std::uint32_t core_count() const {
    return static_cast<std::uint32_t>(loops_.size());
  }

  /// Runs a thread a core until stop(), on a processor of its own where some are left for others,
  /// and else while slices keep it busy. `start` is run on every core first; an error of one core
  /// stops all, and is returned.
  [[nodiscard]] result<void> run(result<void> (*start)(loop&, void* context), void* context);

  /// Ends run() as soon as every core has finished its turn; what is still suspended never goes on.
  /// From any thread, and from a signal handler.
  void stop() noexcept;
  [[nodiscard]] bool stopping() const { return stopping_.load(std::memory_order_acquire); }

  /// The polite way: has `work` run on core 0, once, when ask_to_stop() is called, so that it can
  /// drain what is going on and call stop(). Set before run().
  void when_asked_to_stop(runnable& work) { on_stop_ = &work; }
  /// From any thread, and from a signal handler.
  void ask_to_stop() noexcept;

  /// Where cores find slices of others: of what somebody waits for, and of what is only done in
  /// turns that had nothing else to do.
  [[nodiscard]] slice_board& slices() { return *slices_; }
  [[nodiscard]] slice_board& idle_slices() { return *idle_slices_; }
  /// Wakes cores that sleep, so that they look at the slice boards.
  void wake_idle(std::uint32_t cores_max);

 private:
  friend class loop;
  friend class simulated_cores;
  explicit loop_group(std::uint32_t core_count, transport_kind kind = transport_kind::uring);
  result<void> live(loop& core, const processor_place& where, result<void> (*start)(loop&, void*),
                    void* context);
  mailbox& mail(std::uint32_t from, std::uint32_t to) {
    return mailboxes_[from * core_count() + to];
  }

  const transport_kind kind_;
  std::vector<std::unique_ptr<loop>> loops_;
  std::unique_ptr<mailbox[]> mailboxes_;
  std::unique_ptr<slice_board> slices_;
  std::unique_ptr<slice_board> idle_slices_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> stop_asked_{false};
  runnable* on_stop_ = nullptr;
  bool simulated_ = false;
};

/// Turns a coroutine's continuation into work of a loop.
struct resume_later : runnable {
  std::coroutine_handle<> waiting;
  resume_later() {
    run = [](runnable& self) { static_cast<resume_later&>(self).waiting.resume(); };
  }
};

inline auto loop::yield() {
  struct awaiter : resume_later {
    loop& here;
    explicit awaiter(loop& on) : here(on) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
      waiting = caller;
      here.defer(*this);
    }
    void await_resume() const noexcept {}
  };
  return awaiter(*this);
}

inline auto loop::sleep_until(clock_time when) {
  struct awaiter : timer {
    loop& here;
    clock_time when;
    std::coroutine_handle<> waiting;
    awaiter(loop& on, clock_time due_at) : here(on), when(due_at) {
      run = [](runnable& self) { static_cast<awaiter&>(self).waiting.resume(); };
    }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
      waiting = caller;
      here.set_timer(*this, when);
    }
    void await_resume() const noexcept {}
  };
  return awaiter(*this, when);
}

namespace detail {

/// What a call gives in the end: the value itself, or the value of the task returned.
template <class T>
struct final_value {
  using type = T;
  static constexpr bool is_task = false;
};
template <class T>
struct final_value<task<T>> {
  using type = T;
  static constexpr bool is_task = true;
};

template <class Work>
struct remote_call : runnable {
  using returned = std::invoke_result_t<Work&>;
  using value_type = typename final_value<returned>::type;

  // A call without a value still has an arrival.
  using kept_type = std::conditional_t<std::is_void_v<value_type>, std::monostate, value_type>;

  Work work;
  std::uint32_t target;
  std::uint32_t home = 0;
  std::coroutine_handle<> waiting;
  std::optional<kept_type> value;

  template <class Given>
  remote_call(std::uint32_t core, Given&& given) : work(std::forward<Given>(given)), target(core) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    waiting = caller;
    home = loop::current().core_index();
    run = [](runnable& self) { execute(static_cast<remote_call&>(self)); };
    loop::current().post(target, *this);
  }
  value_type await_resume() {
    if constexpr (!std::is_void_v<value_type>) return std::move(*value);
  }

  template <class Call>
  static void execute(Call& call) {
    if constexpr (final_value<returned>::is_task) {
      run_task(call);
    } else {
      if constexpr (std::is_void_v<value_type>)
        call.work();
      else
        call.value.emplace(call.work());
      answer(call);
    }
  }
  template <class Call>
  static detached run_task(Call& call) {
    {
      auto running = call.work();
      if constexpr (std::is_void_v<value_type>)
        co_await running;
      else
        call.value.emplace(co_await running);
    }
    // The task is gone before the answer: its frame belongs to this core, and `call` to nobody here
    // once it is posted.
    answer(call);
  }
  static void answer(remote_call& call) {
    call.run = [](runnable& self) { static_cast<remote_call&>(self).waiting.resume(); };
    loop::current().post(call.home, call);
  }
};

}  // namespace detail

/// Runs `work` on a core and continues here with what it returned: a value or nothing, or what the
/// task that it returned ends with. `work` is kept in the caller's frame until then. On this core
/// it runs in the next turn, so that a call never depends on where its target lives.
template <class Work>
[[nodiscard]] auto call_on(std::uint32_t core, Work&& work) {
  // GCC 12 destroys the captures of a lambda written inside a co_await expression twice. The
  // caller's frame outlives the call, so references are as good.
  static_assert(std::is_lvalue_reference_v<Work> || std::is_trivially_destructible_v<Work>,
                "capture by reference, or name the lambda before the co_await");
  return detail::remote_call<std::remove_cvref_t<Work>>(core, std::forward<Work>(work));
}

}  // namespace vexfs::io
