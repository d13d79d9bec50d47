// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "core/model/vector.h"

namespace vexfs {

/// Exact float32 arithmetic between a query and one stored row. The number is the internal
/// similarity: larger is better for every metric (a dot product, or the negative of the squared
/// Euclidean or of the Manhattan distance).
using similarity_fn = float (*)(const float* query, const std::byte* row, std::uint32_t dim);

/// Chosen once from what the CPU has; VEXFS_SIMD=scalar takes the plain loops. With cosine_of_bytes
/// (uint8 rows under Cosine) the rows have no unit length and the true cosine is computed.
[[nodiscard]] similarity_fn similarity_for(distance metric, datatype type);

/// Sums of huge products may be no number. Such a row goes last, so that rows have an order.
[[nodiscard]] inline float comparable(float similarity) {
  return std::isnan(similarity) ? -std::numeric_limits<float>::infinity() : similarity;
}

/// Rows in memory that are asked for ahead of the one that is compared: enough to hide the way to
/// memory, and within the nearest cache.
[[nodiscard]] inline std::size_t rows_ahead(std::size_t row_bytes) {
  constexpr std::size_t cache_bytes = 12 * 1024;
  constexpr std::size_t enough = 8;
  return std::clamp(cache_bytes / row_bytes, std::size_t{1}, enough);
}

/// What clients are shown for an internal similarity.
[[nodiscard]] float score_of(distance metric, float similarity);

}  // namespace vexfs
