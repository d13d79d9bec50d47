// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "core/payload/print.h"
#include "net/rest/encode.h"
#include "net/rest/server_state.h"

namespace vexfs::rest {
namespace {

constexpr double microseconds_of_second = 1e6;
/// Durations are only of these: a refusal's is of no interest.
constexpr std::uint16_t timed_status = 200;

class metrics_printer {
 public:
  explicit metrics_printer(std::string& out) : out_(out) {}

  /// What follows are values of this one.
  void family(std::string_view name, std::string_view kind, std::string_view help) {
    name_ = name;
    out_ += "# HELP ";
    out_ += name;
    out_ += ' ';
    out_ += help;
    out_ += "\n# TYPE ";
    out_ += name;
    out_ += ' ';
    out_ += kind;
    out_ += '\n';
  }
  template <class Number>
  void value(std::string_view labels, Number number, std::string_view suffix = "") {
    out_ += name_;
    out_ += suffix;
    if (!labels.empty()) {
      out_ += '{';
      out_ += labels;
      out_ += '}';
    }
    out_ += ' ';
    append_json_number(out_, number);
    out_ += '\n';
  }
  void gauge(std::string_view name, std::string_view help, std::uint64_t number) {
    family(name, "gauge", help);
    value("", number);
  }
  void counter(std::string_view name, std::string_view help, std::uint64_t number) {
    family(name, "counter", help);
    value("", number);
  }

