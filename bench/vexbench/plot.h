// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "bench/vexbench/report.h"

namespace vexfs::bench {

/// The course of a step that says when what began in it (`marks`): what was written a second, how
/// long searches took, and what they found, over time. An SVG picture.
[[nodiscard]] std::string plot_course(const std::string& title, const step_report& step);

}  // namespace vexfs::bench
