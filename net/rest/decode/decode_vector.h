// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/vector.h"
#include "net/rest/decode/decoder.h"

namespace vexfs::rest {

/// One vector: [f32], [[f32]], {indices, values}. Inference objects are refused.
[[nodiscard]] vector_value decode_vector(decoder& in, const node& value, std::string_view path);

/// The "vector" member of a point: one vector (named ""), or a map of them.
[[nodiscard]] std::span<const named_vector> decode_point_vectors(decoder& in, const node& value,
                                                                 std::string_view path);

}  // namespace vexfs::rest
