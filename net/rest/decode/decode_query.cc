// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_query.h"

#include "net/rest/decode/decode_query_kind.h"
#include "net/rest/decode/decode_search.h"
#include "net/rest/decode/decode_selectors.h"
#include "net/rest/decode/decoder.h"
#include "net/rest/decode/fast_query.h"

namespace vexfs::rest {
namespace {

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
  return decode_single_fast(body, memory, decode_query_search, query_vector);
}
result<std::span<const query_request>> decode_query_batch(std::string_view body, arena& memory) {
  return decode_many_fast(body, memory, decode_query_search, query_vector);
}
result<group_request> decode_query_groups(std::string_view body, arena& memory) {
  return decode_groups_fast(body, memory, decode_query_search, query_vector);
}
result<std::span<const query_request>> decode_search(std::string_view body, arena& memory) {
  return decode_single_fast(body, memory, decode_plain_search, search_vector);
}
result<std::span<const query_request>> decode_search_batch(std::string_view body, arena& memory) {
  return decode_many_fast(body, memory, decode_plain_search, search_vector);
}
result<group_request> decode_search_groups(std::string_view body, arena& memory) {
  return decode_groups_fast(body, memory, decode_plain_search, search_vector);
}

result<std::span<const query_request>> decode_recommend(std::string_view body, arena& memory) {
  return decode_single(body, memory, decode_recommendation);
}
result<std::span<const query_request>> decode_recommend_batch(std::string_view body,
                                                              arena& memory) {
  return decode_many(body, memory, decode_recommendation);
}
result<group_request> decode_recommend_groups(std::string_view body, arena& memory) {
  return decode_groups(body, memory, decode_recommendation);
}
result<std::span<const query_request>> decode_discover(std::string_view body, arena& memory) {
  return decode_single(body, memory, decode_discovery);
}
result<std::span<const query_request>> decode_discover_batch(std::string_view body, arena& memory) {
  return decode_many(body, memory, decode_discovery);
}

result<std::span<const query_request>> decode_query_document(std::string_view body, arena& memory) {
  return decode_single(body, memory, decode_query_search);
}
result<std::span<const query_request>> decode_query_batch_document(std::string_view body,
                                                                   arena& memory) {
  return decode_many(body, memory, decode_query_search);
}
result<group_request> decode_query_groups_document(std::string_view body, arena& memory) {
  return decode_groups(body, memory, decode_query_search);
}
result<std::span<const query_request>> decode_search_document(std::string_view body,
                                                              arena& memory) {
  return decode_single(body, memory, decode_plain_search);
}
result<std::span<const query_request>> decode_search_batch_document(std::string_view body,
                                                                    arena& memory) {
  return decode_many(body, memory, decode_plain_search);
}
result<group_request> decode_search_groups_document(std::string_view body, arena& memory) {
  return decode_groups(body, memory, decode_plain_search);
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

result<matrix_request> decode_matrix(std::string_view body, arena& memory) {
  return decode_flat<matrix_request>(body, memory,
                                     [](decoder& in, const node& root, matrix_request& request) {
                                       if (const node* sample = root.find_set("sample"))
                                         request.sample = in.u64(*sample);
                                       if (const node* limit = root.find_set("limit"))
                                         request.limit = in.u64(*limit);
                                       if (!in.failed()) {
                                         in.at_least("sample", request.sample, 2);
                                         in.at_least("limit", request.limit, 1);
                                       }
                                       request.condition = read_filter(in, root, "");
                                       if (const node* name = root.find_set("using"))
                                         request.using_vector = in.string(*name);
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
