// SPDX-License-Identifier: Apache-2.0
#include "core/io/task.h"

#include <array>
#include <bit>
#include <new>

namespace vexfs::io {
namespace {

// Size classes are powers of two from 64 bytes on; a freed frame holds the link to the next one.
// The lists never shrink: they are bounded by the frames that were alive at the same time, and
// those by the connections and queues that start them.
constexpr std::size_t smallest_bytes = 64;
constexpr std::size_t class_count = 8;  // up to 8 KiB; larger frames go to the heap

#if defined(__SANITIZE_ADDRESS__)
// A frame that is used again at once would hide its own use after the end.
constexpr bool keeps_frames = false;
#else
constexpr bool keeps_frames = true;
#endif

struct free_frame_link {
  free_frame_link* next;
};

struct frame_lists {
  std::array<free_frame_link*, class_count> heads{};
  ~frame_lists() {
    // Emptied, since objects that die after this thread's own may still come back here.
    for (free_frame_link*& head : heads)
      while (head)
        ::operator delete(std::exchange(head, head->next));
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
  if (!keeps_frames || size_class >= class_count) return ::operator new(bytes);
  free_frame_link*& head = lists.heads[size_class];
  if (head) return std::exchange(head, head->next);
  return ::operator new(smallest_bytes << size_class);
}

void free_frame(void* frame, std::size_t bytes) noexcept {
  const std::size_t size_class = class_of(bytes);
  if (!keeps_frames || size_class >= class_count) {
    ::operator delete(frame);
    return;
  }
  lists.heads[size_class] = new (frame) free_frame_link{lists.heads[size_class]};
}

}  // namespace vexfs::io
