// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_search.h"

#include "core/base/limits.h"
#include "net/rest/decode/decode_filter.h"
#include "net/rest/decode/decode_query_kind.h"
#include "net/rest/decode/decode_selectors.h"
#include "net/rest/decode/decode_vector.h"

namespace vexfs::rest {
namespace {

search_params decode_params(decoder& in, const node& value, const std::string& path) {
  search_params params;
  if (!in.object(&value, "SearchParams")) return params;
  params.hnsw_ef = in.optional(value, "hnsw_ef", [&](const node& n) { return in.u64(n); });
  if (params.hnsw_ef) in.at_least(path + "params.hnsw_ef", *params.hnsw_ef, 1);
  const auto flag = [&](std::string_view name) {
    return in.optional(value, name, [&](const node& n) { return in.boolean(n); }).value_or(false);
  };
  params.exact = flag("exact");
  params.indexed_only = flag("indexed_only");
  if (const node* idf = value.find_set("idf")) {
    params.idf_given = true;
    if (idf->is(node::form::string)) {
      if (idf->text != "global")
        in.malformed("data did not match any variant of untagged enum IdfParams");
    } else if (in.object(idf, "IdfCorpusParams")) {
      if (const node* corpus = in.required(*idf, "corpus"))
        params.idf_corpus = decode_filter(in, *corpus, path + "params.idf.corpus");
    }
  }
  const node* quantization = value.find_set("quantization");
  if (quantization && in.object(quantization, "QuantizationSearchParams")) {
    const auto choice = [&](std::string_view name) {
      return in.optional(*quantization, name, [&](const node& n) { return in.boolean(n); });
    };
    params.ignore_codes = choice("ignore").value_or(false);
    params.rescore = choice("rescore");
    params.oversampling =
        in.optional(*quantization, "oversampling", [&](const node& n) { return in.f64(n); });
    if (params.oversampling && *params.oversampling < 1)
      in.invalid(
          path + "params.quantization.oversampling",
          "value " + std::to_string(*params.oversampling) + " invalid, must be 1.0 or larger");
  }
  return params;
}

/// The members that query, search and their batch and group forms share.
void read_common(decoder& in, const node& body, const std::string& path, query_request& request) {
  request.condition = read_filter(in, body, path);
  if (const node* params = body.find_set("params"))
    request.params = decode_params(in, *params, path);
  request.score_threshold =
      in.optional(body, "score_threshold", [&](const node& n) { return in.f32(n); });
  if (const node* limit = body.find_set("limit")) request.limit = in.u64(*limit);
  if (const node* offset = body.find_set("offset")) request.offset = in.u64(*offset);
  read_selectors(in, body, request.with_payload, request.with_vector);
  if (!in.failed()) in.at_least(path + "limit", request.limit, 1);
}

/// The deprecated forms have no default for it.
void require_limit(decoder& in, const node& body, query_request& request) {
  const node* limit = body.find_set("limit");
  if (!limit) limit = body.find_set("top");
  if (limit)
    request.limit = in.u64(*limit);
  else if (!in.failed())
    in.malformed("missing field `limit`");
}

void read_origin(decoder& in, const node& body, query_request& request) {
  if (const node* name = body.find_set("using")) request.using_vector = in.string(*name);
  const node* lookup = body.find_set("lookup_from");
  if (!lookup || !in.object(lookup, "LookupLocation")) return;
  lookup_location location;
  if (const node* name = in.required(*lookup, "collection")) location.collection = in.string(*name);
  location.vector = in.optional(*lookup, "vector", [&](const node& n) { return in.string(n); });
  request.lookup_from = location;
}

/// What a query cannot be combined with.
void check_combination(decoder& in, const query_request& request) {
  const bool nothing = std::holds_alternative<std::monostate>(request.what);
  if (!request.prefetch.empty() && nothing)
    in.refuse(errc::bad_request,
              "A query is needed to merge the prefetches. Can't have prefetches without defining a "
              "query.");
  if (request.score_threshold && std::holds_alternative<order_by>(request.what))
    in.refuse(errc::bad_request, "Can't use score_threshold with an order_by query.");
  if (request.score_threshold && nothing)
    in.refuse(errc::bad_request,
              "A query is needed to use the score_threshold. Can't have score_threshold without "
              "defining a query.");
  if (std::holds_alternative<fusion_query>(request.what) && !request.using_vector.empty())
    in.refuse(errc::bad_request, "Fusion queries cannot be combined with the 'using' field.");
}

query_request decode_stage(decoder& in, const node& body, const std::string& path,
                           std::uint32_t depth) {
  query_request request;
  if (!in.object(&body, depth == 0 ? "QueryRequest" : "Prefetch")) return request;
  if (depth > prefetch_depth_max) {
    in.refuse(errc::bad_input, "Validation failed: prefetches depth " + std::to_string(depth) +
                                   " exceeds max depth " + std::to_string(prefetch_depth_max));
    return request;
  }
  read_common(in, body, path, request);
  read_origin(in, body, request);
  if (const node* given = body.find_set("prefetch"); given && !in.failed()) {
    const bool many = given->is(node::form::array);
    const auto list = many ? given->items : std::span(given, 1);
    const auto stages = in.memory.array<query_request>(list.size());
    for (std::size_t i = 0; i < list.size() && !in.failed(); ++i)
      stages[i] =
          decode_stage(in, list[i], path + "prefetch[" + std::to_string(i) + "].", depth + 1);
    request.prefetch = stages;
  }
  if (const node* what = body.find_set("query"); what && !in.failed())
    request.what = decode_query_kind(in, *what, path + "query");
  if (!in.failed()) check_combination(in, request);
  return request;
}

}  // namespace

query_request decode_query_search(decoder& in, const node& body, const std::string& path) {
  return decode_stage(in, body, path + "internal.", 0);
}

/// search: vector is a list, or {name, vector}; limit may be called top.
query_request decode_plain_search(decoder& in, const node& body, const std::string& path) {
  query_request request;
  if (!in.object(&body, "SearchRequest")) return request;
  read_common(in, body, path, request);
  const node* vector = in.required(body, "vector");
  require_limit(in, body, request);
  if (in.failed()) return request;
  nearest_query nearest;
  if (vector->is(node::form::object) && vector->find("name")) {
    request.using_vector = in.string(*vector->find("name"));
    if (const node* values = in.required(*vector, "vector"))
      nearest.target = decode_vector(in, *values, path + "vector");
  } else {
    nearest.target = decode_vector(in, *vector, path + "vector");
  }
  request.what = nearest;
  return request;
}

query_request decode_recommendation(decoder& in, const node& body, const std::string& path) {
  query_request request;
  if (!in.object(&body, "RecommendRequest")) return request;
  read_common(in, body, path, request);
  read_origin(in, body, request);
  require_limit(in, body, request);
  recommend_query liked;
  liked.positive = decode_inputs(in, body.find_set("positive"), path + "positive");
  liked.negative = decode_inputs(in, body.find_set("negative"), path + "negative");
  if (const node* word = body.find_set("strategy")) liked.how = decode_strategy(in, *word);
  if (in.failed()) return request;
  if (liked.how == recommend_query::strategy::average_vector && liked.positive.empty())
    in.refuse(errc::bad_request, "At least one positive vector ID required with this strategy");
  else if (liked.positive.empty() && liked.negative.empty())
    in.refuse(errc::bad_request,
              "At least one positive or negative vector ID required with this strategy");
  request.what = liked;
  return request;
}

query_request decode_discovery(decoder& in, const node& body, const std::string& path) {
  query_request request;
  if (!in.object(&body, "DiscoverRequest")) return request;
  read_common(in, body, path, request);
  read_origin(in, body, request);
  require_limit(in, body, request);
  request.score_threshold.reset();  // not a member of this form
  const auto pairs = decode_pairs(in, body.find_set("context"), path + "context");
  if (const node* target = body.find_set("target"))
    request.what = discover_query{decode_input(in, *target, path + "target"), pairs};
  else
    request.what = context_query{pairs};
  return request;
}

void read_group_members(decoder& in, const node& body, const std::string& path,
                        group_request& group) {
  if (const node* key = in.required(body, "group_by")) group.group_by = in.path(*key);
  if (const node* size = body.find_set("group_size")) {
    group.group_size = in.u64(*size);
    if (!in.failed()) in.at_least(path + "group_size", group.group_size, 1);
  }
  if (const node* lookup = body.find_set("with_lookup")) {
    group_request::lookup given;
    given.with_payload.kind = payload_selector::form::all;
    if (lookup->is(node::form::string)) {
      given.collection = lookup->text;
    } else if (in.object(lookup, "WithLookup")) {
      if (const node* name = in.required(*lookup, "collection"))
        given.collection = in.string(*name);
      read_selectors(in, *lookup, given.with_payload, given.with_vector);
    }
    group.with_lookup = given;
  }
}

}  // namespace vexfs::rest
