// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <utility>

#include "core/base/result.h"

namespace vexfs {

/// What went wrong first in work that several cores share.
class first_failure {
 public:
  /// From any core.
  void note(const result<void>& outcome) {
    if (!outcome && !failed_.exchange(true, std::memory_order_relaxed)) failure_ = outcome.error();
  }
  /// When all have ended, and that has been waited for.
  [[nodiscard]] result<void> outcome() const {
    if (failed_.load(std::memory_order_relaxed)) return std::unexpected(failure_);
    return {};
  }

 private:
  std::atomic<bool> failed_{false};
  error failure_{errc::service, ""};
};

}  // namespace vexfs
