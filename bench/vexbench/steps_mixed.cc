// SPDX-License-Identifier: Apache-2.0
// The steps that write while they search: mixed, churn.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "bench/vexbench/churn_source.h"
#include "bench/vexbench/random.h"
#include "bench/vexbench/recall.h"
#include "bench/vexbench/run_context.h"

namespace vexfs::bench {
namespace {

/// The searches that go on all the time.
struct search_stream {
  std::optional<row_filter> filter;
  request_set requests;
  std::unique_ptr<set_source> source;
  stream sent;
};

outcome<std::unique_ptr<search_stream>> make_search_stream(run_context& run,
                                                           const search_step& how) {
  auto made = std::make_unique<search_stream>();
  if (how.search.filter) {
    auto compiled = run.data->compile(*how.search.filter);
    if (!compiled) return std::unexpected(std::move(compiled).error());
    made->filter = std::move(*compiled);
  }
  auto requests = encode_searches(run, how.search, made->filter ? &*made->filter : nullptr);
  if (!requests) return std::unexpected(std::move(requests).error());
  made->requests = std::move(*requests);
  made->source = std::make_unique<set_source>(made->requests, set_source::repeat::forever);
  auto sent = make_stream(run, how.how);
  if (!sent) return std::unexpected(std::move(sent).error());
  made->sent = std::move(*sent);
  made->sent.operations = {{.name = "search", .source = made->source.get()}};
  made->sent.samples_per_second = how.samples_per_second;
  return made;
}

// One operation for each phase, with its recall against what was visible at the time.
outcome<void> report_searches(run_context& run, const search_step& how,
                              const search_stream& searches, load_result& measured,
                              const point_lives& lives, std::span<const std::string_view> phases,
                              step_report& to) {
  for (std::uint32_t phase = 0; phase < phases.size(); ++phase) {
    operation_report made = report_of(measured, phase, 0, fmt::format("search, {}", phases[phase]),
                                      query_units(how.search), searches.sent);
    std::vector<const sample*> answers;
    for (const sample& each : measured.samples)
      if (each.kind == 0 && each.phase == phase) answers.push_back(&each);
    auto judged = judge(*run.data, how.search, searches.filter ? &*searches.filter : nullptr,
                        answers, &lives, run.options.threads);
    if (!judged) return std::unexpected(std::move(judged).error());
    made.recall = *judged;
    if (!made.recall) made.recall_note = "no answers were kept";
    to.operations.push_back(std::move(made));
  }
  return {};
}

}  // namespace

outcome<void> run_step(run_context& run, const mixed_step& how, step_report& to) {
  const std::uint32_t rows = run.data->base().rows;
  const auto first = static_cast<std::uint32_t>(std::lround(how.upload.from * rows));
  const auto last = static_cast<std::uint32_t>(std::lround(how.upload.to * rows));
  if (run.present_count < first || run.present_count == 0)
    return fail_with(exit_code::too_few_points,
                     fmt::format("too few points: {} are there, and the upload of this step begins "
                                 "at {}: upload some before it",
                                 run.present_count, first));
  auto searches = make_search_stream(run, how.search);
  if (!searches) return std::unexpected(std::move(searches).error());
  auto requests = encode_upload(run, first, last, how.upload);
  if (!requests) return std::unexpected(std::move(requests).error());
  set_source upload_source(*requests, set_source::repeat::once);
  auto uploads = make_stream(run, how.upload.how);
  if (!uploads) return std::unexpected(std::move(uploads).error());
  uploads->operations = {{.name = "upsert", .source = &upload_source, .is_write = true}};

  step_meter meter(run);
  load running(run.server, {(*searches)->sent, *uploads}, run.load_options());
  if (auto started = running.start(); !started) return started;
  static constexpr std::array<std::string_view, 4> phases{"idle", "load", "drain", "idle again"};
  running.set_active(0, true);
  drive_end end = drive(run, running, to.name + ", idle", how.idle_seconds, std::nullopt);
  if (end == drive_end::time_is_up) {
    running.set_phase(1);
    running.set_active(1, true);
    end = drive(run, running, to.name + ", load", std::nullopt, 1);
  }
  outcome<bool> settled = false;
  std::int64_t settled_ns = INT64_MAX;
  double drain_seconds = 0;
  if (end == drive_end::exhausted) {
    running.set_phase(2);
    const std::int64_t began_ns = running.now_ns();
    do {
      settled = is_settled(run);
      if (settled && *settled) settled_ns = running.now_ns();
      if (!settled || *settled) break;
      end = drive(run, running, to.name + ", drain", 0.1, std::nullopt);
      drain_seconds = static_cast<double>(running.now_ns() - began_ns) / 1e9;
    } while (end == drive_end::time_is_up && drain_seconds < how.drain_seconds_max);
    to.facts.emplace_back("drain seconds", fmt::format("{:.3f}{}", drain_seconds,
                                                       settled && *settled ? "" : ", not settled"));
  }
  if (settled && *settled) {
    running.set_phase(3);
    end = drive(run, running, to.name + ", idle again", how.idle_seconds, std::nullopt);
  }
  const std::optional<failure> bad = running.failed();
  load_result measured = running.finish();
  take_rest(to, measured);
  meter.end(to);

  point_lives lives(rows, run.present_count);
  for (write_event& each : measured.writes) {
    // Without `wait` an acknowledgement does not promise that the points can be found yet.
    if (!how.upload.wait) each.answered_ns = std::max(each.answered_ns, settled_ns);
    const std::uint32_t begin = first + each.tag * how.upload.batch;
    for (std::uint32_t row = begin; row < std::min(last, begin + how.upload.batch); ++row)
      lives.add(row, point_lives::write::insert, each.sent_ns, each.answered_ns);
  }
  run.shown.begin(to.name + ", recall of the answers that were kept");
  auto reported = report_searches(run, how.search, **searches, measured, lives, phases, to);
  run.shown.end("done");
  operation_report upserts = report_of(
      measured, 1, 1, "upsert",
      fmt::format("points, {} a request, wait={}", how.upload.batch, how.upload.wait), *uploads);
  to.operations.push_back(std::move(upserts));
  if (bad) return std::unexpected(*bad);
  if (!settled) return std::unexpected(std::move(settled).error());
  if (end != drive_end::interrupted) run.present_count = std::max(run.present_count, last);
  return reported;
}

outcome<void> run_step(run_context& run, const churn_step& how, step_report& to) {
  const auto part = static_cast<std::uint32_t>(std::lround(how.share * run.present_count));
  const std::uint32_t block_count = part / how.batch;
  if (block_count == 0)
    return fail_with(exit_code::too_few_points,
                     fmt::format("too few points: {} take part, a block has {}", part, how.batch));
  auto searches = make_search_stream(run, how.search);
  if (!searches) return std::unexpected(std::move(searches).error());
  request_set deletes;
  request_set inserts;
  for (std::uint32_t block = 0; block < block_count; ++block) {
    const std::uint32_t begin = block * how.batch;
    deletes.add(run.encoder->remove(begin, begin + how.batch, how.wait), how.batch);
    inserts.add(run.encoder->upsert(begin, begin + how.batch, how.wait), how.batch);
  }
  random_numbers numbers(run.plan.seed, 9);
  churn_source source(deletes, inserts, shuffled(block_count, numbers));
  auto writes = make_stream(run, how.how);
  if (!writes) return std::unexpected(std::move(writes).error());
  writes->operations = {{.name = "delete", .source = &source, .is_write = true},
                        {.name = "put back", .source = &source, .weight = 0, .is_write = true}};

  step_meter meter(run);
  load running(run.server, {(*searches)->sent, *writes}, run.load_options());
  if (auto started = running.start(); !started) return started;
  running.set_active(0, true);
  running.set_active(1, true);
  (void)drive(run, running, to.name, how.search.seconds, std::nullopt);
  const std::optional<failure> bad = running.failed();
  load_result measured = running.finish();
  take_rest(to, measured);
  meter.end(to);

  point_lives lives(run.data->base().rows, run.present_count);
  for (const write_event& each : measured.writes)
    for (std::uint32_t row = each.tag * how.batch; row < (each.tag + 1) * how.batch; ++row)
      lives.add(row, each.kind == 1 ? point_lives::write::remove : point_lives::write::insert,
                each.sent_ns, each.answered_ns);
  static constexpr std::array<std::string_view, 1> phases{"while points come and go"};
  auto reported = report_searches(run, how.search, **searches, measured, lives, phases, to);
  const std::string units = fmt::format("points, {} a request, wait={}", how.batch, how.wait);
  to.operations.push_back(report_of(measured, 0, 1, "delete", units, *writes));
  to.operations.push_back(report_of(measured, 0, 2, "put back", units, *writes));
  if (bad) return std::unexpected(*bad);
  if (!reported) return reported;
  // The steps after this one find all points again.
  for (const std::uint32_t block : source.incomplete()) {
    const std::string request =
        run.encoder->upsert(block * how.batch, (block + 1) * how.batch, true);
    auto back = run.client.demand("PUT", run.collection_path() + "/points?wait=true",
                                  request.substr(request.find("\r\n\r\n") + 4));
    if (!back) return std::unexpected(std::move(back).error());
  }
  auto held = count_points(run);
  if (!held) return std::unexpected(std::move(held).error());
  to.facts.emplace_back("points before", fmt::format("{}", run.present_count));
  to.facts.emplace_back("points after", fmt::format("{}", *held));
  if (*held != run.present_count)
    return fail_with(
        exit_code::too_few_points,
        fmt::format("too few points: {} before the churn, {} after", run.present_count, *held));
  return {};
}

}  // namespace vexfs::bench
