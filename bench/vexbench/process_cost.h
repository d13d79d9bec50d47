// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bench/vexbench/target.h"

namespace vexfs::bench {

/// What a process and its descendants have used so far, from /proc. A counter that cannot be read
/// is not there: never zero.
struct process_cost {
  std::optional<double> cpu_seconds{};
  std::optional<std::uint64_t> context_switches{};  // voluntary and not
  std::optional<std::uint64_t> resident_bytes{};    // now
  std::optional<std::uint64_t> resident_bytes_peak{};
  std::optional<std::uint64_t> read_bytes{};  // from and to the medium
  std::optional<std::uint64_t> written_bytes{};
  std::optional<std::uint64_t> storage_bytes{};  // of the storage folder, where it is known
  std::uint32_t processes = 0;
  std::uint32_t threads = 0;
};

[[nodiscard]] process_cost cost_of(pid_t root, const std::string& storage_folder);
/// What was used between the two; what is a level and not a sum is taken from `after`.
[[nodiscard]] process_cost difference(const process_cost& before, const process_cost& after);

/// For the reader to see whether it is the one he means: containers are often behind another's
/// port.
[[nodiscard]] std::string name_of_process(pid_t pid);

/// The process that listens on a loopback target, if /proc lets us see it.
[[nodiscard]] std::optional<pid_t> find_listener(const target& server);

}  // namespace vexfs::bench
