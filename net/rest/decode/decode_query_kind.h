// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/model/query.h"
#include "net/rest/decode/decoder.h"

namespace vexfs::rest {

/// The member "query" of a stage; `path` is where it stands, for messages.
[[nodiscard]] query_kind decode_query_kind(decoder& in, const node& value, const std::string& path);

// Its parts, which other bodies have too.
[[nodiscard]] vector_input decode_input(decoder& in, const node& value, const std::string& path);
[[nodiscard]] std::span<const vector_input> decode_inputs(decoder& in, const node* list,
                                                          const std::string& path);
/// One pair, or a list of them.
[[nodiscard]] std::span<const context_pair> decode_pairs(decoder& in, const node* given,
                                                         const std::string& path);
[[nodiscard]] recommend_query::strategy decode_strategy(decoder& in, const node& value);
[[nodiscard]] order_by decode_order(decoder& in, const node& value);

}  // namespace vexfs::rest
