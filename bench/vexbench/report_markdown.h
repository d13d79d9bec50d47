// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "bench/vexbench/report.h"

namespace vexfs::bench {

/// The result for people: the scenario's table first, if it has one, then every step, then what the
/// figures were taken on.
[[nodiscard]] std::string print_markdown(const scenario& plan, const run_report& run);

}  // namespace vexfs::bench
