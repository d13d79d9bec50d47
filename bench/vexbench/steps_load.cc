// SPDX-License-Identifier: Apache-2.0
// The steps that are one load: upload, request, search, and the sweep over selectivities.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "bench/vexbench/run_context.h"

namespace vexfs::bench {
namespace {

std::optional<failure> ended_badly(const load& running, drive_end end) {
  if (end != drive_end::failed) return std::nullopt;
  return running.failed();
}

}  // namespace

outcome<request_set> encode_upload(const run_context& run, std::uint32_t first, std::uint32_t last,
                                   const upload_step& how) {
  request_set made;
  run.shown.begin("encoding");
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = first; row < last && !run.interrupted; row += how.batch) {
    rows.resize(std::min(last - row, how.batch));
    std::iota(rows.begin(), rows.end(), row);
    made.add(run.encoder->upsert(rows, how.wait), static_cast<std::uint32_t>(rows.size()));
    if (auto fits = check_size(made); !fits) return std::unexpected(std::move(fits).error());
  }
  run.shown.end(fmt::format("{} requests, {} MB", made.count(), made.bytes() >> 20));
  return made;
}

outcome<void> run_step(run_context& run, const upload_step& how, step_report& to) {
  const std::uint32_t rows = run.data->base().rows;
  const auto first = static_cast<std::uint32_t>(std::lround(how.from * rows));
  const auto last = static_cast<std::uint32_t>(std::lround(how.to * rows));
  if (first > run.present_count)
    return fail_with(exit_code::too_few_points,
                     fmt::format("too few points: {} are there, and this upload begins at {}: "
                                 "upload those before it first",
                                 run.present_count, first));
  auto requests = encode_upload(run, first, last, how);
  if (!requests) return std::unexpected(std::move(requests).error());
  auto sent = make_stream(run, how.how);
  if (!sent) return std::unexpected(std::move(sent).error());
  set_source source(*requests, set_source::repeat::once);
  sent->operations = {{.name = "upsert", .source = &source, .is_write = true}};

  step_meter meter(run);
  load running(run.server, {*sent}, run.load_options());
  if (auto started = running.start(); !started) return started;
  running.set_active(0, true);
  const drive_end end = drive(run, running, to.name, std::nullopt, 0);
  const auto bad = ended_badly(running, end);
  load_result measured = running.finish();
  take_rest(to, measured);
  meter.end(to);
  to.operations.push_back(
      report_of(measured, 0, 0, "upsert",
                fmt::format("points, {} a request, wait={}", how.batch, how.wait), *sent));
  if (bad) return std::unexpected(*bad);
  const tally& counts = to.operations.back().counts;
  if (end == drive_end::interrupted || counts.wrong() > 0) return {};
  run.present_count = std::max(run.present_count, last);
  return await_points(run, how.wait, to);
}

outcome<void> measure(
    run_context& run, const sending& how, const std::string& name, const std::string& latency_name,
    step_report& to,
    const std::function<outcome<void>(const sending&, const std::string&)>& load_once) {
  if (how.is_closed || how.has_rate()) return load_once(how, name);
  sending peak = how;
  peak.is_closed = true;
  if (auto ended = load_once(peak, name); !ended) return ended;
  const double reached = to.operations.back().requests_per_second();
  if (run.interrupted || reached <= 0) return {};
  sending open = how;
  open.rate = how.latency_share * reached;
  open.pipeline = 1;
  // So many that a request waits for the server and not for a connection.
  open.connections = std::max(how.connections, 64U);
  return load_once(open, latency_name);
}

