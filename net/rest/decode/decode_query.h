// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/model/query.h"

// Bodies of reads, whole. Everything lives in the arena.
namespace vexfs::rest {

[[nodiscard]] result<std::span<const query_request>> decode_query(std::string_view body,
                                                                  arena& memory);
[[nodiscard]] result<std::span<const query_request>> decode_query_batch(std::string_view body,
                                                                        arena& memory);
[[nodiscard]] result<group_request> decode_query_groups(std::string_view body, arena& memory);

// The deprecated search family, on the same requests.
[[nodiscard]] result<std::span<const query_request>> decode_search(std::string_view body,
                                                                   arena& memory);
[[nodiscard]] result<std::span<const query_request>> decode_search_batch(std::string_view body,
                                                                         arena& memory);
[[nodiscard]] result<group_request> decode_search_groups(std::string_view body, arena& memory);

// The deprecated searches by the vectors of points.
[[nodiscard]] result<std::span<const query_request>> decode_recommend(std::string_view body,
                                                                      arena& memory);
[[nodiscard]] result<std::span<const query_request>> decode_recommend_batch(std::string_view body,
                                                                            arena& memory);
[[nodiscard]] result<group_request> decode_recommend_groups(std::string_view body, arena& memory);
[[nodiscard]] result<std::span<const query_request>> decode_discover(std::string_view body,
                                                                     arena& memory);
[[nodiscard]] result<std::span<const query_request>> decode_discover_batch(std::string_view body,
                                                                           arena& memory);

// Searches by way of the tree alone: what the ones above fall back to, and are tested against.
[[nodiscard]] result<std::span<const query_request>> decode_query_document(std::string_view body,
                                                                           arena& memory);
[[nodiscard]] result<std::span<const query_request>> decode_query_batch_document(
    std::string_view body, arena& memory);
[[nodiscard]] result<group_request> decode_query_groups_document(std::string_view body,
                                                                 arena& memory);
[[nodiscard]] result<std::span<const query_request>> decode_search_document(std::string_view body,
                                                                            arena& memory);
[[nodiscard]] result<std::span<const query_request>> decode_search_batch_document(
    std::string_view body, arena& memory);
[[nodiscard]] result<group_request> decode_search_groups_document(std::string_view body,
                                                                  arena& memory);

[[nodiscard]] result<scroll_request> decode_scroll(std::string_view body, arena& memory);
[[nodiscard]] result<retrieve_request> decode_retrieve(std::string_view body, arena& memory);
[[nodiscard]] result<matrix_request> decode_matrix(std::string_view body, arena& memory);
[[nodiscard]] result<count_request> decode_count(std::string_view body, arena& memory);
[[nodiscard]] result<facet_request> decode_facet(std::string_view body, arena& memory);

}  // namespace vexfs::rest
