// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>

namespace vexfs::io {

/// Tells when nobody can still hold what was taken out of reach: readers enter with the current
/// epoch and leave; a thing retired at epoch e may be reused when every reader that entered at or
/// before e has left. Each core keeps its readers in the order they entered.
class epochs {
 public:
  explicit epochs(std::uint32_t core_count)
      : core_count_(core_count), oldest_(std::make_unique<core_line[]>(core_count)) {}

  /// A reader of one core; lives in the frame that reads. Enter and leave on that core.
  struct reader {
    std::uint64_t epoch = 0;
    reader* previous = nullptr;
    reader* next = nullptr;
  };

  void enter(std::uint32_t core, reader& entered) {
    core_line& line = oldest_[core];
    // Sequentially consistent with safe_before(): a writer that does not see this announcement has
    // taken its thing out of reach before this reader looks for it.
    if (!line.head)
      line.oldest.store(now_.load(std::memory_order_seq_cst), std::memory_order_seq_cst);
    entered.epoch = line.head ? now_.load(std::memory_order_seq_cst)
                              : line.oldest.load(std::memory_order_relaxed);
    entered.next = nullptr;
    entered.previous = line.tail;
    (line.tail ? line.tail->next : line.head) = &entered;
    line.tail = &entered;
  }

  void leave(std::uint32_t core, reader& left) {
    core_line& line = oldest_[core];
    (left.previous ? left.previous->next : line.head) = left.next;
    (left.next ? left.next->previous : line.tail) = left.previous;
    line.oldest.store(line.head ? line.head->epoch : nobody, std::memory_order_seq_cst);
  }

  /// The epoch to remember with what was just taken out of reach.
  [[nodiscard]] std::uint64_t retire() { return now_.fetch_add(1, std::memory_order_seq_cst); }

  /// Everything retired before this may be reused.
  [[nodiscard]] std::uint64_t safe_before() const {
    std::uint64_t safe = now_.load(std::memory_order_seq_cst);
    for (std::uint32_t core = 0; core < core_count_; ++core)
      safe = std::min(safe, oldest_[core].oldest.load(std::memory_order_seq_cst));
    return safe;
  }

 private:
  static constexpr std::uint64_t nobody = UINT64_MAX;
  struct alignas(64) core_line {
    std::atomic<std::uint64_t> oldest{nobody};
    reader* head = nullptr;
    reader* tail = nullptr;
  };
  const std::uint32_t core_count_;
  const std::unique_ptr<core_line[]> oldest_;
  alignas(64) std::atomic<std::uint64_t> now_{1};
};

}  // namespace vexfs::io
