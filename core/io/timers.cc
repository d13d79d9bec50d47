// SPDX-License-Identifier: Apache-2.0
#include "core/io/timers.h"

#include "core/base/assert.h"

namespace vexfs::io {

void timer_heap::place(std::size_t index, timer* entry) {
  heap_[index] = entry;
  entry->heap_index = index;
}

void timer_heap::sift_up(std::size_t index) {
  timer* entry = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->due <= entry->due) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, entry);
}

void timer_heap::sift_down(std::size_t index) {
  timer* entry = heap_[index];
  for (;;) {
    std::size_t child = index * 2 + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->due < heap_[child]->due) ++child;
    if (entry->due <= heap_[child]->due) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, entry);
}

void timer_heap::set(timer& entry, clock_time due) {
  cancel(entry);
  entry.due = due;
  heap_.push_back(&entry);
  entry.heap_index = heap_.size() - 1;
  sift_up(entry.heap_index);
}

void timer_heap::cancel(timer& entry) {
  if (!entry.is_set()) return;
  const std::size_t index = entry.heap_index;
  VEXFS_ASSERT(index < heap_.size() && heap_[index] == &entry);
  timer* last = heap_.back();
  heap_.pop_back();
  entry.heap_index = SIZE_MAX;
  if (last == &entry) return;
  place(index, last);
  sift_up(index);
  sift_down(last->heap_index);
}

std::optional<clock_time> timer_heap::next_due() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front()->due;
}

timer* timer_heap::pop_due(clock_time now) {
  if (heap_.empty() || heap_.front()->due > now) return nullptr;
  timer* entry = heap_.front();
  cancel(*entry);
  return entry;
}

}  // namespace vexfs::io
