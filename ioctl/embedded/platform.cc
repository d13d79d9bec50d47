// SPDX-License-Identifier: Apache-2.0
// The engine's platform in user space: memory.
#include <cstdlib>
#include <cstring>

#include "core/io/huge_pages.h"

extern "C" {
#include "kernel/engine/platform.h"

namespace {
// From here on whole mappings: zeroed by the system, touched only where used.
constexpr size_t mapped_bytes_min = 64 * 1024;
}  // namespace

void* vexfs_alloc(size_t bytes) {
  if (bytes >= mapped_bytes_min) return vexfs::io::take_untouched(bytes);
  void* memory = std::aligned_alloc(64, (bytes + 63) & ~size_t{63});
  if (memory) std::memset(memory, 0, bytes);
  return memory;
}

void* vexfs_alloc_huge(size_t bytes) {
  void* const memory = bytes >= mapped_bytes_min ? vexfs::io::take_huge(bytes) : nullptr;
  // Huge pages come in regions; where there are no addresses for one, small pages do.
  return memory ? memory : vexfs_alloc(bytes);
}

void vexfs_free(void* memory, size_t bytes) {
  if (bytes < mapped_bytes_min)
    std::free(memory);
  else if (!vexfs::io::give_back_huge(memory, bytes))
    vexfs::io::give_back_untouched(memory, bytes);
}
}
