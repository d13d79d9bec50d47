// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "core/io/mailbox.h"

namespace vexfs::io {

using clock_time = std::chrono::steady_clock::time_point;

/// Work that is due at a time. Lives in its owner; cancelled or fired before the owner goes.
struct timer : runnable {
  clock_time due{};
  std::size_t heap_index = SIZE_MAX;  // SIZE_MAX: not set
  [[nodiscard]] bool is_set() const { return heap_index != SIZE_MAX; }
};

/// The timers of one core: a binary heap of pointers whose members know their place, so that
/// setting and cancelling cost O(log n) and no allocation beyond the heap's own growth.
class timer_heap {
 public:
  void set(timer& entry, clock_time due);
  void cancel(timer& entry);
  [[nodiscard]] std::optional<clock_time> next_due() const;
  [[nodiscard]] std::size_t count() const { return heap_.size(); }
  /// Takes the earliest timer out if it is due at `now`, else nullptr. One at a time, and run at
  /// once by the caller: what is run may cancel and destroy others that are due as well.
  [[nodiscard]] timer* pop_due(clock_time now);

 private:
  void place(std::size_t index, timer* entry);
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  std::vector<timer*> heap_;
};

}  // namespace vexfs::io
