// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_query.h"
#include "net/rest/encode.h"
#include "net/rest/handler.h"
#include "net/rest/rest_service.h"
#include "net/rest/routes.h"

namespace vexfs::rest {
namespace {

database& data_of(void* context) {
  return static_cast<rest_service*>(context)->data;
}

using decode_queries = result<std::span<const query_request>> (*)(std::string_view, arena&);

/// How the result lists of a request are wrapped: by query in {"points": ...}, by search not.
enum class wrapping : std::uint8_t { query, query_batch, search, search_batch };

io::detached search(http::exchange& call, database& data, decode_queries decode, wrapping form) {
  VEXFS_OR_FINISH([[maybe_unused]] const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(const auto requests, call, decode(call.in.body, call.memory));
  auto searching = data.query(collection_of(call), requests, call.memory);
  VEXFS_OR_FINISH(const auto answers, call, co_await searching);
  const bool wrapped = form == wrapping::query || form == wrapping::query_batch;
  const auto print = [&](std::string& out, std::span<const record> records) {
    if (wrapped) out += "{\"points\":";
    append_records(out, records, true);
    if (wrapped) out += '}';
  };
  finish_result(call, [&](std::string& out) {
    if (form == wrapping::query || form == wrapping::search) {
      print(out, answers.front());
      return;
    }
    out += '[';
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (i > 0) out += ',';
      print(out, answers[i]);
    }
    out += ']';
  });
}

template <decode_queries Decode, wrapping Form>
void search_with(http::exchange& call, void* context) {
  search(call, data_of(context), Decode, Form);
}

using decode_group_body = result<group_request> (*)(std::string_view, arena&);

io::detached search_groups(http::exchange& call, database& data, decode_group_body decode) {
  VEXFS_OR_FINISH([[maybe_unused]] const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(const auto request, call, decode(call.in.body, call.memory));
  auto searching = data.query_groups(collection_of(call), request, call.memory);
  VEXFS_OR_FINISH(const auto groups, call, co_await searching);
  finish_result(call, [&](std::string& out) { append_groups(out, groups); });
}

template <decode_group_body Decode>
void search_groups_with(http::exchange& call, void* context) {
  search_groups(call, data_of(context), Decode);
}

io::detached scroll(http::exchange& call, database& data) {
  VEXFS_OR_FINISH([[maybe_unused]] const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(const auto request, call, decode_scroll(call.in.body, call.memory));
  auto scrolling = data.scroll(collection_of(call), request, call.memory);
  VEXFS_OR_FINISH(const auto page, call, co_await scrolling);
  finish_result(call, [&](std::string& out) { append_scroll(out, page); });
}

io::detached count(http::exchange& call, database& data) {
  VEXFS_OR_FINISH([[maybe_unused]] const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(const auto request, call, decode_count(call.in.body, call.memory));
  auto counting = data.count(collection_of(call), request, call.memory);
  VEXFS_OR_FINISH(const auto counted, call, co_await counting);
  finish_result(call, [&](std::string& out) {
    out += "{\"count\":";
    append_json_number(out, counted);
    out += '}';
  });
}

io::detached facet(http::exchange& call, database& data) {
  VEXFS_OR_FINISH([[maybe_unused]] const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(const auto request, call, decode_facet(call.in.body, call.memory));
  auto counting = data.facet(collection_of(call), request, call.memory);
  VEXFS_OR_FINISH(const auto hits, call, co_await counting);
  finish_result(call, [&](std::string& out) { append_facet(out, hits); });
}

template <void (*Append)(std::string&, const matrix_result&)>
io::detached matrix(http::exchange& call, database& data) {
  const auto parameters = read_parameters(call);
  if (!parameters) {
    finish_error(call, parameters.error());
    co_return;
  }
  const auto request = decode_matrix(call.in.body, call.memory);
  if (!request) {
    finish_error(call, request.error());
    co_return;
  }
  auto comparing = data.distance_matrix(collection_of(call), *request, call.memory);
  const auto compared = co_await comparing;
  if (!compared)
    finish_error(call, compared.error());
  else
    finish_result(call, [&](std::string& out) { Append(out, *compared); });
}

template <io::detached (*Run)(http::exchange&, database&)>
void run(http::exchange& call, void* context) {
  Run(call, data_of(context));
}

}  // namespace

void add_query_routes(http::router& router, rest_service& service) {
  using http::method;
  const auto add = [&](std::string_view path, void (*handler)(http::exchange&, void*)) {
    router.add(method::post, "/collections/{name}" + std::string(path), handler, &service,
               static_cast<std::uint32_t>(access::read));
  };
  add("/points/query", search_with<decode_query, wrapping::query>);
  add("/points/query/batch", search_with<decode_query_batch, wrapping::query_batch>);
  add("/points/query/groups", search_groups_with<decode_query_groups>);
  add("/points/search", search_with<decode_search, wrapping::search>);
  add("/points/search/batch", search_with<decode_search_batch, wrapping::search_batch>);
  add("/points/search/groups", search_groups_with<decode_search_groups>);
  add("/points/recommend", search_with<decode_recommend, wrapping::search>);
  add("/points/recommend/batch", search_with<decode_recommend_batch, wrapping::search_batch>);
  add("/points/recommend/groups", search_groups_with<decode_recommend_groups>);
  add("/points/discover", search_with<decode_discover, wrapping::search>);
  add("/points/discover/batch", search_with<decode_discover_batch, wrapping::search_batch>);
  add("/points/search/matrix/pairs", run<matrix<append_matrix_pairs>>);
  add("/points/search/matrix/offsets", run<matrix<append_matrix_offsets>>);
  add("/points/scroll", run<scroll>);
  add("/points/count", run<count>);
  add("/facet", run<facet>);
}

}  // namespace vexfs::rest
