// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace vexfs::io {

/// Work that waits in a queue of a core: intrusive, lives in its owner (usually a coroutine frame),
/// in one queue at a time. Run at most once per queueing; after run() it may be gone.
struct runnable {
  void (*run)(runnable&) = nullptr;
  runnable* next = nullptr;
  bool queued = false;  // in a run_queue: pushing it again would lose what is behind it
};

/// First in, first out, through the links of its members.
class run_queue {
 public:
  [[nodiscard]] bool empty() const { return head_ == nullptr; }
  void push(runnable& work) {
    VEXFS_DASSERT(!work.queued);
    work.queued = true;
    work.next = nullptr;
    if (tail_)
      tail_->next = &work;
    else
      head_ = &work;
    tail_ = &work;
  }
  [[nodiscard]] runnable* pop() {
    runnable* work = head_;
    if (work) {
      work->queued = false;
      head_ = work->next;
      if (!head_) tail_ = nullptr;
    }
    return work;
  }
  /// Moves everything here to `other`, behind what is there.
  void move_to(run_queue& other) {
    if (!head_) return;
    (other.tail_ ? other.tail_->next : other.head_) = head_;
    other.tail_ = tail_;
    head_ = tail_ = nullptr;
  }

 private:
  runnable* head_ = nullptr;
  runnable* tail_ = nullptr;
};

/// Messages from one core to another: single producer, single consumer, bounded. The two sides'
/// counters live on separate cache lines with a line between them, so that the adjacent-line
/// prefetcher does not couple them.
class mailbox {
 public:
  /// Producer. False when full.
  [[nodiscard]] bool push(runnable& message) {
    const std::uint32_t tail = producer_.tail.load(std::memory_order_relaxed);
    if (tail - producer_.head_seen == mailbox_capacity) {
      producer_.head_seen = consumer_.head.load(std::memory_order_acquire);
      if (tail - producer_.head_seen == mailbox_capacity) return false;
    }
    slots_[tail % mailbox_capacity] = &message;
    // Not only release: the producer looks next whether the consumer sleeps (loop::wake), and the
    // two must not be seen in the other order.
    producer_.tail.store(tail + 1, std::memory_order_seq_cst);
    return true;
  }

  /// Consumer. Appends what is there to `queue`; true if anything was.
  bool drain(run_queue& queue) {
    const std::uint32_t tail = producer_.tail.load(std::memory_order_acquire);
    std::uint32_t head = consumer_.head.load(std::memory_order_relaxed);
    if (head == tail) return false;
    for (; head != tail; ++head)
      queue.push(*slots_[head % mailbox_capacity]);
    consumer_.head.store(head, std::memory_order_release);
    return true;
  }

  /// Consumer.
  [[nodiscard]] bool empty() const {
    return producer_.tail.load(std::memory_order_seq_cst) ==
           consumer_.head.load(std::memory_order_relaxed);
  }

 private:
  struct alignas(64) producer_side {
    std::atomic<std::uint32_t> tail{0};
    std::uint32_t head_seen = 0;
  };
  struct alignas(64) consumer_side {
    std::atomic<std::uint32_t> head{0};
  };

  producer_side producer_;
  std::array<runnable*, mailbox_capacity> slots_{};
  consumer_side consumer_;
};

}  // namespace vexfs::io
