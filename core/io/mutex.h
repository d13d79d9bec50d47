// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>

#include "core/base/assert.h"
#include "core/io/loop.h"

namespace vexfs::io {

/// Keeps coroutines of one core out of each other's way across suspensions; first come, first
/// served. Not for threads.
class mutex {
 public:
  mutex() = default;
  mutex(const mutex&) = delete;
  ~mutex() { VEXFS_ASSERT(!locked_ && waiting_.empty()); }

  class [[nodiscard]] lock {
   public:
    explicit lock(mutex& held) : held_(&held) {}
    lock(lock&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
    lock& operator=(lock&&) = delete;
    ~lock() { unlock(); }
    void unlock() {
      if (mutex* held = std::exchange(held_, nullptr)) held->release();
    }

   private:
    mutex* held_;
  };

  /// co_await m.acquire() gives a lock.
  [[nodiscard]] auto acquire() {
    struct awaiter : resume_later {
      mutex& wanted;
      explicit awaiter(mutex& m) : wanted(m) {}
      bool await_ready() const {
        if (wanted.locked_) return false;
        wanted.locked_ = true;
        return true;
      }
      void await_suspend(std::coroutine_handle<> caller) {
        waiting = caller;
        wanted.waiting_.push(*this);
      }
      lock await_resume() const { return lock(wanted); }
    };
    return awaiter(*this);
  }

 private:
  // The lock passes straight to the next in line, so nobody can slip in between.
  void release() {
    if (runnable* next = waiting_.pop())
      loop::current().defer(*next);
    else
      locked_ = false;
  }

  bool locked_ = false;
  run_queue waiting_;
};

}  // namespace vexfs::io
