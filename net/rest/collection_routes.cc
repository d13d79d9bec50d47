// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/limits.h"
#include "net/rest/decode/decode_config.h"
#include "net/rest/encode.h"
#include "net/rest/handler.h"
#include "net/rest/rest_service.h"
#include "net/rest/routes.h"
#include "net/rest/separator.h"

namespace vexfs::rest {
namespace {

database& data_of(void* context) {
  return static_cast<rest_service*>(context)->data;
}

void list_collections(http::exchange& call, void* context) {
  const auto names = data_of(context).collection_names();
  finish_result(call, [&](std::string& out) {
    out += "{\"collections\":[";
    for (std::size_t i = 0; i < names.size(); ++i) {
      out += i > 0 ? ",{\"name\":" : "{\"name\":";
      append_json_string(out, names[i]);
      out += '}';
    }
    out += "]}";
  });
}

io::detached print_info(http::exchange& call, rest_service& service) {
  const std::string name(collection_of(call));
  const auto version = service.data.info_version(name);
  auto asking = service.data.info(name);
  VEXFS_OR_FINISH(const auto info, call, co_await asking);
  finish_result(call, [&](std::string& out) {
    append_collection_info(out, info);
    // Kept without its time, which is printed anew. A change during the printing shows in the
    // version, which was read before.
    auto& cache = service.info_cache[io::loop::current().core_index()];
    rest_service::cached_info* place = nullptr;
    for (auto& entry : cache)
      if (entry.name == name) place = &entry;
    if (!place && cache.size() < info_cache_entries_max) place = &cache.emplace_back();
    if (!place) place = &cache.front();
    place->name = name;
    place->version = version.value_or(0);
    place->body = out;
  });
}

/// The front end's busiest read, answered without suspension from what was printed last.
void get_collection(http::exchange& call, void* context) {
  auto& service = *static_cast<rest_service*>(context);
  const std::string_view name = collection_of(call);
  const auto version = service.data.info_version(name);
  for (const auto& entry : service.info_cache[io::loop::current().core_index()]) {
    if (entry.name != name || !version || entry.version != *version) continue;
    std::string& out = call.answer.body;
    out.assign(entry.body);
    out += ",\"status\":\"ok\",\"time\":";
    append_json_number(out, seconds_since(call.started));
    out += '}';
    call.finish();
    return;
  }
  print_info(call, service);
}

void get_exists(http::exchange& call, void* context) {
  const bool exists = data_of(context).exists(collection_of(call));
  finish_result(call, [&](std::string& out) {
    out += exists ? R"({"exists":true})" : R"({"exists":false})";
  });
}

io::detached create(http::exchange& call, database& data) {
  const std::string name(collection_of(call));
  if (const std::string bad = check_collection_name(name); !bad.empty()) {
    finish_error(call, {errc::invalid, "Validation error in path parameters: [name: " + bad + "]"});
    co_return;
  }
  VEXFS_OR_FINISH([[maybe_unused]] const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(auto config, call, decode_create_collection(call.in.body, call.memory));
  auto creating = data.create_collection(name, std::move(config));
  const auto created = co_await creating;
  if (!created)
    finish_error(call, created.error());
  else
    finish_true(call);
}

io::detached change(http::exchange& call, database& data) {
  VEXFS_OR_FINISH([[maybe_unused]] const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(auto decoded, call, decode_update_collection(call.in.body, call.memory));
  auto changing = data.change_collection(std::string(collection_of(call)), std::move(decoded));
  const auto changed = co_await changing;
  if (!changed)
    finish_error(call, changed.error());
  else
    finish_true(call);
}

io::detached remove(http::exchange& call, database& data) {
  auto removing = data.delete_collection(std::string(collection_of(call)));
  VEXFS_OR_FINISH(const auto removed, call, co_await removing);
  finish_result(call, [&](std::string& out) { out += removed ? "true" : "false"; });
}

io::detached change_aliases(http::exchange& call, database& data) {
  VEXFS_OR_FINISH(auto actions, call, decode_alias_actions(call.in.body, call.memory));
  auto changing = data.change_aliases(std::move(actions));
  const auto changed = co_await changing;
  if (!changed)
    finish_error(call, changed.error());
  else
    finish_true(call);
}

void list_aliases(http::exchange& call, void* context) {
  const auto aliases = data_of(context).aliases();
  finish_result(call, [&](std::string& out) { append_aliases(out, aliases); });
}

void list_collection_aliases(http::exchange& call, void* context) {
  database& data = data_of(context);
  if (!data.exists(collection_of(call))) {
    finish_error(call, {errc::not_found,
                        "Collection `" + std::string(collection_of(call)) + "` doesn't exist!"});
    return;
  }
  auto aliases = data.aliases();
  std::erase_if(
      aliases, [&](const alias_description& one) { return one.collection != collection_of(call); });
  finish_result(call, [&](std::string& out) { append_aliases(out, aliases); });
}

io::detached get_cluster_info(http::exchange& call, rest_service& service) {
  auto asking = service.data.info(collection_of(call));
  VEXFS_OR_FINISH(const auto info, call, co_await asking);
  finish_result(call, [&](std::string& out) {
    out += "{\"peer_id\":";
    append_json_number(out, service.peer_id());
    out += R"(,"shard_count":1,"local_shards":[{"shard_id":0,"points_count":)";
    append_json_number(out, info.points_count);
    out += R"(,"state":"Active"}],"remote_shards":[],"shard_transfers":[]})";
  });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool linked_whole(const collection_info& info) {
  return std::ranges::all_of(info.vectors, [](const auto& one) { return one.waiting == 0; });
}

/// One running optimization a vector whose graph is behind. To the eyes of clients a collection is
/// one segment, which has no name of its own.
void append_running(std::string& out, const collection_info& info) {
  out += R"({"summary":{"queued_optimizations":0,"queued_segments":0,"queued_points":0,)"
         R"("idle_segments":)";
  out += linked_whole(info) ? '1' : '0';
  out += R"(},"running":[)";
  separator comma(out);
  for (const vector_column_info& one : info.vectors) {
    if (one.waiting == 0) continue;
    comma.next();
    out += R"({"uuid":"00000000-0000-0000-0000-000000000000","optimizer":"indexing",)"
           R"("status":"optimizing","segments":[{"uuid":"00000000-0000-0000-0000-000000000000",)"
           R"("points_count":)";
    append_json_number(out, info.points_count);
    out += R"(}],"progress":{"name":)";
    append_json_string(out, one.name.empty() ? "linking" : "linking " + one.name);
    out += ",\"done\":";
    append_json_number(out, one.count - one.waiting);
    out += ",\"total\":";
    append_json_number(out, one.count);
    out += "}}";
  }
  out += ']';
}

io::detached get_optimizations(http::exchange& call, database& data) {
  auto asking = data.info(collection_of(call));
  VEXFS_OR_FINISH(const auto info, call, co_await asking);
  // Nothing is ever queued: points are searchable as they are inserted, and linked at once.
  bool queued = false;
  bool completed = false;
  bool idle = false;
  bool known = true;
  const bool whole = http::visit_query(
      call.in.query, call.memory, [&](std::string_view name, std::string_view value) {
        if (name != "with") return;
        while (!value.empty()) {
          const auto comma = value.find(',');
          const std::string_view token = trim(value.substr(0, comma));
          value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
          queued = queued || token == "queued";
          completed = completed || token == "completed";
          idle = idle || token == "idle_segments";
          known = known && (token == "queued" || token == "completed" || token == "idle_segments");
        }
      });
  if (!whole || !known) {
    finish_error(call, {errc::bad_request, "Unknown field in 'with' parameter"});
    co_return;
  }
  finish_result(call, [&](std::string& out) {
    append_running(out, info);
    if (queued) out += R"(,"queued":[])";
    if (completed) out += R"(,"completed":[])";
    // A collection is one segment to the eyes of clients.
    if (idle && linked_whole(info)) {
      out += R"(,"idle_segments":[{"uuid":"00000000-0000-0000-0000-000000000000","points_count":)";
      append_json_number(out, info.points_count);
      out += "}]";
    } else if (idle) {
      out += R"(,"idle_segments":[])";
    }
    out += '}';
  });
}

void get_cluster(http::exchange& call, void* context) {
  get_cluster_info(call, *static_cast<rest_service*>(context));
}

template <io::detached (*Run)(http::exchange&, database&)>
void run(http::exchange& call, void* context) {
  Run(call, data_of(context));
}

}  // namespace

void add_collection_routes(http::router& router, rest_service& service) {
  using http::method;
  constexpr auto read = static_cast<std::uint32_t>(access::read);
  constexpr auto write = static_cast<std::uint32_t>(access::write);
  router.add(method::get, "/collections", list_collections, &service, read);
  router.add(method::get, "/collections/{name}", get_collection, &service, read);
  router.add(method::put, "/collections/{name}", run<create>, &service, write);
  router.add(method::patch, "/collections/{name}", run<change>, &service, write);
  router.add(method::remove, "/collections/{name}", run<remove>, &service, write);
  router.add(method::get, "/collections/{name}/exists", get_exists, &service, read);
  router.add(method::get, "/collections/{name}/cluster", get_cluster, &service, read);
  router.add(method::get, "/collections/{name}/optimizations", run<get_optimizations>, &service,
             read);
  router.add(method::post, "/collections/aliases", run<change_aliases>, &service, write);
  router.add(method::get, "/collections/{name}/aliases", list_collection_aliases, &service, read);
  router.add(method::get, "/aliases", list_aliases, &service, read);
}

}  // namespace vexfs::rest
