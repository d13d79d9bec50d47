// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace vexfs::bench {

/// The samples of a Prometheus text, by name with labels as printed. Lines that are none are left.
[[nodiscard]] std::map<std::string, double> parse_metrics(std::string_view text);

/// The values that changed, and by how much; a series that was not there before counts from zero.
[[nodiscard]] std::map<std::string, double> changed_metrics(
    const std::map<std::string, double>& before, const std::map<std::string, double>& after);

}  // namespace vexfs::bench
