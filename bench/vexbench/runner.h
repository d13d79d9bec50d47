// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "bench/vexbench/report.h"
#include "bench/vexbench/run_context.h"
#include "bench/vexbench/scenario.h"
#include "bench/vexbench/target.h"

namespace vexfs::bench {

/// Runs a scenario from its first step to its last, or until something ends it. The report has what
/// was measured in every case.
[[nodiscard]] run_report run_scenario(const scenario& plan, const target& server,
                                      const run_options& options,
                                      const std::atomic<bool>& interrupted, progress& shown);

}  // namespace vexfs::bench
