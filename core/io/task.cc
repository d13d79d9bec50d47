// SPDX-License-Identifier: Apache-2.0
#include "core/io/task.h"

#include <array>
#include <bit>
#include <new>

#include "core/base/limits.h"

namespace vexfs::io {
namespace {

// Size classes are powers of two from 64 bytes on; a freed frame holds the link to the next one.
constexpr std::size_t smallest_bytes = 64;
constexpr std::size_t class_count = 8;  // up to 8 KiB; larger frames go to the heap

struct free_frame_link {
  free_frame_link* next;
};

struct frame_lists {
  std::array<free_frame_link*, class_count> heads{};
  ~frame_lists() {
    for (free_frame_link* head : heads)
      while (head) ::operator delete(std::exchange(head, head->next));
  }
};

thread_local frame_lists lists;

std::size_t class_of(std::size_t bytes) {
  return bytes <= smallest_bytes
             ? 0
             : static_cast<std::size_t>(std::bit_width((bytes - 1) / smallest_bytes));
}

}  // namespace

void* allocate_frame(std::size_t bytes) {
  const std::size_t size_class = class_of(bytes);
  if (size_class >= class_count) return ::operator new(bytes);
  free_frame_link*& head = lists.heads[size_class];
  if (head) return std::exchange(head, head->next);
  return ::operator new(smallest_bytes << size_class);
}

void free_frame(void* frame, std::size_t bytes) noexcept {
  const std::size_t size_class = class_of(bytes);
  if (size_class >= class_count) {
    ::operator delete(frame);
    return;
  }
  auto* link = static_cast<free_frame_link*>(frame);
  link->next = std::exchange(lists.heads[size_class], link);
}

}  // namespace vexfs::io
