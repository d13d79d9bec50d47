// SPDX-License-Identifier: Apache-2.0
// The engine's memory, counted, and refused where a test says so. It defines vexfs_alloc() and its
// like, so that one source of a program includes it, and no other has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace vexfs::engine {

struct counted_memory {
  std::uint64_t asked = 0;              // so often
  std::uint64_t refused_first = ~0ULL;  // of what is asked for, counted from 0
  std::uint64_t refused_last = ~0ULL;   // from here on it is granted again
  std::size_t held_bytes = 0;

  [[nodiscard]] bool refuses() {
    const std::uint64_t number = asked++;
    return number >= refused_first && number < refused_last;
  }
};

inline counted_memory memory;

}  // namespace vexfs::engine

extern "C" {

void* vexfs_alloc(size_t bytes) {
  if (vexfs::engine::memory.refuses()) return nullptr;
  void* taken = std::aligned_alloc(64, (bytes + 63) & ~size_t{63});
  if (!taken) return nullptr;
  std::memset(taken, 0, bytes);
  vexfs::engine::memory.held_bytes += bytes;
  return taken;
}

void* vexfs_alloc_huge(size_t bytes) {
  return vexfs_alloc(bytes);
}

void vexfs_free(void* taken, size_t bytes) {
  vexfs::engine::memory.held_bytes -= bytes;
  std::free(taken);
}
}
