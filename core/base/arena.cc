// SPDX-License-Identifier: Apache-2.0
#include "core/base/arena.h"

#include <algorithm>
#include <cstdint>

#include "core/base/limits.h"

namespace vexfs {

void* arena::allocate(std::size_t bytes, std::size_t alignment) {
  for (;;) {
    if (block_index_ < blocks_.size()) {
      block& current = blocks_[block_index_];
      const auto base = reinterpret_cast<std::uintptr_t>(current.bytes.get());
      const std::size_t start = ((base + offset_ + alignment - 1) & ~(alignment - 1)) - base;
      if (start <= current.size && bytes <= current.size - start) {
        used_bytes_ += start + bytes - offset_;
        offset_ = start + bytes;
        return current.bytes.get() + start;
      }
      if (block_index_ + 1 < blocks_.size()) {
        ++block_index_;
        offset_ = 0;
        continue;
      }
    }
    grow(bytes + alignment);
  }
}

void arena::grow(std::size_t bytes) {
  const std::size_t last = blocks_.empty() ? arena_block_bytes_min / 2 : blocks_.back().size;
  const std::size_t size = std::max(bytes, std::min(last * 2, arena_block_bytes_max));
  blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
  block_index_ = blocks_.size() - 1;
  kept_bytes_ += size;
  offset_ = 0;
}

void arena::reset() noexcept {
  std::size_t kept = 0;
  std::size_t count = 0;
  while (count < blocks_.size() && kept + blocks_[count].size <= arena_kept_bytes_max)
    kept += blocks_[count++].size;
  blocks_.resize(count);
  block_index_ = 0;
  offset_ = 0;
  used_bytes_ = 0;
  kept_bytes_ = kept;
}

}  // namespace vexfs
