// SPDX-License-Identifier: Apache-2.0
// Counts what reaches the general heap, by replacing operator new: for programs of their own that
// include this in one file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace vexfs {

/// Of all threads, so far.
inline std::atomic<std::size_t> allocation_count{0};

}  // namespace vexfs

// Not inlined: GCC 12 takes the pair of malloc and delete for a mismatch otherwise.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  vexfs::allocation_count.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
