// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vexfs::bench {

struct run_report;
struct scenario;
struct table_row;
struct step_report;
struct operation_report;

/// The values a table's row can ask for.
[[nodiscard]] bool is_table_value(std::string_view name);
[[nodiscard]] std::string table_values();

struct table_cell {
  std::optional<double> value{};
  std::string conditions;  // of the step it was taken from
  std::optional<double> recall{};
  std::optional<bool> reached{};  // nothing: nothing was wanted, or it cannot be told
};

/// The row's value in a run; nothing where the step did not get so far or has too few answers.
[[nodiscard]] table_cell measured(const table_row& row, const run_report& run);

}  // namespace vexfs::bench
