// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "bench/vexbench/report.h"

namespace vexfs::bench {

/// The whole result as one JSON document; README.md describes it. `schema` in it changes when a
/// reader would have to.
[[nodiscard]] std::string print_json(const scenario& plan, const run_report& run);

/// Every second's histogram of every operation, in HdrHistogram's log format.
[[nodiscard]] std::string print_histogram_log(const run_report& run);

}  // namespace vexfs::bench
