// SPDX-License-Identifier: Apache-2.0
#include "core/payload/datetime.h"
#include "core/payload/print.h"
#include "net/rest/encode.h"
#include "net/rest/encode_config.h"
#include "net/rest/separator.h"
#include "net/rest/server_state.h"

namespace vexfs::rest {
namespace {

void append_count(std::string& out, const answer_count& count) {
  out += "{\"count\":";
  append_json_number(out, count.count);
  out += ",\"avg_duration_micros\":";
  append_json_number(out, static_cast<float>(count.total_us) / static_cast<float>(count.count));
  out += ",\"min_duration_micros\":";
  append_json_number(out, static_cast<float>(count.min_us));
  out += ",\"max_duration_micros\":";
  append_json_number(out, static_cast<float>(count.max_us));
  out += ",\"total_duration_micros\":";
  append_json_number(out, count.total_us);
  out += ",\"last_responded\":\"";
  out += print_datetime(count.last_us);
  out += "\"}";
}

void append_responses(std::string& out, const server_state& state, const route_counts& counts) {
  out += '{';
  separator comma(out);
  for (std::uint32_t index = 0; index < counts.size(); ++index) {
    if (counts[index].empty()) continue;
    const http::route& route = *(*state.routes)[index];
    comma.next();
    append_json_string(out, std::string(word_of(route.verb)) + " " + pattern_of(route));
    out += ":{";
    separator inner(out);
    for (const auto& [status, count] : counts[index]) {
      inner.next();
      out += '"';
      append_json_number(out, std::uint64_t{status});
      out += "\":";
      append_count(out, count);
    }
    out += '}';
  }
  out += '}';
}

void append_requests(std::string& out, const server_state& state, bool per_collection) {
  out += "{\"rest\":{\"responses\":";
  append_responses(out, state, state.requests.all);
  if (per_collection) {
    out += ",\"per_collection_responses\":{";
    separator comma(out);
    for (const auto& [name, counts] : state.requests.by_collection) {
      comma.next();
      append_json_string(out, name);
      out += ':';
      append_responses(out, state, counts);
    }
    out += '}';
  }
  out += "},\"grpc\":{\"responses\":{}";
  if (per_collection) out += ",\"per_collection_responses\":{}";
  out += "}}";
}

void append_vector_numbers(std::string& out, const collection_info& info, auto&& append) {
  out += '{';
  separator comma(out);
  for (const vector_column_info& one : info.vectors) {
    comma.next();
    append_json_string(out, one.name);
    out += ':';
    append(one);
  }
  out += '}';
}

struct vector_totals {
  std::uint64_t count = 0, bytes = 0, disk_bytes = 0;
};
vector_totals totals_of(const collection_info& info) {
  vector_totals totals;
  for (const vector_column_info& one : info.vectors) {
    totals.count += one.count;
    totals.bytes += one.bytes;
    if (one.on_disk) totals.disk_bytes += one.bytes;
  }
  return totals;
}

void append_optimizer_status(std::string& out, const collection_info& info) {
  if (info.optimizer_error.empty()) {
    out += "\"ok\"";
    return;
  }
  out += "{\"error\":";
  append_json_string(out, info.optimizer_error);
  out += '}';
}

void append_member(std::string& out, std::string_view name, std::uint64_t value) {
  out += ",\"";
  out += name;
  out += "\":";
  append_json_number(out, value);
}

/// A collection is one segment to the eyes of clients.
void append_segment(std::string& out, const collection_info& info) {
  const vector_totals totals = totals_of(info);
  out += R"({"info":{"uuid":"00000000-0000-0000-0000-000000000000","segment_type":"plain")";
  append_member(out, "num_vectors", totals.count);
  append_member(out, "num_points", info.points_count);
  append_member(out, "num_indexed_vectors", info.indexed_vectors_count);
  append_member(out, "num_deleted_vectors", 0);
  append_member(out, "vectors_size_bytes", totals.bytes);
  append_member(out, "payloads_size_bytes", info.payload_bytes);
  append_member(out, "ram_usage_bytes", totals.bytes - totals.disk_bytes + info.payload_bytes);
  append_member(out, "disk_usage_bytes", totals.disk_bytes);
  out += R"(,"is_appendable":true,"index_schema":{)";
  separator comma(out);
  for (const payload_index_info& index : info.payload_schema) {
    comma.next();
    append_json_string(out, index.field);
    out += ':';
    append_schema(out, index.schema, index.points);
  }
  out += R"(},"vector_data":)";
  append_vector_numbers(out, info, [&](const vector_column_info& one) {
    out += "{\"num_vectors\":";
    append_json_number(out, one.count);
    append_member(out, "num_indexed_vectors", one.count);
    out += ",\"num_deleted_vectors\":0}";
  });
  out += R"(},"config":{"vector_data":{},"payload_storage_type":{"type":"in_ram_mmap"}},)"
         R"("vector_index_searches":[],"payload_field_indices":[]})";
}

void append_local_shard(std::string& out, const collection_info& info, std::uint64_t level) {
  const vector_totals totals = totals_of(info);
  out += R"({"variant_name":"local","status":")";
  out += word_of_status(info.status);
  out += '"';
  append_member(out, "total_optimized_points", 0);
  append_member(out, "vectors_size_bytes", totals.bytes);
  append_member(out, "payloads_size_bytes", info.payload_bytes);
  append_member(out, "num_points", info.points_count);
  append_member(out, "num_vectors", totals.count);
  out += ",\"num_vectors_by_name\":";
  append_vector_numbers(out, info,
                        [&](const vector_column_info& one) { append_json_number(out, one.count); });
  if (level >= 4) {
    out += ",\"segments\":[";
    append_segment(out, info);
    out += ']';
  }
  out += ",\"optimizations\":{\"status\":";
  append_optimizer_status(out, info);
  out += R"(,"optimizations":{"count":0},"log":[]},"async_scorer":false)";
  if (level >= 4) {
    out += ",\"indexed_only_excluded_vectors\":";
    append_vector_numbers(out, info, [&](const vector_column_info&) { out += '0'; });
  }
  out += ",\"update_queue\":{\"length\":";
  append_json_number(out, info.update_queue_length);
  append_member(out, "op_num", info.applied_sequence);
  out += "}}";
}

void append_collection(std::string& out, const server_state& state, const std::string& name,
                       const collection_info& info, std::uint64_t level) {
  if (level == 1) {
    out += "{\"vectors\":";
    append_json_number(out, totals_of(info).count);
    out += ",\"optimizers_status\":";
    append_optimizer_status(out, info);
    out += ",\"params\":";
    append_params(out, info.config);
    out += '}';
    return;
  }
  out += "{\"id\":";
  append_json_string(out, name);
  out += ",\"init_time_ms\":0,\"config\":";
  append_config(out, info.config);
  if (level >= 3) {
    out += R"(,"shards":[{"id":0,"key":null,"local":)";
    append_local_shard(out, info, level);
    out += R"(,"remote":[],"replicate_states":{")";
    append_json_number(out, state.peer_id);
    out += R"(":"Active"},"partial_snapshot":{"ongoing_create_snapshot_requests":0,)"
           R"("is_recovering":false,"recovery_timestamp":0}}],"transfers":[],"resharding":[])";
  }
  out += '}';
}

