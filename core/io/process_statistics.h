// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace vexfs::io {

/// What the system says of this process; 0 where it does not say.
struct process_statistics {
  std::uint64_t resident_bytes = 0;
  std::uint64_t heap_bytes = 0;       // taken from the system by the heap
  std::uint64_t heap_used_bytes = 0;  // of these, in use
  std::uint64_t thread_count = 0;
  std::uint64_t mapping_count = 0, mapping_count_max = 0;
  std::uint64_t open_file_count = 0, open_file_count_max = 0;
  std::uint64_t minor_fault_count = 0, major_fault_count = 0;
};

/// Reads small files of /proc: some tens of microseconds.
[[nodiscard]] process_statistics read_process_statistics();

}  // namespace vexfs::io
