// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_query.h"

#include "net/rest/decode/decode_filter.h"
#include "net/rest/decode/decode_vector.h"
#include "net/rest/decode/decoder.h"
#include "net/rest/decode/fast_query.h"

namespace vexfs::rest {
namespace {

payload_selector decode_payload_selector(decoder& in, const node& value) {
  payload_selector selector;
  const auto paths = [&](const node& list) {
    return in.each<payload_path>(in.array(list), [&](const node& item) { return in.path(item); });
  };
  if (value.is(node::form::boolean)) {
    selector.kind = value.truth ? payload_selector::form::all : payload_selector::form::none;
  } else if (value.is(node::form::array)) {
    selector.kind = payload_selector::form::include;
    selector.paths = paths(value);
  } else if (value.is(node::form::object) && value.members.size() == 1 && value.find("include")) {
    selector.kind = payload_selector::form::include;
    selector.paths = paths(*value.find("include"));
  } else if (value.is(node::form::object) && value.members.size() == 1 && value.find("exclude")) {
    selector.kind = payload_selector::form::exclude;
    selector.paths = paths(*value.find("exclude"));
  } else {
    in.malformed("data did not match any variant of untagged enum WithPayloadInterface");
  }
  return selector;
}

vector_selector decode_vector_selector(decoder& in, const node& value) {
  vector_selector selector;
  if (value.is(node::form::boolean)) {
    selector.kind = value.truth ? vector_selector::form::all : vector_selector::form::none;
  } else if (value.is(node::form::array)) {
    selector.kind = vector_selector::form::named;
    selector.names =
        in.each<std::string_view>(value.items, [&](const node& item) { return in.string(item); });
  } else {
    in.malformed("data did not match any variant of untagged enum WithVector");
  }
  return selector;
}

void read_selectors(decoder& in, const node& body, payload_selector& payload,
                    vector_selector& vectors) {
  if (const node* given = body.find_set("with_payload"))
    payload = decode_payload_selector(in, *given);
  const node* given = body.find_set("with_vector");
  if (!given) given = body.find_set("with_vectors");
  if (given) vectors = decode_vector_selector(in, *given);
}

const filter* read_filter(decoder& in, const node& body, const std::string& path) {
  const node* given = body.find_set("filter");
  return given && !in.failed() ? decode_filter(in, *given, path + "filter") : nullptr;
}

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
  if (const node* quantization = value.find_set("quantization")) {
    params.oversampling =
        in.optional(*quantization, "oversampling", [&](const node& n) { return in.f64(n); });
    if (params.oversampling && *params.oversampling < 1)
      in.invalid(
          path + "params.quantization.oversampling",
          "value " + std::to_string(*params.oversampling) + " invalid, must be 1.0 or larger");
  }
  return params;
}

vector_input decode_input(decoder& in, const node& value, const std::string& path) {
  if (value.is(node::form::number) || value.is(node::form::string)) return in.id(value);
  return decode_vector(in, value, path);
}

order_by decode_order(decoder& in, const node& value) {
  order_by order;
  if (value.is(node::form::string)) {
    order.key = in.path(value);
    return order;
  }
  if (!in.object(&value, "OrderBy")) return order;
  if (const node* key = in.required(value, "key")) order.key = in.path(*key);
  if (const node* direction = value.find_set("direction")) {
    const std::string_view word = in.string(*direction);
    if (word != "asc" && word != "desc")
      in.malformed("unknown variant `" + std::string(word) + "`, expected `asc` or `desc`");
    order.descending = word == "desc";
  }
  if (const node* start = value.find_set("start_from")) {
    if (start->is(node::form::string)) {
      order.start_from = in.datetime(*start);
    } else if (start->is(node::form::number) &&
               start->text.find_first_of(".eE") == std::string_view::npos) {
      order.start_from = in.i64(*start);
    } else {
      order.start_from = in.f64(*start);
    }
  }
  return order;
}

/// The query kinds that are part of the contract and not served.
constexpr std::string_view unserved_queries[] = {
    "recommend", "discover", "context", "fusion", "rrf", "formula", "relevance_feedback"};

query decode_what(decoder& in, const node& value, const std::string& path) {
  if (!value.is(node::form::object)) return nearest_query{decode_input(in, value, path + "query")};
  if (const node* nearest = value.find("nearest")) {
    if (value.find_set("mmr")) in.refuse(errc::unsupported, "mmr queries are not supported");
    return nearest_query{decode_input(in, *nearest, path + "query.nearest")};
  }
  if (const node* order = value.find("order_by")) return decode_order(in, *order);
  if (const node* sample = value.find("sample")) {
    if (in.string(*sample) != "random")
      in.malformed("unknown variant `" + std::string(sample->text) + "`, expected `random`");
    return sample_query{};
  }
  for (const std::string_view name : unserved_queries) {
    if (!value.find(name)) continue;
    in.refuse(errc::unsupported, std::string(name) + " queries are not supported");
    return {};
  }
  return nearest_query{decode_vector(in, value, path + "query")};
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

query_request query_of(decoder& in, const node& body, const std::string& path) {
  query_request request;
  if (!in.object(&body, "QueryRequest")) return request;
  read_common(in, body, path + "internal.", request);
  if (const node* name = body.find_set("using")) request.using_vector = in.string(*name);
  const node* prefetch = body.find_set("prefetch");
  const node* what = body.find_set("query");
  if (prefetch && !(prefetch->is(node::form::array) && prefetch->items.empty())) {
    if (!what)
      in.refuse(errc::bad_request,
                "A query is needed to merge the prefetches. Can't have prefetches without defining "
                "a query.");
    in.refuse(errc::unsupported, "prefetch is not supported");
  }
  if (what && !in.failed()) request.what = decode_what(in, *what, path + "internal.");
  if (const node* lookup = body.find_set("lookup_from");
      lookup && in.object(lookup, "LookupLocation")) {
    lookup_location location;
    if (const node* name = in.required(*lookup, "collection"))
      location.collection = in.string(*name);
    location.vector = in.optional(*lookup, "vector", [&](const node& n) { return in.string(n); });
    request.lookup_from = location;
  }
  if (!in.failed() && request.score_threshold) {
    if (std::holds_alternative<std::monostate>(request.what))
      in.refuse(errc::bad_request,
                "A query is needed to use the score_threshold. Can't have score_threshold without "
                "defining a query.");
    if (std::holds_alternative<order_by>(request.what))
      in.refuse(errc::bad_request, "Can't use score_threshold with an order_by query.");
  }
  return request;
}

/// search: vector is a list, or {name, vector}; limit may be called top.
query_request search_of(decoder& in, const node& body, const std::string& path) {
  query_request request;
  if (!in.object(&body, "SearchRequest")) return request;
  read_common(in, body, path, request);
  const node* vector = in.required(body, "vector");
  const node* limit = body.find_set("limit");
  if (!limit) limit = body.find_set("top");
  if (!limit && !in.failed()) in.malformed("missing field `limit`");
  if (in.failed()) return request;
  request.limit = in.u64(*limit);
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

using decode_request = query_request (*)(decoder&, const node&, const std::string&);

result<std::span<query_request>> decode_single(std::string_view body, arena& memory,
                                               decode_request decode) {
  decoder in(body, memory);
  const auto requests = memory.array<query_request>(1);
  if (const node* root = in.parse()) requests[0] = decode(in, *root, "");
  if (auto failure = in.finish()) return std::unexpected(std::move(*failure));
  return requests;
}

result<std::span<query_request>> decode_many(std::string_view body, arena& memory,
                                             decode_request decode) {
  decoder in(body, memory);
  std::span<query_request> requests;
  const node* root = in.object(in.parse(), "batch");
  const node* list = root ? in.required(*root, "searches") : nullptr;
  if (list) {
    const auto items = in.array(*list);
    const auto made = memory.array<query_request>(items.size());
    for (std::size_t i = 0; i < items.size() && !in.failed(); ++i)
      made[i] = decode(in, items[i], "searches[" + std::to_string(i) + "].");
    requests = made;
  }
  if (auto failure = in.finish()) return std::unexpected(std::move(*failure));
  return requests;
}

result<group_request> decode_groups(std::string_view body, arena& memory, decode_request decode) {
  decoder in(body, memory);
  group_request group;
  if (const node* root = in.object(in.parse(), "groups")) {
    group.search = decode(in, *root, "");
    if (!in.failed()) read_group_members(in, *root, "", group);
  }
  if (auto failure = in.finish()) return std::unexpected(std::move(*failure));
  return group;
}

// Without its vector where that is a plain one, else whole.

constexpr vector_place query_vector{"query", "nearest"};
constexpr vector_place search_vector{"vector", "vector"};

result<std::span<const query_request>> decode_single_fast(std::string_view body, arena& memory,
                                                          decode_request decode,
                                                          vector_place where) {
  if (const auto short_body = cut_search(body, memory, where)) {
    const auto requests = decode_single(*short_body, memory, decode);
    if (requests && put_back_vectors(*requests)) return *requests;
  }
  return decode_single(body, memory, decode);
}

result<std::span<const query_request>> decode_many_fast(std::string_view body, arena& memory,
                                                        decode_request decode, vector_place where) {
  if (const auto short_body = cut_batch(body, memory, where)) {
    const auto requests = decode_many(*short_body, memory, decode);
    if (requests && put_back_vectors(*requests)) return *requests;
  }
  return decode_many(body, memory, decode);
}

result<group_request> decode_groups_fast(std::string_view body, arena& memory,
                                         decode_request decode, vector_place where) {
  if (const auto short_body = cut_search(body, memory, where)) {
    auto group = decode_groups(*short_body, memory, decode);
    if (group && put_back_vectors({&group->search, 1})) return group;
  }
  return decode_groups(body, memory, decode);
}

/// Bodies of flat requests: the root object, and what `read` makes of it.
template <class Request, class Read>
result<Request> decode_flat(std::string_view body, arena& memory, Read&& read) {
  decoder in(body, memory);
  Request request;
  if (const node* root = in.object(in.parse(), "request")) read(in, *root, request);
  if (auto failure = in.finish()) return std::unexpected(std::move(*failure));
  return request;
}

}  // namespace

result<std::span<const query_request>> decode_query(std::string_view body, arena& memory) {
  return decode_single_fast(body, memory, query_of, query_vector);
}
result<std::span<const query_request>> decode_query_batch(std::string_view body, arena& memory) {
  return decode_many_fast(body, memory, query_of, query_vector);
}
result<group_request> decode_query_groups(std::string_view body, arena& memory) {
  return decode_groups_fast(body, memory, query_of, query_vector);
}
result<std::span<const query_request>> decode_search(std::string_view body, arena& memory) {
  return decode_single_fast(body, memory, search_of, search_vector);
}
result<std::span<const query_request>> decode_search_batch(std::string_view body, arena& memory) {
  return decode_many_fast(body, memory, search_of, search_vector);
}
result<group_request> decode_search_groups(std::string_view body, arena& memory) {
  return decode_groups_fast(body, memory, search_of, search_vector);
}

result<std::span<const query_request>> decode_query_document(std::string_view body, arena& memory) {
  return decode_single(body, memory, query_of);
}
result<std::span<const query_request>> decode_query_batch_document(std::string_view body,
                                                                   arena& memory) {
  return decode_many(body, memory, query_of);
}
result<group_request> decode_query_groups_document(std::string_view body, arena& memory) {
  return decode_groups(body, memory, query_of);
}
result<std::span<const query_request>> decode_search_document(std::string_view body,
                                                              arena& memory) {
  return decode_single(body, memory, search_of);
}
result<std::span<const query_request>> decode_search_batch_document(std::string_view body,
                                                                    arena& memory) {
  return decode_many(body, memory, search_of);
}
result<group_request> decode_search_groups_document(std::string_view body, arena& memory) {
  return decode_groups(body, memory, search_of);
}

result<scroll_request> decode_scroll(std::string_view body, arena& memory) {
  return decode_flat<scroll_request>(
      body, memory, [](decoder& in, const node& root, scroll_request& request) {
        request.offset = in.optional(root, "offset", [&](const node& n) { return in.id(n); });
        if (const node* limit = root.find_set("limit")) request.limit = in.u64(*limit);
        if (!in.failed()) in.at_least("limit", request.limit, 1);
        request.condition = read_filter(in, root, "");
        read_selectors(in, root, request.with_payload, request.with_vector);
        if (const node* order = root.find_set("order_by")) request.order = decode_order(in, *order);
        if (!in.failed() && request.order && request.offset)
          in.refuse(
              errc::bad_request,
              "Cannot use an `offset` when using `order_by`. The alternative for paging is to "
              "use `order_by.start_from` and a filter to exclude the IDs that you've already "
              "seen for the `order_by.start_from` value");
      });
}

result<retrieve_request> decode_retrieve(std::string_view body, arena& memory) {
  return decode_flat<retrieve_request>(
      body, memory, [](decoder& in, const node& root, retrieve_request& request) {
        if (const node* ids = in.required(root, "ids"))
          request.ids =
              in.each<point_id>(in.array(*ids), [&](const node& item) { return in.id(item); });
        read_selectors(in, root, request.with_payload, request.with_vector);
      });
}

result<count_request> decode_count(std::string_view body, arena& memory) {
  return decode_flat<count_request>(
      body, memory, [](decoder& in, const node& root, count_request& request) {
        request.condition = read_filter(in, root, "");
        request.exact =
            in.optional(root, "exact", [&](const node& n) { return in.boolean(n); }).value_or(true);
      });
}

result<facet_request> decode_facet(std::string_view body, arena& memory) {
  return decode_flat<facet_request>(
      body, memory, [](decoder& in, const node& root, facet_request& request) {
        if (const node* key = in.required(root, "key")) request.key = in.path(*key);
        if (const node* limit = root.find_set("limit")) request.limit = in.u64(*limit);
        if (!in.failed()) in.at_least("limit", request.limit, 1);
        request.condition = read_filter(in, root, "");
        request.exact = in.optional(root, "exact", [&](const node& n) {
                            return in.boolean(n);
                          }).value_or(false);
      });
}

}  // namespace vexfs::rest
