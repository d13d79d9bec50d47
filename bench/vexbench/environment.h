// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace vexfs::bench {

/// What the figures were taken on: facts by name, "cannot tell" where the system does not say.
[[nodiscard]] std::map<std::string, std::string> describe_environment();

[[nodiscard]] std::uint32_t processor_count();

inline constexpr const char* cannot_tell = "cannot tell";

/// How much of a processor's time somebody else took. A fixed piece of work is timed again and
/// again while nothing of ours runs: every gap is another process, an interrupt or the hypervisor.
struct noise_probe {
  double lost_share = 0;  // of the time, beyond what the same work takes undisturbed
  double worst_gap_ms = 0;
  double slowdown_p99 = 1;  // the 99th percentile of a piece, over the fastest
};
/// Takes about `milliseconds`, on every processor this process may use, at the same time.
[[nodiscard]] noise_probe probe_noise(std::uint32_t milliseconds);

/// Processor time of the whole machine since it started, in seconds.
struct machine_time {
  double busy = 0;
  double stolen = 0;  // by the hypervisor
  double total = 0;   // over all processors
};
[[nodiscard]] std::optional<machine_time> read_machine_time();

/// From which share on figures mean little; what is lost is lost to every figure.
inline constexpr double noisy_share = 0.05;

}  // namespace vexfs::bench
