// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/vexbench/control_client.h"
#include "bench/vexbench/dataset.h"
#include "bench/vexbench/load.h"
#include "bench/vexbench/point_lives.h"
#include "bench/vexbench/progress.h"
#include "bench/vexbench/recall.h"
#include "bench/vexbench/report.h"
#include "bench/vexbench/rest_encoder.h"
#include "bench/vexbench/scenario.h"
#include "bench/vexbench/server_process.h"
#include "bench/vexbench/target.h"

namespace vexfs::bench {

struct run_options {
  std::uint32_t threads = 1;          // of the generator
  std::optional<pid_t> server_pid{};  // found by the port where it is not given
  std::string storage_folder{};       // of a server that was not started here
  std::string cache_folder{};         // of truths; empty: beside the data
  double patience_seconds = 60;       // how long a server may not answer at all
};

/// What all steps of a run share.
struct run_context {
  const scenario& plan;
  const target& server;
  const run_options& options;
  const std::atomic<bool>& interrupted;
  progress& shown;

  std::unique_ptr<dataset> data{};
  std::unique_ptr<rest_encoder> encoder{};
  control_client client{server, &interrupted};
  std::unique_ptr<server_process> process{};
  std::optional<pid_t> server_pid{};
  std::uint32_t present_count = 0;  // points [0, present_count) are in the collection
  run_report report{};
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();

  [[nodiscard]] std::string collection_path() const {
    return "/collections/" + plan.collection.name;
  }
  [[nodiscard]] double seconds_so_far() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
  [[nodiscard]] std::string storage_folder() const {
    return plan.server ? plan.server->storage : options.storage_folder;
  }
  [[nodiscard]] load::options load_options() const {
    return {.threads = options.threads,
            .seed = plan.seed,
            .drain_ns_max = static_cast<std::int64_t>(options.patience_seconds * 1e9)};
  }
};

/// Stands around the measured part of a step and fills in what the server and the machine used.
class step_meter {
 public:
  explicit step_meter(run_context& run);
  void end(step_report& to);

 private:
  [[nodiscard]] std::optional<std::map<std::string, double>> read_metrics();
  run_context& run_;
  std::optional<process_cost> cost_;
  std::optional<std::map<std::string, double>> metrics_;
  std::optional<machine_time> machine_;
  double own_cpu_ = 0;
  std::chrono::steady_clock::time_point began_;
};

enum class drive_end : std::uint8_t { time_is_up, exhausted, interrupted, failed };

/// Shows progress until the time is up, a stream is exhausted, the user has had enough, a worker
/// fails, nothing but errors comes, or nothing at all.
[[nodiscard]] drive_end drive(run_context& run, load& running, const std::string& what,
                              std::optional<double> seconds, std::optional<std::size_t> stream);

/// The rate and the words of a sending, with shares of other steps' rates worked out.
[[nodiscard]] outcome<stream> make_stream(const run_context& run, const sending& how);
[[nodiscard]] std::string describe(const stream& of);

/// A kind's figures of one phase as a report.
[[nodiscard]] operation_report report_of(load_result& measured, std::uint32_t phase,
                                         std::uint32_t kind, std::string name, std::string units,
                                         const stream& sent);
/// Judges answers with all processors: no load is under way then. After Ctrl-C only some of them.
[[nodiscard]] outcome<std::optional<recall_report>> judge_answers(
    run_context& run, const search_spec& how, const row_filter* filter,
    std::vector<const sample*> answers, const point_lives* lives);
/// What a load leaves beside its operations.
void take_rest(step_report& to, load_result& measured);

/// Requests lie in memory before the first is sent: so many bytes of them.
[[nodiscard]] outcome<void> check_size(const request_set& requests);

/// All queries as requests; request t asks the queries from t x batch on.
[[nodiscard]] outcome<request_set> encode_searches(const run_context& run, const search_spec& how,
                                                   const row_filter* filter);
[[nodiscard]] std::string query_units(const search_spec& how);

/// Asks until the collection is green; false when the time is up first.
[[nodiscard]] outcome<bool> is_settled(run_context& run);
[[nodiscard]] outcome<std::uint64_t> count_points(run_context& run);
/// Acknowledged is not enough to search in: the server must have all points; at once, or where it
/// was not asked to wait, soon.
[[nodiscard]] outcome<void> await_points(run_context& run, bool at_once, step_report& to);

// The steps. Each fills in what it measured, also when it fails or is interrupted on the way.
[[nodiscard]] outcome<void> run_step(run_context& run, const create_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const index_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const settle_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const pause_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const upload_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const request_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const search_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const sweep_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const mixed_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const churn_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const update_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const restart_step& how, step_report& to);
[[nodiscard]] outcome<void> run_step(run_context& run, const solve_step& how, step_report& to);

/// Calls `load_once`, which appends an operation of that name to the step: for the rate that is
/// given or the closed loop that is asked for, else for the peak in a closed loop and then for the
/// latencies in an open one at a share of that.
[[nodiscard]] outcome<void> measure(
    run_context& run, const sending& how, const std::string& name, const std::string& latency_name,
    step_report& to,
    const std::function<outcome<void>(const sending&, const std::string&)>& load_once);

/// The same for searches.
[[nodiscard]] outcome<void> measure_searches(run_context& run, const search_step& how,
                                             const std::string& name,
                                             const std::string& latency_name, step_report& to);

/// Points [first, last) as requests of `batch` each; request t has those from first + t x batch on.
[[nodiscard]] outcome<request_set> encode_upload(const run_context& run, std::uint32_t first,
                                                 std::uint32_t last, const upload_step& how);

}  // namespace vexfs::bench