void append_collections(std::string& out, const server_state& state, std::uint64_t level) {
  out += "{\"number_of_collections\":";
  append_json_number(out, std::uint64_t{state.collections.size()});
  if (level >= 1) {
    out += ",\"collections\":[";
    separator comma(out);
    for (const auto& [name, info] : state.collections) {
      comma.next();
      append_collection(out, state, name, info, level);
    }
    out += "],\"snapshots\":[]";
  }
  out += '}';
}

void append_app(std::string& out, const server_state& state, std::uint64_t level) {
  out += R"({"name":"qdrant","version":")";
  out += served_version;
  out += '"';
  if (level >= 1)
    out += R"(,"features":{"debug":false,"service_debug_feature":false,"recovery_mode":false,)"
           R"("gpu":false,"rocksdb":false,"staging":false})";
  out += R"(,"startup":")";
  out += print_datetime(state.started_us);
  out += "\"}";
}

void append_memory(std::string& out, const io::process_statistics& process) {
  out += "{\"active_bytes\":";
  append_json_number(out, process.heap_bytes);
  append_member(out, "allocated_bytes", process.heap_used_bytes);
  append_member(out, "metadata_bytes", 0);
  append_member(out, "resident_bytes", process.resident_bytes);
  append_member(out, "retained_bytes", process.heap_bytes - process.heap_used_bytes);
  out += '}';
}

}  // namespace

std::string pattern_of(const http::route& route) {
  constexpr std::string_view ours = "{name}";
  std::string pattern = route.pattern;
  if (const auto place = pattern.find(ours); place != std::string::npos)
    pattern.replace(place, ours.size(), "{collection_name}");
  return pattern;
}

std::string_view word_of(http::method verb) {
  switch (verb) {
    case http::method::get:
      return "GET";
    case http::method::put:
      return "PUT";
    case http::method::post:
      return "POST";
    case http::method::patch:
      return "PATCH";
    case http::method::remove:
      return "DELETE";
    default:
      return "OTHER";
  }
}

void append_telemetry(std::string& out, const server_state& state, std::uint64_t level,
                      bool per_collection) {
  out += "{\"id\":\"";
  append_json_number(out, state.peer_id);
  out += "\",\"app\":";
  append_app(out, state, level);
  out += ",\"collections\":";
  append_collections(out, state, level);
  out += R"(,"cluster":{"enabled":false},"requests":)";
  append_requests(out, state, per_collection);
  if (level >= 1) {
    out += ",\"memory\":";
    append_memory(out, state.process);
    out += R"(,"hardware":{"collection_data":{}})";
    out += R"(,"search_pool":{"mode":"thread_per_core","high_cpu_threads":)";
    append_json_number(out, state.process.thread_count);
    out += R"(,"high_io_threads":0})";
  }
  out += R"(,"quota":{"config":{"enabled":false},"exceeded":{}}})";
}

}  // namespace vexfs::rest
