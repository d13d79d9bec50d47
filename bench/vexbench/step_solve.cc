// SPDX-License-Identifier: Apache-2.0
// Finds the smallest hnsw_ef that reaches each recall, and measures there.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "bench/vexbench/run_context.h"
#include "bench/vexbench/solve.h"

namespace vexfs::bench {
namespace {

// Every query once, all answers judged: the recall at one ef, and a point of the curve.
outcome<double> recall_at(run_context& run, const solve_step& how, std::uint32_t ef,
                          step_report& to) {
  search_spec search = how.search;
  search.hnsw_ef = ef;
  std::optional<row_filter> filter;
  if (search.filter) {
    auto compiled = run.data->compile(*search.filter);
    if (!compiled) return std::unexpected(std::move(compiled).error());
    filter = std::move(*compiled);
  }
  const row_filter* passing = filter ? &*filter : nullptr;
  const auto requests = encode_searches(run, search, passing);
  if (!requests) return std::unexpected(requests.error());
  auto sent = make_stream(run, how.peak);
  if (!sent) return std::unexpected(std::move(sent).error());
  set_source source(*requests, set_source::repeat::once);
  const std::string name = fmt::format("curve, ef {}", ef);
  sent->operations = {{.name = name, .source = &source}};
  sent->samples_all = true;
  load running(run.server, {*sent}, run.load_options());
  if (auto started = running.start(); !started) return std::unexpected(std::move(started).error());
  running.set_active(0, true);
  const drive_end end = drive(run, running, name, std::nullopt, 0);
  const std::optional<failure> bad = running.failed();
  load_result measured = running.finish();
  take_rest(to, measured);
  operation_report& made =
      to.operations.emplace_back(report_of(measured, 0, 0, name, query_units(search), *sent));
  if (bad) return std::unexpected(*bad);
  if (end == drive_end::interrupted) return fail_with(exit_code::interrupted, "interrupted");
  std::vector<const sample*> answers;
  for (const sample& each : measured.samples)
    answers.push_back(&each);
  auto judged = judge_answers(run, search, passing, std::move(answers), nullptr);
  if (!judged) return std::unexpected(std::move(judged).error());
  if (!*judged)
    return fail_with(exit_code::too_few_points, "too few points: no query has a neighbour to find");
  made.recall = *judged;
  return made.recall->mean;
}

}  // namespace

outcome<void> run_step(run_context& run, const solve_step& how, step_report& to) {
  if (run.present_count < run.data->base().rows)
    return fail_with(exit_code::too_few_points,
                     fmt::format("too few points: {} of {} are there", run.present_count,
                                 run.data->base().rows));
  step_meter meter(run);
  ef_solver solver(how.search.limit, how.ef_max);
  outcome<void> ended;
  for (const double target : how.targets) {
    solved_point found{.target = target};
    while (ended) {
      const auto wanted = solver.next_for(target);
      if (!wanted) break;
      auto recall = recall_at(run, how, *wanted, to);
      if (!recall)
        ended = std::unexpected(std::move(recall).error());
      else
        solver.learn(*wanted, *recall);
    }
    if (!ended) break;
    found.ef = solver.solution_for(target);
    found.recall = found.ef ? solver.recall_at(*found.ef) : solver.best_recall();
    to.solved.push_back(found);
  }
  std::ranges::stable_sort(to.operations, {}, [](const operation_report& each) {
    return each.recall ? each.recall->mean : 0;
  });
  // Two targets may be reached by the same ef: it is measured once.
  std::map<std::uint32_t, bool> measured;
  for (const solved_point& each : to.solved) {
    if (!ended || run.interrupted || !each.ef || measured[*each.ef]) continue;
    measured[*each.ef] = true;
    search_step one{
        .how = how.peak, .search = how.search, .seconds = how.seconds, .samples_per_second = 50};
    one.search.hnsw_ef = each.ef;
    ended = measure_searches(run, one, fmt::format("peak, ef {}", *each.ef),
                             fmt::format("latency, ef {}", *each.ef), to);
  }
  meter.end(to);
  if (!ended && ended.error().code == exit_code::interrupted) return {};
  return ended;
}

}  // namespace vexfs::bench
