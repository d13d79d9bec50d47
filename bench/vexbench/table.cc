// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "bench/vexbench/report.h"

namespace vexfs::bench {
namespace {

using found = std::optional<double>;

found quantile_ms(const operation_report& of, double quantile) {
  const auto known = of.counts.latency.value_if_known(quantile);
  if (!known) return std::nullopt;
  return static_cast<double>(*known) / 1e6;
}

struct table_value {
  std::string_view name;
  found (*of)(const operation_report&);
};

constexpr std::array values{
    table_value{"requests_per_second",
                [](const operation_report& of) -> found { return of.requests_per_second(); }},
    table_value{"units_per_second",
                [](const operation_report& of) -> found { return of.units_per_second(); }},
    table_value{"p50_ms", [](const operation_report& of) { return quantile_ms(of, 0.5); }},
    table_value{"p99_ms", [](const operation_report& of) { return quantile_ms(of, 0.99); }},
    table_value{"p999_ms", [](const operation_report& of) { return quantile_ms(of, 0.999); }},
    table_value{"recall", [](const operation_report& of) -> found {
                  if (!of.recall) return std::nullopt;
                  return of.recall->mean;
                }}};

}  // namespace

bool is_table_value(std::string_view name) {
  return std::ranges::any_of(values, [&](const table_value& each) { return each.name == name; });
}

std::string table_values() {
  std::string all;
  for (const table_value& each : values)
    all.append(all.empty() ? "" : ", ").append(each.name);
  return all;
}

table_cell measured(const table_row& row, const run_report& run) {
  table_cell made;
  const auto step = std::ranges::find(run.steps, row.step, &step_report::name);
  if (step == run.steps.end() || step->operations.empty()) return made;
  auto operation = step->operations.begin();
  std::string name = row.operation;
  if (row.target) {
    const auto solved = std::ranges::find(step->solved, *row.target, &solved_point::target);
    if (solved == step->solved.end() || !solved->ef) return made;
    name = fmt::format("{}, ef {}", name, *solved->ef);
  }
  if (!name.empty()) operation = std::ranges::find(step->operations, name, &operation_report::name);
  if (operation == step->operations.end()) return made;
  made.conditions = operation->sent;
  if (operation->recall) made.recall = operation->recall->mean;
  if (operation->counts.answered == 0) return made;
  made.value = std::ranges::find(values, row.value, &table_value::name)->of(*operation);
  if (made.value && (row.at_least || row.at_most))
    made.reached = (!row.at_least || *made.value >= *row.at_least) &&
                   (!row.at_most || *made.value <= *row.at_most);
  return made;
}

}  // namespace vexfs::bench
