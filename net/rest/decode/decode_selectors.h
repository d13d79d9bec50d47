// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/model/query.h"
#include "net/rest/decode/decoder.h"

namespace vexfs::rest {

/// with_payload and with_vector (or with_vectors), where the object has them.
void read_selectors(decoder& in, const node& body, payload_selector& payload,
                    vector_selector& vectors);

/// The member "filter", or null; `path` is the object's, with its dot.
[[nodiscard]] const filter* read_filter(decoder& in, const node& body, const std::string& path);

}  // namespace vexfs::rest
