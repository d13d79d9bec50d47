// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/model/query.h"
#include "net/rest/decode/decoder.h"

// One search of a body, in each form that the contract has for it; `path` is where it stands, with
// its dot.
namespace vexfs::rest {

[[nodiscard]] query_request decode_query_search(decoder& in, const node& body,
                                                const std::string& path);

// The deprecated forms.
[[nodiscard]] query_request decode_plain_search(decoder& in, const node& body,
                                                const std::string& path);
[[nodiscard]] query_request decode_recommendation(decoder& in, const node& body,
                                                  const std::string& path);
[[nodiscard]] query_request decode_discovery(decoder& in, const node& body,
                                             const std::string& path);

/// What the group form of any of them has beside the search.
void read_group_members(decoder& in, const node& body, const std::string& path,
                        group_request& group);

}  // namespace vexfs::rest
