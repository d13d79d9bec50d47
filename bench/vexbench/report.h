// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/vexbench/environment.h"
#include "bench/vexbench/exit_code.h"
#include "bench/vexbench/histogram.h"
#include "bench/vexbench/process_cost.h"
#include "bench/vexbench/recall.h"
#include "bench/vexbench/recorder.h"
#include "bench/vexbench/scenario.h"

// What a run found, before it is printed as JSON or Markdown.
namespace vexfs::bench {

struct operation_report {
  std::string name;    // unique in its step
  std::string units;   // what one request carries several of: queries, points, requests
  std::string sent;    // in words: "32 connections, closed loop"
  double seconds = 0;  // from the first planned to the last answered
  std::optional<double> rate_planned{};
  tally counts;
  std::optional<recall_report> recall{};
  std::string recall_note;  // why there is none, or of what it is

  [[nodiscard]] double requests_per_second() const {
    return seconds > 0 ? static_cast<double>(counts.answered) / seconds : 0;
  }
  [[nodiscard]] double units_per_second() const {
    return seconds > 0 ? static_cast<double>(counts.units) / seconds : 0;
  }
};

struct solved_point {
  double target = 0;
  std::optional<std::uint32_t> ef{};  // nothing: not reached
  double recall = 0;
};

struct step_report {
  std::string name;
  std::string kind;
  double began_seconds = 0;  // since the run's start
  double seconds = 0;
  std::vector<operation_report> operations;
  histogram pacing;
  double generator_cpu_seconds = 0;
  std::optional<double> generator_waited_seconds = 0;
  std::optional<process_cost> cost{};        // of the server, while the step ran
  std::optional<double> others_cpu_share{};  // of the machine, neither server nor generator
  std::optional<double> stolen_share{};
  std::map<std::string, double> metrics;  // what changed
  std::string metrics_note;
  std::vector<solved_point> solved;
  std::vector<std::pair<double, std::string>> marks;  // seconds of the load, and what began then
  std::vector<std::pair<std::string, std::string>> facts;  // what only this kind of step has
  std::uint64_t samples_dropped = 0;
};

struct run_report {
  std::map<std::string, std::string> environment;
  noise_probe noise_before;
  noise_probe noise_after;
  std::string target_description;  // title and version, as the server says
  std::string server_process;      // whose cost is measured; empty: nobody's
  std::string data_description;
  std::string truth_source;
  double started_at = 0;  // seconds since 1970
  std::uint32_t threads = 1;
  std::vector<step_report> steps;
  std::optional<failure> ended_by{};
  bool interrupted = false;

  /// Why the figures mean little; empty: the machine was quiet.
  [[nodiscard]] std::string noise_verdict() const;
};

}  // namespace vexfs::bench
