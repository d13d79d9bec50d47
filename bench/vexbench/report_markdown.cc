// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/report_markdown.h"

#include <cmath>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "bench/vexbench/table.h"

namespace vexfs::bench {
namespace {

// 1234567.8 as 1,234,568; small numbers with three digits that mean something.
std::string readable(double value) {
  if (std::abs(value) < 100) return fmt::format("{:.3g}", value);
  std::string digits = fmt::format("{:.0f}", value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3;
       at > (digits.front() == '-' ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string milliseconds(const histogram& of, double quantile) {
  const auto known = of.value_if_known(quantile);
  return known ? readable(static_cast<double>(*known) / 1e6) : "-";
}

std::string bytes(const std::optional<std::uint64_t>& of) {
  return of ? fmt::format("{} MB", readable(static_cast<double>(*of) / 1e6)) : cannot_tell;
}

void print_table(const scenario& plan, const run_report& run, std::string& out) {
  out += fmt::format(
      "## {}\n\n| | measured | wanted | published | recall | sent |\n|---|---|---|---|---|---|\n",
      plan.table_title.empty() ? "Table" : plan.table_title);
  for (const table_row& row : plan.table) {
    const table_cell cell = measured(row, run);
    std::string wanted;
    if (row.at_least) wanted = ">= " + readable(*row.at_least);
    if (row.at_most) wanted += (wanted.empty() ? "<= " : ", <= ") + readable(*row.at_most);
    if (cell.reached) wanted += *cell.reached ? ": yes" : ": **no**";
    out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", row.what,
                       cell.value ? readable(*cell.value) : cannot_tell, wanted, row.published,
                       cell.recall ? fmt::format("{:.4f}", *cell.recall) : "", cell.conditions);
  }
  out += "\n";
}

void print_step(const step_report& of, std::string& out) {
  out += fmt::format("### {}\n\n", of.name);
  if (!of.operations.empty()) {
    out +=
        "| operation | sent | requests/s | units/s | p50 ms | p99 ms | p99.9 ms | max ms | recall "
        "|\n"
        "|---|---|---|---|---|---|---|---|---|\n";
    for (const operation_report& each : of.operations) {
      const histogram& latency = each.counts.latency;
      // A closed loop's times are in brackets: they are not what a user would have waited.
      const bool is_closed = !each.rate_planned;
      const auto time = [&](const std::string& text) {
        return is_closed && text != "-" ? "(" + text + ")" : text;
      };
      out +=
          fmt::format("| {} | {} | {} | {} {} | {} | {} | {} | {} | {} |\n", each.name, each.sent,
                      readable(each.requests_per_second()), readable(each.units_per_second()),
                      each.units, time(milliseconds(latency, 0.5)),
                      time(milliseconds(latency, 0.99)), time(milliseconds(latency, 0.999)),
                      time(readable(static_cast<double>(latency.max()) / 1e6)),
                      each.recall ? fmt::format("{:.4f}@{}", each.recall->mean, each.recall->k)
                                  : each.recall_note);
    }
    out += "\n";
    for (const operation_report& each : of.operations) {
      const tally& counts = each.counts;
      if (counts.error_statuses + counts.lost + counts.unanswered + counts.unsent > 0)
        out += fmt::format(
            "- **{}**: {} error statuses, {} lost, {} unanswered, {} planned and never "
            "sent. {}\n",
            each.name, counts.error_statuses, counts.lost, counts.unanswered, counts.unsent,
            counts.first_error);
    }
  }
  for (const solved_point& each : of.solved)
    out += each.ef ? fmt::format("- recall {:.2f}: reached with hnsw_ef {} ({:.4f})\n", each.target,
                                 *each.ef, each.recall)
                   : fmt::format("- recall {:.2f}: not reached (best {:.4f})\n", each.target,
                                 each.recall);
  for (const auto& [name, value] : of.facts)
    out += fmt::format("- {}: {}\n", name, value);
  std::uint64_t answered = 0;
  for (const operation_report& each : of.operations)
    answered += each.counts.answered;
  if (answered > 0) {
    out += "- server: ";
    if (of.cost)
      out += fmt::format(
          "{} s of CPU ({} us a request), {} context switches, {} resident, {} written to disk",
          of.cost->cpu_seconds ? readable(*of.cost->cpu_seconds) : cannot_tell,
          of.cost->cpu_seconds
              ? readable(*of.cost->cpu_seconds * 1e6 / static_cast<double>(answered))
              : cannot_tell,
          of.cost->context_switches ? readable(static_cast<double>(*of.cost->context_switches))
                                    : cannot_tell,
          bytes(of.cost->resident_bytes), bytes(of.cost->written_bytes));
    else
      out += cannot_tell;
    out += fmt::format("; generator: {} s of CPU, waited {} s for a processor\n",
                       readable(of.generator_cpu_seconds),
                       of.generator_waited_seconds ? readable(*of.generator_waited_seconds)
                                                   : std::string(cannot_tell));
    if (of.pacing.total() > 0)
      out += fmt::format("- pacing error: p50 {} ms, p99 {} ms\n", milliseconds(of.pacing, 0.5),
                         milliseconds(of.pacing, 0.99));
  }
  out += "\n";
}

}  // namespace

std::string print_markdown(const scenario& plan, const run_report& run) {
  std::string out = fmt::format("# {}\n\n", plan.name);
  out += fmt::format("{:%Y-%m-%d %H:%M} UTC, {}, seed {}.\n",
                     fmt::gmtime(static_cast<std::time_t>(run.started_at)), run.target_description,
                     plan.seed);
  if (!run.data_description.empty()) out += fmt::format("Data: {}.\n", run.data_description);
  out += "\n";
  const std::string noise = run.noise_verdict();
  if (!noise.empty())
    out +=
        fmt::format("**The machine was too noisy for these figures to mean much:** {}.\n\n", noise);
  if (run.interrupted) out += "**Interrupted**: what follows was measured until then.\n\n";
  if (run.ended_by && !run.interrupted)
    out += fmt::format("**Ended early:** {}\n\n", run.ended_by->text);
  if (!plan.table.empty()) print_table(plan, run, out);
  out += "## Steps\n\n";
  for (const step_report& each : run.steps)
    if (!each.operations.empty() || !each.facts.empty()) print_step(each, out);
  out +=
      "Times count from the planned moment of sending (open loop). In brackets: from the sending "
      "itself, in a closed loop, which hides stalls. `-`: fewer than ten answers lie beyond.\n\n";
  out += "## Machine\n\n";
  for (const auto& [name, value] : run.environment)
    out += fmt::format("- {}: {}\n", name, value);
  out += fmt::format("- noise: {:.1f} % lost before, {:.1f} % after; worst gap {:.1f} ms\n",
                     run.noise_before.lost_share * 100, run.noise_after.lost_share * 100,
                     std::max(run.noise_before.worst_gap_ms, run.noise_after.worst_gap_ms));
  out += fmt::format("- server's cost: {}\n",
                     run.server_process.empty() ? cannot_tell : "of " + run.server_process);
  out += fmt::format("- generator threads: {}\n", run.threads);
  if (!run.truth_source.empty()) out += fmt::format("- truth: {}\n", run.truth_source);
  return out;
}

}  // namespace vexfs::bench
