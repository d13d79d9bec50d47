// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/runner.h"

#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bench/vexbench/environment.h"

namespace vexfs::bench {
namespace {

constexpr std::uint32_t probe_ms = 200;
// A step with so many wrong answers measures something else than it says.
constexpr double error_share_max = 0.01;

// GET / names the server; one that does not answer it is no server of this API.
outcome<std::string> describe_target(run_context& run) {
  auto body = run.client.demand("GET", "/");
  if (!body) return std::unexpected(std::move(body).error());
  std::string title = "unknown";
  std::string version = "unknown";
  boost::system::error_code bad;
  const boost::json::value whole = boost::json::parse(*body, bad);
  if (!bad && whole.is_object()) {
    const auto text = [&](const char* key, std::string& to) {
      const auto* found = whole.get_object().if_contains(key);
      if (found && found->is_string()) to = found->get_string();
    };
    text("title", title);
    text("version", version);
  }
  return fmt::format("{} {} at {}", title, version, run.server.url);
}

outcome<void> prepare(run_context& run) {
  if (run.plan.server) {
    run.process = std::make_unique<server_process>(*run.plan.server, run.server);
    if (auto emptied = run.process->prepare_storage(); !emptied) return emptied;
    auto started = run.process->start(run.interrupted);
    if (!started) return std::unexpected(std::move(started).error());
    run.server_pid = run.process->pid();
  } else {
    run.server_pid = run.options.server_pid ? run.options.server_pid : find_listener(run.server);
  }
  if (run.server_pid) run.report.server_process = name_of_process(*run.server_pid);
  auto described = describe_target(run);
  if (!described) return std::unexpected(std::move(described).error());
  run.report.target_description = *described;
  if (run.plan.data) {
    run.shown.begin("data");
    auto loaded =
        dataset::load(*run.plan.data, run.plan.seed, processor_count(), run.options.cache_folder);
    if (!loaded) return std::unexpected(std::move(loaded).error());
    run.data = std::move(*loaded);
    run.encoder = std::make_unique<rest_encoder>(run.server, run.plan.collection.name, *run.data);
    run.report.data_description = run.data->description();
    run.shown.end(run.data->description());
  }
  return {};
}

// The first failure of a step's answers, where they are too many or it is the last word on the run.
std::optional<failure> wrong_answers(const step_report& of, bool& too_many) {
  std::optional<failure> first;
  for (const operation_report& each : of.operations) {
    const tally& counts = each.counts;
    const std::uint64_t wrong = counts.wrong();
    if (wrong == 0) continue;
    if (static_cast<double>(wrong) > error_share_max * static_cast<double>(wrong + counts.answered))
      too_many = true;
    if (!first)
      first = failure{
          counts.error_statuses > 0 ? exit_code::error_status : exit_code::no_connection,
          fmt::format("step '{}', {}: {} of {} requests were not answered with a 2xx; {}", of.name,
                      each.name, wrong, wrong + counts.answered, counts.first_error)};
  }
  return first;
}

outcome<void> run_steps(run_context& run) {
  std::optional<failure> kept;
  for (const step& each : run.plan.steps) {
    if (run.interrupted) return fail_with(exit_code::interrupted, "interrupted");
    step_report report;
    report.name = each.name;
    report.kind = each.kind;
    report.began_seconds = run.seconds_so_far();
    const outcome<void> ended =
        std::visit([&](const auto& how) { return run_step(run, how, report); }, each.spec);
    bool too_many = false;
    const auto wrong = wrong_answers(report, too_many);
    run.report.steps.push_back(std::move(report));
    if (!ended) return ended;
    if (wrong && !kept) kept = wrong;
    // What is searched after a write that may or may not have acted is not known.
    const bool writes = std::holds_alternative<upload_step>(each.spec) ||
                        std::holds_alternative<mixed_step>(each.spec);
    if (too_many || (wrong && writes)) break;
  }
  if (run.interrupted) return fail_with(exit_code::interrupted, "interrupted");
  if (kept) return std::unexpected(*kept);
  return {};
}

}  // namespace

run_report run_scenario(const scenario& plan, const target& server, const run_options& options,
                        const std::atomic<bool>& interrupted, progress& shown) {
  run_context run{.plan = plan,
                  .server = server,
                  .options = options,
                  .interrupted = interrupted,
                  .shown = shown};
  run.report.started_at =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  run.report.threads = options.threads;
  run.report.environment = describe_environment();
  run.report.noise_before = probe_noise(probe_ms);
  run.client.set_timeout(options.patience_seconds);
  outcome<void> ended = prepare(run);
  if (ended) ended = run_steps(run);
  if (run.data) run.report.truth_source = run.data->truth_source();
  run.report.interrupted = interrupted;
  if (!ended) run.report.ended_by = ended.error();
  if (run.process)
    if (auto stopped = run.process->stop(); !stopped && !run.report.ended_by)
      run.report.ended_by = stopped.error();
  run.report.noise_after = probe_noise(probe_ms);
  return std::move(run.report);
}

}  // namespace vexfs::bench
