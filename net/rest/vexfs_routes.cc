// SPDX-License-Identifier: Apache-2.0
#include "net/rest/handler.h"
#include "net/rest/rest_service.h"
#include "net/rest/routes.h"
#include "net/rest/separator.h"

namespace vexfs::rest {
namespace {

void append_member(std::string& out, std::string_view name, auto value) {
  out += ",\"";
  out += name;
  out += "\":";
  append_json_number(out, value);
}

void append_optional(std::string& out, std::string_view name, std::optional<double> value) {
  if (value) {
    append_member(out, name, *value);
    return;
  }
  out += ",\"";
  out += name;
  out += "\":null";
}

void append_graph(std::string& out, const vector_report& report) {
  if (!report.graph) {
    out += ",\"graph\":null";
    return;
  }
  out += R"(,"graph":{"complete":)";
  out += report.graph->complete ? "true" : "false";
  append_member(out, "linked", std::uint64_t{report.graph->linked_count});
  append_member(out, "tail", std::uint64_t{report.graph->tail_count});
  append_member(out, "dead", std::uint64_t{report.graph->dead_count});
  append_member(out, "bytes_per_vector", std::uint64_t{report.storage.graph_bytes});
  append_optional(out, "linked_per_second", report.linked_per_second);
  append_optional(out, "sampled_recall", report.sampled_recall);
  out += '}';
}

void append_report(std::string& out, const std::vector<vector_report>& reports) {
  out += "{\"vectors\":{";
  separator comma(out);
  for (const vector_report& one : reports) {
    comma.next();
    append_json_string(out, one.name);
    out += ":{\"count\":";
    append_json_number(out, one.vectors);
    append_member(out, "original_bytes_per_vector", std::uint64_t{one.original_bytes});
    out += one.on_disk ? R"(,"originals":"disk")" : R"(,"originals":"memory")";
    out += ",\"codes\":";
    append_json_string(out, one.storage.codes);
    append_member(out, "code_bytes_per_vector", std::uint64_t{one.storage.code_bytes});
    append_member(out, "device_bytes", one.device_bytes);
    append_optional(out, "centre_from_zero", one.centre_from_zero);
    append_graph(out, one);
    out += '}';
  }
  out += "}}";
}

io::detached print_report(http::exchange& call, database& data) {
  auto reporting = data.report(collection_of(call), call.memory);
  VEXFS_OR_FINISH(const auto reports, call, co_await reporting);
  finish_result(call, [&](std::string& out) { append_report(out, reports); });
}

void get_report(http::exchange& call, void* context) {
  print_report(call, static_cast<rest_service*>(context)->data);
}

}  // namespace

void add_vexfs_routes(http::router& router, rest_service& service) {
  router.add(http::method::get, "/vexfs/collections/{name}", get_report, &service,
             static_cast<std::uint32_t>(access::read));
}

}  // namespace vexfs::rest
