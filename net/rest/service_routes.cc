// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "core/payload/print.h"
#include "net/rest/handler.h"
#include "net/rest/rest_service.h"
#include "net/rest/routes.h"

namespace vexfs::rest {
namespace {

constexpr std::string_view root_body =
    R"({"title":"qdrant - vector search engine","version":"1.19.0",)"
    R"("commit":"0000000000000000000000000000000000000000"})";

void text(http::exchange& call, std::string_view body) {
  call.answer.content_type = "text/plain; charset=utf-8";
  call.answer.ready_body = body;
  call.finish();
}

void get_root(http::exchange& call, void*) {
  call.answer.ready_body = root_body;
  call.finish();
}
void get_health(http::exchange& call, void*) {
  text(call, "healthz check passed");
}
void get_ready(http::exchange& call, void*) {
  text(call, "all shards are ready");
}

void get_cluster(http::exchange& call, void*) {
  finish_result(call, [](std::string& out) { out += R"({"status":"disabled"})"; });
}

/// There are none, and PUT refuses to set any.
void get_quotas(http::exchange& call, void*) {
  finish_result(call,
                [](std::string& out) { out += R"({"config":{"enabled":false},"usage":{}})"; });
}

void get_issues(http::exchange& call, void*) {
  finish_result(call, [](std::string& out) { out += R"({"issues":[]})"; });
}
void delete_issues(http::exchange& call, void*) {
  finish_true(call);
}

void get_dashboard(http::exchange& call, void* context) {
  const auto& service = *static_cast<rest_service*>(context);
  if (!service.dashboard)
    call.answer.status = 404;
  else
    service.dashboard->answer(call, call.captures[0]);
  call.finish();
}

/// Members of the query of GET /telemetry and GET /metrics.
struct state_parameters {
  std::uint64_t details_level = 0;
  bool per_collection = false;
};
result<state_parameters> read_state_parameters(http::exchange& call) {
  state_parameters read;
  std::string_view wrong;
  const bool whole = http::visit_query(
      call.in.query, call.memory, [&](std::string_view name, std::string_view value) {
        if (name == "per_collection" || name == "anonymize") {
          if (value != "true" && value != "false") wrong = name;
          if (name == "per_collection") read.per_collection = value == "true";
        } else if (name == "details_level") {
          const auto [end, code] =
              std::from_chars(value.data(), value.data() + value.size(), read.details_level);
          if (code != std::errc{} || end != value.data() + value.size()) wrong = name;
        }
      });
  if (!whole || !wrong.empty())
    return fail(errc::malformed, "Deserialize error in query parameters: invalid value of `" +
                                     std::string(wrong) + "`");
  return read;
}

io::detached get_metrics(http::exchange& call, rest_service& service) {
  const auto parameters = read_state_parameters(call);
  if (!parameters) {
    finish_error(call, parameters.error());
    co_return;
  }
  auto asking = service.state();
  const server_state state = co_await asking;
  call.answer.content_type = "text/plain; charset=utf-8";
  append_metrics(call.answer.body, state, parameters->per_collection);
  call.finish();
}

io::detached get_telemetry(http::exchange& call, rest_service& service) {
  const auto parameters = read_state_parameters(call);
  if (!parameters) {
    finish_error(call, parameters.error());
    co_return;
  }
  auto asking = service.state();
  const server_state state = co_await asking;
  finish_result(call, [&](std::string& out) {
    append_telemetry(out, state, parameters->details_level, parameters->per_collection);
  });
}

template <io::detached (*Run)(http::exchange&, rest_service&)>
void run(http::exchange& call, void* context) {
  Run(call, *static_cast<rest_service*>(context));
}

void not_served(http::exchange& call, void*) {
  finish_error(call, {errc::unsupported, call.matched->pattern + " is not served"});
}

void standalone(http::exchange& call, void*) {
  finish_error(call, {errc::standalone, ""});
}

}  // namespace

void add_service_routes(http::router& router, rest_service& service) {
  using http::method;
  constexpr auto open = static_cast<std::uint32_t>(access::open);
  constexpr auto read = static_cast<std::uint32_t>(access::read);
  constexpr auto write = static_cast<std::uint32_t>(access::write);
  router.add(method::get, "/", get_root, &service, open);
  router.add(method::get, "/healthz", get_health, &service, open);
  router.add(method::get, "/livez", get_health, &service, open);
  router.add(method::get, "/readyz", get_ready, &service, open);
  router.add(method::get, "/dashboard", get_dashboard, &service, open);
  router.add(method::get, "/dashboard/{file*}", get_dashboard, &service, open);
  router.add(method::get, "/metrics", run<get_metrics>, &service, read);
  router.add(method::get, "/telemetry", run<get_telemetry>, &service, read);
  router.add(method::get, "/cluster", get_cluster, &service, read);
  router.add(method::get, "/quotas", get_quotas, &service, read);
  router.add(method::get, "/issues", get_issues, &service, read);
  router.add(method::remove, "/issues", delete_issues, &service, write);

  // Part of the contract, and not served.
  for (const std::string_view pattern :
       {"/snapshots", "/snapshots/{snapshot}", "/cluster/telemetry",
        "/collections/{name}/snapshots", "/collections/{name}/snapshots/{snapshot}",
        "/collections/{name}/shards", "/logger", "/stacktrace"})
    router.add(method::get, pattern, not_served, &service, read);
  for (const std::string_view pattern :
       {"/snapshots", "/collections/{name}/snapshots", "/collections/{name}/snapshots/upload"})
    router.add(method::post, pattern, not_served, &service, write);
  router.add(method::put, "/quotas", not_served, &service, write);
  router.add(method::put, "/collections/{name}/snapshots/recover", not_served, &service, write);
  router.add(method::post, "/collections/{name}/cluster", standalone, &service, write);
  router.add(method::put, "/collections/{name}/shards", standalone, &service, write);
  router.add(method::post, "/collections/{name}/shards/delete", standalone, &service, write);
  router.add(method::post, "/cluster/recover", standalone, &service, write);
  router.add(method::remove, "/cluster/peer/{peer}", standalone, &service, write);
}

}  // namespace vexfs::rest
