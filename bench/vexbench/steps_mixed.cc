// SPDX-License-Identifier: Apache-2.0
// The step that loads points while it searches: idle, load, drain, idle again.
#include <algorithm>
#include <array>
#include <cmath>
#include <thread>

#include <fmt/format.h>

#include "bench/vexbench/run_context.h"
#include "bench/vexbench/search_stream.h"

namespace vexfs::bench {
namespace {

constexpr auto drain_poll_interval = std::chrono::milliseconds(50);

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
  const auto mark = [&](std::string what) {
    to.marks.emplace_back(static_cast<double>(running.now_ns()) / 1e9, std::move(what));
  };
  running.set_active(0, true);
  drive_end end = drive(run, running, to.name + ", idle", how.idle_seconds, std::nullopt);
  if (end == drive_end::time_is_up) {
    mark("the load begins");
    running.set_phase(1);
    running.set_active(1, true);
    end = drive(run, running, to.name + ", load", std::nullopt, 1);
  }
  outcome<bool> settled = false;
  std::int64_t settled_ns = INT64_MAX;
  double drain_seconds = 0;
  if (end == drive_end::exhausted) {
    mark("the load ends");
    running.set_phase(2);
    run.shown.begin(to.name + ", drain");
    const std::int64_t began_ns = running.now_ns();
    do {
      settled = is_settled(run);
      if (settled && *settled) settled_ns = running.now_ns();
      if (!settled || *settled) break;
      std::this_thread::sleep_for(drain_poll_interval);
      drain_seconds = static_cast<double>(running.now_ns() - began_ns) / 1e9;
      run.shown.show(running.answered(), running.errors(), 0);
    } while (!run.interrupted && !running.failed() && drain_seconds < how.drain_seconds_max);
    if (run.interrupted) end = drive_end::interrupted;
    run.shown.end(fmt::format("{:.1f} s", drain_seconds));
    to.facts.emplace_back("drain seconds", fmt::format("{:.3f}{}", drain_seconds,
                                                       settled && *settled ? "" : ", not settled"));
  }
  if (settled && *settled) {
    mark("all is linked");
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
  outcome<void> reported;
  for (std::uint32_t phase = 0; phase < phases.size() && reported; ++phase)
    reported = report_searches(run, how.search, **searches, measured, &lives, phase,
                               fmt::format("search, {}", phases[phase]), to);
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

}  // namespace vexfs::bench
