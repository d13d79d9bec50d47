// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/report_json.h"

#include <algorithm>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bench/vexbench/histogram_log.h"
#include "bench/vexbench/table.h"

namespace vexfs::bench {
namespace {

namespace json = boost::json;

constexpr int schema = 1;

// What could not be read is said in words: a zero would be a measurement.
template <class Number>
json::value known(const std::optional<Number>& number) {
  if (!number) return cannot_tell;
  return *number;
}

json::value per_operation(const std::optional<double>& sum, std::uint64_t operations) {
  if (!sum || operations == 0) return cannot_tell;
  return *sum / static_cast<double>(operations);
}

std::optional<double> as_double(const std::optional<std::uint64_t>& number) {
  if (!number) return std::nullopt;
  return static_cast<double>(*number);
}

json::object quantiles(const histogram& of) {
  json::object made;
  for (const auto& [name, quantile] : {std::pair{"p50", 0.5},
                                       {"p90", 0.9},
                                       {"p95", 0.95},
                                       {"p99", 0.99},
                                       {"p999", 0.999},
                                       {"p9999", 0.9999}})
    made[name] = known(of.value_if_known(quantile));
  made["max"] = of.max();
  made["min"] = of.min();
  made["mean"] = of.mean();
  return made;
}

// The workers' parts of each second together.
std::map<std::uint32_t, histogram> merged_seconds(const tally& of) {
  std::map<std::uint32_t, histogram> merged;
  for (const auto& [second, counts] : of.seconds)
    merged[second].add(counts);
  return merged;
}

json::object print(const operation_report& of) {
  json::object made;
  made["name"] = of.name;
  made["sent"] = of.sent;
  made["units"] = of.units;
  made["seconds"] = of.seconds;
  made["answered"] = of.counts.answered;
  made["requests_per_second"] = of.requests_per_second();
  made["units_per_second"] = of.units_per_second();
  if (of.rate_planned) made["planned_per_second"] = *of.rate_planned;
  made["error_statuses"] = of.counts.error_statuses;
  made["lost"] = of.counts.lost;
  made["unanswered"] = of.counts.unanswered;
  made["unsent"] = of.counts.unsent;
  if (!of.counts.first_error.empty()) made["first_error"] = of.counts.first_error;
  made["answer_bytes"] = of.counts.answer_bytes;
  made["latency_ns"] = quantiles(of.counts.latency);
  made["latency_from"] =
      of.rate_planned ? "planned time" : "sending, in a closed loop: hides stalls";
  if (of.recall) {
    made["recall"] = json::object{{"k", of.recall->k},
                                  {"mean", of.recall->mean},
                                  {"worst", of.recall->worst},
                                  {"worst_tenth", of.recall->worst_tenth},
                                  {"queries", of.recall->queries}};
  } else if (!of.recall_note.empty()) {
    made["recall"] = of.recall_note;
  }
  std::map<std::uint32_t, double> recall_of;
  if (of.recall)
    for (const recall_report::second& judged : of.recall->seconds)
      recall_of.emplace(judged.number, judged.mean);
  json::array seconds;
  for (const auto& [second, counts] : merged_seconds(of.counts)) {
    json::object during{{"second", second},
                        {"count", counts.total()},
                        {"p50", counts.value_at(0.5)},
                        {"p99", known(counts.value_if_known(0.99))},
                        {"max", counts.max()}};
    if (const auto judged = recall_of.find(second); judged != recall_of.end())
      during["recall"] = judged->second;
    seconds.push_back(std::move(during));
  }
  made["per_second"] = std::move(seconds);
  return made;
}

json::value print(const std::optional<process_cost>& of, std::uint64_t operations) {
  if (!of) return cannot_tell;
  return json::object{
      {"cpu_seconds", known(of->cpu_seconds)},
      {"cpu_microseconds_per_request",
       per_operation(of->cpu_seconds ? std::optional(*of->cpu_seconds * 1e6) : std::nullopt,
                     operations)},
      {"context_switches", known(of->context_switches)},
      {"context_switches_per_request", per_operation(as_double(of->context_switches), operations)},
      {"resident_bytes", known(of->resident_bytes)},
      {"resident_bytes_peak", known(of->resident_bytes_peak)},
      {"disk_read_bytes", known(of->read_bytes)},
      {"disk_written_bytes", known(of->written_bytes)},
      {"disk_written_bytes_per_request", per_operation(as_double(of->written_bytes), operations)},
      {"storage_bytes", known(of->storage_bytes)},
      {"processes", of->processes},
      {"threads", of->threads}};
}

json::object print(const step_report& of) {
  json::object made;
  made["name"] = of.name;
  made["kind"] = of.kind;
  made["began_seconds"] = of.began_seconds;
  made["seconds"] = of.seconds;
  std::uint64_t answered = 0;
  json::array operations;
  for (const operation_report& each : of.operations) {
    answered += each.counts.answered;
    operations.push_back(print(each));
  }
  made["operations"] = std::move(operations);
  if (!of.marks.empty()) {
    json::array marks;
    for (const auto& [second, what] : of.marks)
      marks.push_back(json::object{{"second", second}, {"what", what}});
    made["marks"] = std::move(marks);
  }
  if (answered > 0) {
    made["server"] = print(of.cost, answered);
    made["generator_cpu_seconds"] = of.generator_cpu_seconds;
    made["generator_waited_seconds"] = known(of.generator_waited_seconds);
    made["others_cpu_share"] = known(of.others_cpu_share);
    made["stolen_share"] = known(of.stolen_share);
  }
  if (of.pacing.total() > 0) made["pacing_error_ns"] = quantiles(of.pacing);
  if (of.samples_dropped > 0) made["samples_dropped"] = of.samples_dropped;
  if (of.metrics_note.empty()) {
    json::object metrics;
    for (const auto& [name, value] : of.metrics)
      metrics[name] = value;
    made["metrics_changed"] = std::move(metrics);
  } else {
    made["metrics_changed"] = of.metrics_note;
  }
  if (!of.solved.empty()) {
    json::array solved;
    for (const solved_point& each : of.solved)
      solved.push_back(
          json::object{{"target", each.target},
                       {"ef", each.ef ? json::value(*each.ef) : json::value("not reached")},
                       {"recall", each.recall}});
    made["solved"] = std::move(solved);
  }
  if (!of.facts.empty()) {
    json::object facts;
    for (const auto& [name, value] : of.facts)
      facts[name] = value;
    made["facts"] = std::move(facts);
  }
  return made;
}

json::object print(const noise_probe& of) {
  return {{"lost_share", of.lost_share},
          {"worst_gap_ms", of.worst_gap_ms},
          {"slowdown_p99", of.slowdown_p99}};
}

}  // namespace

std::string print_json(const scenario& plan, const run_report& run) {
  json::object made;
  made["schema"] = schema;
  json::object variables;
  for (const auto& [name, value] : plan.variables)
    variables[name] = value;
  made["scenario"] = json::object{
      {"name", plan.name}, {"file", plan.file}, {"seed", plan.seed}, {"variables", variables}};
  made["started_at"] = run.started_at;
  made["target"] = run.target_description;
  made["server_process"] = run.server_process.empty() ? cannot_tell : run.server_process;
  made["generator_threads"] = run.threads;
  json::object environment;
  for (const auto& [name, value] : run.environment)
    environment[name] = value;
  made["environment"] = std::move(environment);
  const std::string noise = run.noise_verdict();
  made["noise"] = json::object{{"before", print(run.noise_before)},
                               {"after", print(run.noise_after)},
                               {"verdict", noise.empty() ? "quiet" : "too noisy: " + noise}};
  if (!run.data_description.empty()) made["data"] = run.data_description;
  if (!run.truth_source.empty()) made["truth"] = run.truth_source;
  json::array steps;
  for (const step_report& each : run.steps)
    steps.push_back(print(each));
  made["steps"] = std::move(steps);
  json::array table;
  for (const table_row& each : plan.table) {
    const table_cell cell = measured(each, run);
    json::object row{{"what", each.what},
                     {"step", each.step},
                     {"value", each.value},
                     {"measured", known(cell.value)},
                     {"conditions", cell.conditions}};
    if (!each.published.empty()) row["published"] = each.published;
    if (each.at_least) row["at_least"] = *each.at_least;
    if (each.at_most) row["at_most"] = *each.at_most;
    if (cell.recall) row["recall"] = *cell.recall;
    if (cell.reached) row["reached"] = *cell.reached;
    table.push_back(std::move(row));
  }
  if (!table.empty()) made["table"] = std::move(table);
  made["interrupted"] = run.interrupted;
  if (run.ended_by)
    made["failure"] = json::object{{"exit_code", static_cast<int>(run.ended_by->code)},
                                   {"text", run.ended_by->text}};
  return json::serialize(made) + "\n";
}

std::string print_histogram_log(const run_report& run) {
  histogram_log log(run.started_at);
  for (const step_report& step : run.steps)
    for (const operation_report& operation : step.operations)
      for (const auto& [second, counts] : merged_seconds(operation.counts))
        log.add(fmt::format("{}/{}", step.name, operation.name), step.began_seconds + second, 1,
                counts);
  return log.text();
}

}  // namespace vexfs::bench