outcome<void> run_step(run_context& run, const request_step& how, step_report& to) {
  request_set requests;
  requests.add(run.server.request(how.method, how.path, how.body), 1);
  set_source source(requests, set_source::repeat::forever);
  const std::string what = how.method + " " + how.path;
  const auto load_once = [&](const sending& sends, const std::string& name) -> outcome<void> {
    auto sent = make_stream(run, sends);
    if (!sent) return std::unexpected(std::move(sent).error());
    sent->operations = {{.name = name, .source = &source}};
    load running(run.server, {*sent}, run.load_options());
    if (auto started = running.start(); !started) return started;
    running.set_active(0, true);
    const drive_end end = drive(run, running, to.name, how.seconds, std::nullopt);
    const auto bad = ended_badly(running, end);
    load_result measured = running.finish();
    take_rest(to, measured);
    to.operations.push_back(report_of(measured, 0, 0, name, "requests", *sent));
    if (bad) return std::unexpected(*bad);
    return {};
  };
  step_meter meter(run);
  auto ended = measure(run, how.how, what, what + ", latency", to, load_once);
  meter.end(to);
  return ended;
}

namespace {

outcome<void> run_search(run_context& run, const search_step& how, const std::string& name,
                         step_report& to) {
  std::optional<row_filter> filter;
  if (how.search.filter) {
    auto compiled = run.data->compile(*how.search.filter);
    if (!compiled) return std::unexpected(std::move(compiled).error());
    filter = std::move(*compiled);
  }
  const row_filter* passing = filter ? &*filter : nullptr;
  const auto requests = encode_searches(run, how.search, passing);
  if (!requests) return std::unexpected(requests.error());
  auto sent = make_stream(run, how.how);
  if (!sent) return std::unexpected(std::move(sent).error());
  set_source source(*requests, set_source::repeat::forever);
  sent->operations = {{.name = name, .source = &source}};
  sent->samples_per_second = how.samples_per_second;

  load running(run.server, {*sent}, run.load_options());
  if (auto started = running.start(); !started) return started;
  running.set_active(0, true);
  const drive_end end = drive(run, running, name, how.seconds, std::nullopt);
  const auto bad = ended_badly(running, end);
  load_result measured = running.finish();
  take_rest(to, measured);
  operation_report& made =
      to.operations.emplace_back(report_of(measured, 0, 0, name, query_units(how.search), *sent));
  if (bad) return std::unexpected(*bad);
  if (measured.samples.empty()) {
    made.recall_note = "no answers were kept";
    return {};
  }
  // Only a part of the points is there after an upload of a part.
  std::optional<point_lives> part;
  if (run.present_count < run.data->base().rows)
    part.emplace(run.data->base().rows, run.present_count);
  std::vector<const sample*> answers;
  for (const sample& each : measured.samples)
    answers.push_back(&each);
  auto judged =
      judge_answers(run, how.search, passing, std::move(answers), part ? &*part : nullptr);
  if (!judged) return std::unexpected(std::move(judged).error());
  made.recall = *judged;
  if (!made.recall) made.recall_note = "nothing passes the filter";
  return {};
}

}  // namespace

outcome<void> measure_searches(run_context& run, const search_step& how, const std::string& name,
                               const std::string& latency_name, step_report& to) {
  return measure(run, how.how, name, latency_name, to,
                 [&](const sending& sends, const std::string& part) {
                   search_step one = how;
                   one.how = sends;
                   return run_search(run, one, part, to);
                 });
}

outcome<void> run_step(run_context& run, const search_step& how, step_report& to) {
  step_meter meter(run);
  auto searched = measure_searches(run, how, to.name, to.name + ", latency", to);
  meter.end(to);
  return searched;
}

outcome<void> run_step(run_context& run, const sweep_step& how, step_report& to) {
  step_meter meter(run);
  search_step one{.how = how.how,
                  .search = how.search,
                  .seconds = how.seconds,
                  .samples_per_second = how.samples_per_second};
  outcome<void> ended = measure_searches(run, one, "unfiltered", "unfiltered, latency", to);
  for (const double pass : how.pass) {
    if (!ended || run.interrupted) break;
    one.search.filter = filter_spec{
        .field = how.field, .pass = pass, .where = how.where, .below = {}, .equals = {}};
    const std::string_view where = how.where == filter_place::near  ? " near"
                                   : how.where == filter_place::far ? " far"
                                                                    : "";
    const std::string name = fmt::format("{}{} {:g} %", how.field, where, pass * 100);
    ended = measure_searches(run, one, name, name + ", latency", to);
  }
  meter.end(to);
  return ended;
}

}  // namespace vexfs::bench
