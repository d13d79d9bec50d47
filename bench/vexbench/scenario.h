// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bench/vexbench/distance.h"
#include "bench/vexbench/exit_code.h"
#include "bench/vexbench/generate.h"
#include "bench/vexbench/pacer.h"

// What a scenario file says, as plain values. README.md has the keys; scenario_reader.cc reads
// them, and refuses what it does not know.
namespace vexfs::bench {

struct data_spec {
  std::string base;  // files; or `made`
  std::string queries;
  std::string truth;    // optional: the data set's own, instead of computing it
  std::string payload;  // JSON lines, line i for row i
  std::optional<recipe> made;
  metric distance = metric::cosine;
  std::uint32_t points_max = UINT32_MAX;
  std::uint32_t queries_max = UINT32_MAX;
  std::uint32_t payload_bytes = 0;  // of a made text field in every payload
  bool filter_fields = false;       // adds the integers `uniform` and `correlated`
};

struct collection_spec {
  std::string name = "vexbench";
  std::string settings = "{}";                               // merged into the body of its creation
  std::string vector_settings = "{}";                        // merged into `vectors`
  std::vector<std::pair<std::string, std::string>> indexes;  // field, schema as JSON
};

struct server_spec {
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  std::string storage;  // a folder of its own, emptied before the first start
  std::uint32_t start_seconds_max = 120;
};

/// How a stream's requests are sent.
struct sending {
  std::uint32_t connections = 1;
  std::uint32_t pipeline = 1;
  std::optional<double> rate{};        // requests a second: an open loop
  std::optional<double> rate_share{};  // the same as a share of what an earlier step reached
  std::string rate_of{};               // that step
  arrivals spacing = arrivals::poisson;
  // Of steps that measure, where no rate is given: a closed loop for the peak, then an open one at
  // this share of it for the latencies. `mode: closed` measures the peak alone.
  bool is_closed = false;
  double latency_share = 0.8;

  [[nodiscard]] bool has_rate() const { return rate || rate_share; }
};

/// Which of the points that stand together on `correlated` pass a filter.
enum class filter_place : std::uint8_t {
  fixed,  // the same for all queries: around some, far from others
  near,   // those around the query
  far,    // those at the other end
};

/// One of: pass (a share, on `uniform` or `correlated`), below, equals.
struct filter_spec {
  std::string field;
  std::optional<double> pass{};
  filter_place where = filter_place::fixed;
  std::optional<std::int64_t> below{};
  std::optional<std::string> equals{};
};

struct search_spec {
  std::uint32_t limit = 10;
  std::uint32_t batch = 1;
  std::optional<std::uint32_t> hnsw_ef{};
  bool exact = false;
  bool with_payload = false;
  bool with_vector = false;
  std::optional<filter_spec> filter{};
};

struct create_step {};
struct index_step {};
struct settle_step {
  double seconds_max = 3600;
};
struct pause_step {
  double seconds = 1;
};
struct upload_step {
  sending how{.connections = 2};
  std::uint32_t batch = 100;
  bool wait = true;
  double from = 0;  // shares of the points
  double to = 1;
};
struct request_step {
  sending how;
  std::string method = "GET";
  std::string path = "/";
  std::string body;
  double seconds = 10;
};
struct search_step {
  sending how;
  search_spec search;
  double seconds = 10;
  double samples_per_second = 50;  // answers judged for recall
};
struct sweep_step {
  sending how;
  search_spec search;
  double seconds = 5;
  double samples_per_second = 50;
  std::string field = "uniform";
  filter_place where = filter_place::fixed;
  std::vector<double> pass{0.0001, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99};
};
/// Searches all the time; idle, then an upload, then until the server has settled, then idle.
struct mixed_step {
  search_step search;
  upload_step upload;
  double idle_seconds = 10;
  double drain_seconds_max = 3600;
};
/// Which points a round of a churn takes.
enum class churn_choice : std::uint8_t {
  random,
  clusters,  // those that are near each other: a part of the space is empty for a while
};
/// Searches all the time, while a share of the points is deleted and put back, again and again.
struct churn_step {
  search_step search;
  sending how{.connections = 2};
  std::uint32_t batch = 100;
  std::uint32_t rounds = 10;
  double share = 0.3;
  churn_choice choice = churn_choice::random;
  bool wait = true;
};
/// Searches all the time, while the same points are written again with other vectors of the same
/// direction: what is nearest stays the same, and every write is one.
struct update_step {
  search_step search;
  sending how{.connections = 2};
  std::uint32_t batch = 100;
  double share = 0.1;
  double seconds = 30;
  bool wait = true;
};
/// kill -9 and start again; every point must be there.
struct restart_step {
  bool kill = true;
  search_spec search;
};
/// The smallest hnsw_ef that reaches each recall, and the figures there.
struct solve_step {
  search_spec search;
  std::vector<double> targets{0.90, 0.95, 0.99};
  std::uint32_t ef_max = 4096;
  sending peak{.connections = 32};
  double seconds = 5;
};

using step_spec = std::variant<create_step, index_step, settle_step, pause_step, upload_step,
                               request_step, search_step, sweep_step, mixed_step, churn_step,
                               update_step, restart_step, solve_step>;

struct step {
  std::string kind;  // the key in the file
  std::string name;  // unique; by default the kind, numbered
  step_spec spec;
};

/// A row of the summary's table: a measured value beside what was published and what is wanted.
struct table_row {
  std::string what;
  std::string step;
  std::string operation;  // of that step; empty: the first
  // Of a solve step: operation is `peak` or `latency`, where this recall was reached.
  std::optional<double> target{};
  std::string value;      // one of table_values()
  std::string published;  // as text
  std::optional<double> at_least{};
  std::optional<double> at_most{};
};

struct scenario {
  std::string name;
  std::string file;
  std::uint64_t seed = 1;
  std::map<std::string, std::string> variables;  // as used
  std::optional<server_spec> server;
  std::optional<data_spec> data;
  collection_spec collection;
  std::vector<step> steps;
  std::string table_title;
  std::vector<table_row> table;
};

/// `given` come from the command line and win over the file's `variables`. The failure's text is
/// FILE:LINE: key: why.
[[nodiscard]] outcome<scenario> read_scenario(const std::string& file,
                                              const std::map<std::string, std::string>& given);

}  // namespace vexfs::bench
