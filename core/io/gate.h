// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <cstdint>

#include "core/base/assert.h"
#include "core/io/loop.h"

namespace vexfs::io {

/// Counts the users of something on one core, so that its end can wait for them:
/// close it, wait for the last one, destroy.
class gate {
 public:
  gate() = default;
  gate(const gate&) = delete;
  ~gate() { VEXFS_ASSERT(users_ == 0); }

  [[nodiscard]] bool closed() const { return closed_; }
  /// Not after close(): who may come late looks at closed() first, or uses try_enter().
  void enter() {
    VEXFS_DASSERT(!closed_);
    ++users_;
  }
  [[nodiscard]] bool try_enter() {
    if (closed_) return false;
    ++users_;
    return true;
  }
  void leave() {
    VEXFS_ASSERT(users_ > 0);
    if (--users_ == 0 && drained_.waiting) loop::current().defer(drained_);
  }

  /// co_await once: continues when nobody is inside.
  [[nodiscard]] auto close() {
    closed_ = true;
    struct awaiter {
      gate& self;
      bool await_ready() const { return self.users_ == 0; }
      void await_suspend(std::coroutine_handle<> caller) { self.drained_.waiting = caller; }
      void await_resume() const {}
    };
    return awaiter{*this};
  }

 private:
  std::uint32_t users_ = 0;
  bool closed_ = false;
  resume_later drained_;
};

}  // namespace vexfs::io
