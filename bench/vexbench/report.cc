// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/report.h"

#include <fmt/format.h>

namespace vexfs::bench {

std::string run_report::noise_verdict() const {
  std::string why;
  const auto add = [&](const std::string& reason) { why += (why.empty() ? "" : "; ") + reason; };
  if (noise_before.lost_share > noisy_share)
    add(fmt::format("the probe before the run lost {:.0f} % of its time",
                    noise_before.lost_share * 100));
  if (noise_after.lost_share > noisy_share)
    add(fmt::format("the probe after the run lost {:.0f} % of its time",
                    noise_after.lost_share * 100));
  // The worst step of each kind of disturbance.
  const step_report* crowded = nullptr;
  const step_report* stolen = nullptr;
  for (const step_report& each : steps) {
    // Where nothing was measured nothing was disturbed; and the machine's counters, which tick a
    // hundred times a second, say little about less than a second.
    if (each.operations.empty() || each.seconds < 1) continue;
    if (!crowded || each.others_cpu_share.value_or(0) > crowded->others_cpu_share.value_or(0))
      crowded = &each;
    if (!stolen || each.stolen_share.value_or(0) > stolen->stolen_share.value_or(0)) stolen = &each;
  }
  if (crowded && crowded->others_cpu_share.value_or(0) > noisy_share)
    add(fmt::format("others took up to {:.0f} % of the processors (in '{}')",
                    *crowded->others_cpu_share * 100, crowded->name));
  if (stolen && stolen->stolen_share.value_or(0) > noisy_share)
    add(fmt::format("the hypervisor took up to {:.0f} % (in '{}')", *stolen->stolen_share * 100,
                    stolen->name));
  return why;
}

}  // namespace vexfs::bench
