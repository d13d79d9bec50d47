// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "core/io/loop.h"

namespace vexfs::io {

/// Big-reader guard of data that one core writes and all cores read. A reader touches only its own
/// core's cache line. Nobody spins: who does not get in tries again in its core's next turn. A
/// guarded section holds no suspension point and lasts at most about 100 us.
class read_guard {
 public:
  explicit read_guard(std::uint32_t core_count)
      : core_count_(core_count), readers_(std::make_unique<reader_line[]>(core_count)) {}

  /// Not inside another read section of the same guard and core: its end would be the end of both.
  [[nodiscard]] bool try_read(std::uint32_t core) {
    std::atomic<bool>& reading = readers_[core].reading;
    VEXFS_DASSERT(!reading.load(std::memory_order_relaxed));
    reading.store(true, std::memory_order_seq_cst);
    if (!writing_.load(std::memory_order_seq_cst)) return true;
    reading.store(false, std::memory_order_release);
    return false;
  }
  void end_read(std::uint32_t core) {
    VEXFS_DASSERT(readers_[core].reading.load(std::memory_order_relaxed));
    readers_[core].reading.store(false, std::memory_order_release);
  }

  /// Keeps new readers out from the first call on; true once the last one has left.
  [[nodiscard]] bool try_write() {
    writing_.store(true, std::memory_order_seq_cst);
    for (std::uint32_t core = 0; core < core_count_; ++core)
      if (readers_[core].reading.load(std::memory_order_seq_cst)) return false;
    return true;
  }
  void end_write() { writing_.store(false, std::memory_order_release); }

 private:
  struct alignas(64) reader_line {
    std::atomic<bool> reading{false};
  };
  const std::uint32_t core_count_;
  const std::unique_ptr<reader_line[]> readers_;
  alignas(64) std::atomic<bool> writing_{false};
};

namespace detail {

#ifdef VEXFS_DEBUG_ASSERTS
// The loop asserts after every piece of work that it left no section open: a suspension inside a
// section is a suspension with the guard held.
inline thread_local std::int32_t open_sections = 0;
inline void count_sections(std::int32_t change) {
  open_sections += change;
}
inline void assert_no_section() {
  VEXFS_ASSERT(open_sections == 0);
}
#else
inline void count_sections(std::int32_t) {}
inline void assert_no_section() {}
#endif

}  // namespace detail

/// Inside: the data does not change.
class [[nodiscard]] read_section {
 public:
  read_section(read_guard& guard, std::uint32_t core) : guard_(&guard), core_(core) {
    detail::count_sections(1);
  }
  read_section(read_section&& other) noexcept
      : guard_(std::exchange(other.guard_, nullptr)), core_(other.core_) {}
  read_section& operator=(read_section&&) = delete;
  ~read_section() {
    if (!guard_) return;
    guard_->end_read(core_);
    detail::count_sections(-1);
  }

 private:
  read_guard* guard_;
  std::uint32_t core_;
};

/// Inside: nobody reads.
class [[nodiscard]] write_section {
 public:
  explicit write_section(read_guard& guard) : guard_(&guard) { detail::count_sections(1); }
  write_section(write_section&& other) noexcept : guard_(std::exchange(other.guard_, nullptr)) {}
  write_section& operator=(write_section&&) = delete;
  ~write_section() {
    if (!guard_) return;
    guard_->end_write();
    detail::count_sections(-1);
  }

 private:
  read_guard* guard_;
};

namespace detail {

template <class Section, bool (*Try)(read_guard&, std::uint32_t)>
struct enter_guard : runnable {
  read_guard& guard;
  loop& here = loop::current();
  std::coroutine_handle<> waiting;

  explicit enter_guard(read_guard& entered) : guard(entered) {
    run = [](runnable& self) { static_cast<enter_guard&>(self).again(); };
  }
  bool await_ready() { return Try(guard, here.core_index()); }
  void await_suspend(std::coroutine_handle<> caller) {
    waiting = caller;
    here.defer(*this);
  }
  void again() {
    if (await_ready())
      waiting.resume();
    else
      here.defer(*this);
  }
};

inline bool try_read(read_guard& guard, std::uint32_t core) {
  return guard.try_read(core);
}
inline bool try_write(read_guard& guard, std::uint32_t) {
  return guard.try_write();
}

}  // namespace detail

/// co_await read(guard): a read_section, as soon as no write is going on.
[[nodiscard]] inline auto read(read_guard& guard) {
  struct awaiter : detail::enter_guard<read_section, detail::try_read> {
    using enter_guard::enter_guard;
    read_section await_resume() { return {guard, here.core_index()}; }
  };
  return awaiter(guard);
}

/// co_await write(guard): a write_section, as soon as the last reader has left. Only on the owner
/// core, where sections of several writers cannot overlap since none of them suspends.
[[nodiscard]] inline auto write(read_guard& guard) {
  struct awaiter : detail::enter_guard<write_section, detail::try_write> {
    using enter_guard::enter_guard;
    write_section await_resume() { return write_section(guard); }
  };
  return awaiter(guard);
}

}  // namespace vexfs::io
