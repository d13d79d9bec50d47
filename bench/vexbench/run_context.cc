// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/run_context.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "bench/vexbench/metrics_text.h"

namespace vexfs::bench {
namespace {

constexpr auto look_interval = std::chrono::milliseconds(2);
// So many errors without one answer: there is nothing to wait for.
constexpr std::uint64_t errors_alone_max = 1000;
constexpr std::uint64_t request_bytes_max = 8ULL << 30;
// How long Ctrl-C waits for the answers that are under way.
constexpr std::int64_t interrupted_drain_ns = 1'000'000'000;
// How many of them are judged then.
constexpr std::size_t interrupted_answers_max = 100;

// The generator's threads and everything else of this process: judging recall, too.
double own_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

}  // namespace

step_meter::step_meter(run_context& run) : run_(run) {
  metrics_ = read_metrics();
  if (run_.server_pid) cost_ = cost_of(*run_.server_pid, run_.storage_folder());
  machine_ = read_machine_time();
  own_cpu_ = own_cpu_seconds();
  began_ = std::chrono::steady_clock::now();
}

std::optional<std::map<std::string, double>> step_meter::read_metrics() {
  const auto answered = run_.client.ask("GET", "/metrics");
  if (!answered || !answered->is_success()) return std::nullopt;
  return parse_metrics(answered->body);
}

void step_meter::end(step_report& to) {
  to.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  const auto machine = read_machine_time();
  if (run_.server_pid && cost_) {
    const process_cost after = cost_of(*run_.server_pid, run_.storage_folder());
    if (after.processes > 0) to.cost = difference(*cost_, after);
  }
  if (machine && machine_ && machine->total > machine_->total) {
    const double total = machine->total - machine_->total;
    to.stolen_share = (machine->stolen - machine_->stolen) / total;
    // Ticks are a hundredth of a second: a little below zero is zero.
    if (to.cost && to.cost->cpu_seconds)
      to.others_cpu_share = std::max(0.0, (machine->busy - machine_->busy - *to.cost->cpu_seconds -
                                           (own_cpu_seconds() - own_cpu_)) /
                                              total);
  }
  const auto metrics = read_metrics();
  if (metrics && metrics_)
    to.metrics = changed_metrics(*metrics_, *metrics);
  else
    to.metrics_note = cannot_tell;
}

drive_end drive(run_context& run, load& running, const std::string& what,
                std::optional<double> seconds, std::optional<std::size_t> stream) {
  run.shown.begin(what);
  const std::uint64_t answered_before = running.answered();
  const std::uint64_t errors_before = running.errors();
  const std::int64_t began_ns = running.now_ns();
  std::uint64_t ended_last = answered_before + errors_before;
  std::int64_t silent_since_ns = began_ns;
  for (;;) {
    const std::int64_t now_ns = running.now_ns();
    const double passed = static_cast<double>(now_ns - began_ns) / 1e9;
    const std::uint64_t ended_now = running.answered() + running.errors();
    if (ended_now != ended_last || !running.has_flights()) silent_since_ns = now_ns;
    ended_last = ended_now;
    if (static_cast<double>(now_ns - silent_since_ns) / 1e9 > run.options.patience_seconds)
      running.give_up({exit_code::no_connection,
                       fmt::format("{} has not answered anything for {:g} s (--patience)",
                                   run.server.url, run.options.patience_seconds)});
    std::optional<drive_end> end;
    if (run.interrupted)
      end = drive_end::interrupted;
    else if (running.failed() || (running.answered() == 0 && running.errors() >= errors_alone_max))
      end = drive_end::failed;
    else if (stream && running.is_exhausted(*stream))
      end = drive_end::exhausted;
    else if (seconds && passed >= *seconds)
      end = drive_end::time_is_up;
    const std::uint64_t answered = running.answered() - answered_before;
    const std::uint64_t errors = running.errors() - errors_before;
    if (end) {
      if (*end == drive_end::interrupted) running.set_drain_ns_max(interrupted_drain_ns);
      run.shown.end(fmt::format("{} answered in {:.1f} s{}{}", answered, passed,
                                errors > 0 ? fmt::format(", {} ERRORS", errors) : "",
                                *end == drive_end::interrupted ? ", interrupted" : ""));
      return *end;
    }
    run.shown.show(answered, errors, seconds ? *seconds - passed : 0);
    std::this_thread::sleep_for(look_interval);
  }
}

outcome<stream> make_stream(const run_context& run, const sending& how) {
  stream made;
  made.connections = how.connections;
  made.pipeline = how.pipeline;
  made.rate = how.rate;
  made.spacing = how.spacing;
  if (how.rate_share) {
    const auto step = std::ranges::find(run.report.steps, how.rate_of, &step_report::name);
    if (step == run.report.steps.end() || step->operations.empty() ||
        step->operations.front().requests_per_second() <= 0)
      return fail_with(exit_code::too_few_points,
                       fmt::format("step '{}' has no rate to take a share of", how.rate_of));
    made.rate = *how.rate_share * step->operations.front().requests_per_second();
  }
  return made;
}

std::string describe(const stream& of) {
  std::string text = of.rate ? fmt::format("open loop, {:.0f} /s {}, ", *of.rate,
                                           of.spacing == arrivals::poisson ? "Poisson" : "constant")
                             : "closed loop, ";
  text += fmt::format("{} connection{}", of.connections, of.connections == 1 ? "" : "s");
  if (of.pipeline > 1) text += fmt::format(" x {} pipelined", of.pipeline);
  return text;
}

operation_report report_of(load_result& measured, std::uint32_t phase, std::uint32_t kind,
                           std::string name, std::string units, const stream& sent) {
  operation_report made;
  made.name = std::move(name);
  made.units = std::move(units);
  made.sent = describe(sent);
  made.rate_planned = sent.rate;
  const std::size_t place = std::size_t{phase} * measured.kind_count + kind;
  if (place < measured.tallies.size()) made.counts = std::move(measured.tallies[place]);
  if (made.counts.last_ns > made.counts.first_ns)
    made.seconds = static_cast<double>(made.counts.last_ns - made.counts.first_ns) / 1e9;
  return made;
}

outcome<std::optional<recall_report>> judge_answers(run_context& run, const search_spec& how,
                                                    const row_filter* filter,
                                                    std::vector<const sample*> answers,
                                                    const point_lives* lives) {
  if (run.interrupted && answers.size() > interrupted_answers_max) {
    // Evenly over the time.
    for (std::size_t index = 0; index < interrupted_answers_max; ++index)
      answers[index] = answers[index * answers.size() / interrupted_answers_max];
    answers.resize(interrupted_answers_max);
  }
  return judge(*run.data, how, filter, answers, lives, processor_count());
}

void take_rest(step_report& to, load_result& measured) {
  to.pacing.add(measured.pacing);
  to.generator_cpu_seconds += measured.generator_cpu_seconds;
  if (to.generator_waited_seconds && measured.generator_waited_seconds)
    *to.generator_waited_seconds += *measured.generator_waited_seconds;
  else
    to.generator_waited_seconds.reset();
  to.samples_dropped += measured.samples_dropped;
}

outcome<void> check_size(const request_set& requests) {
  if (requests.bytes() <= request_bytes_max) return {};
  return fail_with(exit_code::usage,
                   fmt::format("the requests of one step take more than {} GiB: upload in parts "
                               "(from, to), or take fewer points or queries",
                               request_bytes_max >> 30));
}

outcome<request_set> encode_searches(const run_context& run, const search_spec& how,
                                     const row_filter* filter) {
  request_set made;
  const std::uint32_t query_count = run.data->queries().rows;
  const std::uint32_t request_count = std::max(1U, (query_count + how.batch - 1) / how.batch);
  for (std::uint32_t index = 0; index < request_count; ++index) {
    made.add(run.encoder->search(how, filter, index * how.batch % query_count, how.batch),
             how.batch);
    if (auto fits = check_size(made); !fits) return std::unexpected(std::move(fits).error());
  }
  return made;
}

std::string query_units(const search_spec& how) {
  return how.batch > 1 ? fmt::format("queries, {} a request", how.batch) : "queries";
}

outcome<bool> is_settled(run_context& run) {
  auto body = run.client.demand("GET", run.collection_path());
  if (!body) return std::unexpected(std::move(body).error());
  boost::system::error_code bad;
  const boost::json::value whole = boost::json::parse(*body, bad);
  const boost::json::value* status = nullptr;
  if (!bad && whole.is_object())
    if (const auto* found = whole.get_object().if_contains("result"); found && found->is_object())
      status = found->get_object().if_contains("status");
  if (!status || !status->is_string())
    return fail_with(exit_code::error_status,
                     fmt::format("GET {} was answered without a status", run.collection_path()));
  return status->get_string() == "green";
}

outcome<std::uint64_t> count_points(run_context& run) {
  auto body =
      run.client.demand("POST", run.collection_path() + "/points/count", R"({"exact":true})");
  if (!body) return std::unexpected(std::move(body).error());
  boost::system::error_code bad;
  const boost::json::value whole = boost::json::parse(*body, bad);
  if (!bad && whole.is_object())
    if (const auto* found = whole.get_object().if_contains("result"); found && found->is_object())
      if (const auto* count = found->get_object().if_contains("count"); count && count->is_number())
        return count->to_number<std::uint64_t>();
  return fail_with(exit_code::error_status, "points/count was answered without a count");
}

outcome<void> await_points(run_context& run, bool at_once, step_report& to) {
  const auto began = std::chrono::steady_clock::now();
  auto grown = began;
  for (std::uint64_t held_before = 0;;) {
    auto held = count_points(run);
    if (!held) return std::unexpected(std::move(held).error());
    const auto now = std::chrono::steady_clock::now();
    if (*held >= run.present_count) {
      if (!at_once)
        to.facts.emplace_back(
            "seconds from the last acknowledgement until all points were counted",
            fmt::format("{:.3f}", std::chrono::duration<double>(now - began).count()));
      return {};
    }
    if (*held != held_before) grown = now;
    held_before = *held;
    if (at_once ||
        std::chrono::duration<double>(now - grown).count() > run.options.patience_seconds)
      return fail_with(exit_code::too_few_points,
                       fmt::format("too few points: {} were acknowledged, the server counts {}",
                                   run.present_count, *held));
    if (run.interrupted) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace vexfs::bench