 private:
  std::string& out_;
  std::string_view name_;
};

/// name="value", escaped.
std::string label(std::string_view name, std::string_view value) {
  std::string text(name);
  text += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
  text += '"';
  return text;
}

/// What reads and writes points is exported; not the single point, nor collections themselves.
bool is_exported(std::string_view pattern) {
  constexpr std::string_view collection = "/collections/{collection_name}/";
  if (!pattern.starts_with(collection)) return false;
  pattern.remove_prefix(collection.size());
  return pattern == "index" || pattern.starts_with("vectors/") || pattern == "points" ||
         (pattern.starts_with("points/") && !pattern.starts_with("points/{"));
}

struct exported_count {
  std::string labels;
  const answer_count* count;
  bool timed;
};

void gather(const server_state& state, const route_counts& counts, const std::string* collection,
            std::vector<exported_count>& out) {
  for (std::uint32_t index = 0; index < counts.size(); ++index) {
    const http::route& route = *(*state.routes)[index];
    const std::string pattern = pattern_of(route);
    if (!is_exported(pattern)) continue;
    for (const auto& [status, count] : counts[index]) {
      std::string labels = label("method", word_of(route.verb)) + "," + label("endpoint", pattern) +
                           "," + label("status", std::to_string(status));
      if (collection) labels += "," + label("collection", *collection);
      out.push_back({std::move(labels), &count, status == timed_status});
    }
  }
}

void append_requests(metrics_printer& out, const server_state& state, bool per_collection) {
  std::vector<exported_count> counts;
  if (per_collection) {
    for (const auto& [name, routes] : state.requests.by_collection)
      gather(state, routes, &name, counts);
  } else {
    gather(state, state.requests.all, nullptr, counts);
  }
  if (counts.empty()) return;
  const auto seconds = [](std::uint64_t us) {
    return static_cast<double>(us) / microseconds_of_second;
  };
  out.family("rest_responses_total", "counter", "total number of responses");
  for (const exported_count& one : counts)
    out.value(one.labels, one.count->count);
  const auto durations = [&](std::string_view name, std::string_view help, auto&& of) {
    out.family(name, "gauge", help);
    for (const exported_count& one : counts)
      if (one.timed) out.value(one.labels, of(*one.count));
  };
  durations("rest_responses_avg_duration_seconds", "average response duration",
            [&](const answer_count& count) {
              return seconds(count.total_us) / static_cast<double>(count.count);
            });
  durations("rest_responses_min_duration_seconds", "minimum response duration",
            [&](const answer_count& count) { return seconds(count.min_us); });
  durations("rest_responses_max_duration_seconds", "maximum response duration",
            [&](const answer_count& count) { return seconds(count.max_us); });
  out.family("rest_responses_duration_seconds", "histogram", "response duration histogram");
  for (const exported_count& one : counts) {
    if (!one.timed) continue;
    std::uint64_t below = 0;
    for (std::size_t b = 0; b < answer_count::bounds_us.size(); ++b) {
      below += one.count->buckets[b];
      std::string bound;
      append_json_number(bound, seconds(answer_count::bounds_us[b]));
      if (bound.ends_with(".0")) bound.resize(bound.size() - 2);
      out.value(one.labels + "," + label("le", bound), below, "_bucket");
    }
    out.value(one.labels + "," + label("le", "+Inf"), one.count->count, "_bucket");
    out.value(one.labels, seconds(one.count->total_us), "_sum");
    out.value(one.labels, one.count->count, "_count");
  }
}

void append_collections(metrics_printer& out, const server_state& state) {
  out.gauge("collections_total", "number of collections", state.collections.size());
  std::uint64_t vectors = 0;
  for (const auto& [name, info] : state.collections)
    for (const vector_column_info& one : info.vectors)
      vectors += one.count;
  out.gauge("collections_vector_total", "total number of vectors in all collections", vectors);
  const auto each = [&](std::string_view name, std::string_view help, auto&& value) {
    if (state.collections.empty()) return;
    out.family(name, "gauge", help);
    for (const auto& [collection, info] : state.collections)
      out.value(label("id", collection), std::uint64_t{value(info)});
  };
  each("collection_points", "approximate amount of points per collection",
       [](const collection_info& info) { return info.points_count; });
  if (vectors > 0) {
    out.family("collection_vectors", "gauge", "amount of vectors grouped by vector name");
    for (const auto& [collection, info] : state.collections)
      for (const vector_column_info& one : info.vectors)
        out.value(label("collection", collection) + "," + label("vector", one.name), one.count);
  }
  const auto one = [](const collection_info&) { return 1U; };
  const auto none = [](const collection_info&) { return 0U; };
  each("collection_active_replicas_min", "minimum number of active replicas across all shards",
       one);
  each("collection_active_replicas_max", "maximum number of active replicas across all shards",
       one);
  out.gauge("collection_dead_replicas", "total amount of shard replicas in non-active state", 0);
  each("collection_running_optimizations", "number of currently running optimization tasks", none);
  each("collection_update_queue_length", "length of the update queue",
       [](const collection_info& info) { return info.update_queue_length; });
}

void append_process(metrics_printer& out, const io::process_statistics& process) {
  out.gauge("memory_active_bytes", "Total number of bytes in active pages", process.heap_bytes);
  out.gauge("memory_allocated_bytes", "Total number of bytes allocated by the application",
            process.heap_used_bytes);
  out.gauge("memory_resident_bytes", "Maximum number of bytes in physically resident data pages",
            process.resident_bytes);
  out.gauge("memory_retained_bytes", "Total number of bytes kept for later allocations",
            process.heap_bytes - process.heap_used_bytes);
  out.gauge("process_threads", "count of active threads", process.thread_count);
  out.gauge("process_open_mmaps", "count of open mmaps", process.mapping_count);
  out.gauge("system_max_mmaps", "system wide limit of open mmaps", process.mapping_count_max);
  out.gauge("process_open_fds", "count of currently open file descriptors",
            process.open_file_count);
  out.gauge("process_max_fds", "limit for open file descriptors", process.open_file_count_max);
  out.counter("process_minor_page_faults_total", "count of minor page faults",
              process.minor_fault_count);
  out.counter("process_major_page_faults_total", "count of disk accesses caused by page faults",
              process.major_fault_count);
}

}  // namespace

void append_metrics(std::string& text, const server_state& state, bool per_collection) {
  metrics_printer out(text);
  out.family("app_info", "gauge", "information about qdrant server");
  out.value(label("name", "qdrant") + "," + label("version", served_version), std::uint64_t{1});
  out.gauge("app_status_recovery_mode", "is running in recovery mode", 0);
  append_collections(out, state);
  out.gauge("cluster_enabled", "is cluster support enabled", 0);
  append_requests(out, state, per_collection);
  append_process(out, state.process);
}

}  // namespace vexfs::rest
