// SPDX-License-Identifier: Apache-2.0
// The steps that measure no rate: create, index, settle, pause, restart.
#include <thread>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bench/vexbench/json_text.h"
#include "bench/vexbench/run_context.h"

namespace vexfs::bench {
namespace {

using clock = std::chrono::steady_clock;

double seconds_since(clock::time_point from) {
  return std::chrono::duration<double>(clock::now() - from).count();
}

constexpr double index_seconds_max = 3600;
constexpr auto poll_interval = std::chrono::milliseconds(20);

// The members of `more`, an object's text, over those of `base`.
void merge(boost::json::object& base, const std::string& more) {
  const boost::json::value parsed = boost::json::parse(more);
  if (!parsed.is_object()) return;
  for (const auto& [key, value] : parsed.get_object())
    base[key] = value;
}

}  // namespace

outcome<void> run_step(run_context& run, const create_step&, step_report& to) {
  const collection_spec& how = run.plan.collection;
  if (auto dropped = run.client.demand("DELETE", run.collection_path()); !dropped)
    return std::unexpected(std::move(dropped).error());
  boost::json::object vectors;
  vectors["size"] = run.data->dim();
  vectors["distance"] = name_of(run.data->search().which());
  merge(vectors, how.vector_settings);
  boost::json::object body;
  body["vectors"] = vectors;
  merge(body, how.settings);
  if (auto made = run.client.demand("PUT", run.collection_path(), boost::json::serialize(body));
      !made)
    return std::unexpected(std::move(made).error());
  run.present_count = 0;
  to.facts.emplace_back("request", boost::json::serialize(body));
  return {};
}

outcome<void> run_step(run_context& run, const index_step&, step_report& to) {
  step_meter meter(run);
  control_client waiting(run.server, &run.interrupted);
  waiting.set_timeout(index_seconds_max);
  for (const auto& [field, schema] : run.plan.collection.indexes) {
    const auto began = clock::now();
    const std::string body =
        fmt::format(R"({{"field_name":{},"field_schema":{}}})", quoted_json(field), schema);
    if (auto made = waiting.demand("PUT", run.collection_path() + "/index?wait=true", body); !made)
      return std::unexpected(std::move(made).error());
    to.facts.emplace_back("seconds for " + field, fmt::format("{:.3f}", seconds_since(began)));
  }
  meter.end(to);
  return {};
}

outcome<void> run_step(run_context& run, const settle_step& how, step_report& to) {
  step_meter meter(run);
  const auto began = clock::now();
  run.shown.begin("settle");
  bool settled = false;
  while (!run.interrupted && !settled && seconds_since(began) < how.seconds_max) {
    auto green = is_settled(run);
    if (!green) return std::unexpected(std::move(green).error());
    settled = *green;
    if (!settled) std::this_thread::sleep_for(poll_interval);
  }
  to.facts.emplace_back("settled", settled ? fmt::format("after {:.3f} s", seconds_since(began))
                                           : "not within the time given");
  run.shown.end(to.facts.back().second);
  meter.end(to);
  return {};
}

outcome<void> run_step(run_context& run, const pause_step& how, step_report& to) {
  step_meter meter(run);
  const auto began = clock::now();
  while (!run.interrupted && seconds_since(began) < how.seconds)
    std::this_thread::sleep_for(poll_interval);
  meter.end(to);
  return {};
}

outcome<void> run_step(run_context& run, const restart_step& how, step_report& to) {
  auto before = count_points(run);
  if (!before) return std::unexpected(std::move(before).error());
  const auto down = clock::now();
  if (how.kill) {
    run.process->kill();
  } else if (auto stopped = run.process->stop(); !stopped) {
    return stopped;
  }
  const double down_seconds = seconds_since(down);
  const auto began = clock::now();
  auto ready = run.process->start(run.interrupted);
  if (!ready) return std::unexpected(std::move(ready).error());
  run.server_pid = run.process->pid();
  // Ready is what the server says; an answered search is what its users wait for.
  control_client searcher(run.server, &run.interrupted);
  const std::string request = run.encoder->search(how.search, nullptr, 0, 1);
  const std::string body = request.substr(request.find("\r\n\r\n") + 4);
  for (;;) {
    const auto answered = searcher.ask("POST", run.collection_path() + "/points/query", body);
    if (answered && answered->is_success()) {
      const auto ids = read_search_answer(answered->body, false);
      if (ids && ids->front().size() == std::min<std::uint64_t>(how.search.limit, *before)) break;
    }
    if (run.interrupted) return fail_with(exit_code::interrupted, "interrupted");
    if (seconds_since(began) > run.plan.server->start_seconds_max)
      return fail_with(exit_code::too_few_points, "no whole answer to a search after the restart");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  to.facts.emplace_back(how.kill ? "killed in seconds" : "stopped in seconds",
                        fmt::format("{:.3f}", down_seconds));
  to.facts.emplace_back("ready after seconds", fmt::format("{:.3f}", *ready));
  to.facts.emplace_back("first whole answer after seconds",
                        fmt::format("{:.3f}", seconds_since(began)));
  auto after = count_points(run);
  if (!after) return std::unexpected(std::move(after).error());
  to.facts.emplace_back("points before", fmt::format("{}", *before));
  to.facts.emplace_back("points after", fmt::format("{}", *after));
  to.seconds = seconds_since(down);
  if (*after != *before)
    return fail_with(
        exit_code::too_few_points,
        fmt::format("too few points: {} before the restart, {} after", *before, *after));
  return {};
}

}  // namespace vexfs::bench
