// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vexfs {

enum class distance : std::uint8_t { cosine, euclid, dot, manhattan };

/// True where a larger internal score is the better one, as it is shown to clients.
[[nodiscard]] constexpr bool larger_is_better(distance metric) {
  return metric == distance::cosine || metric == distance::dot;
}

/// How the originals are kept. turbo4 is served from float32.
enum class datatype : std::uint8_t { float32, float16, uint8, turbo4 };

enum class vector_kind : std::uint8_t { dense, multi, sparse };

/// A vector as a request carries it. Memory belongs to the request's arena.
/// dense: values[dim]. multi: values[row_count * dim], row after row. sparse: values[i] at
/// indices[i].
struct vector_value {
  vector_kind kind = vector_kind::dense;
  std::uint32_t row_count = 1;
  std::span<const float> values;
  std::span<const std::uint32_t> indices;
};

/// "" is the unnamed vector.
struct named_vector {
  std::string_view name;
  vector_value value;
};

/// nullptr where there is none of that name.
[[nodiscard]] inline const vector_value* vector_named(std::span<const named_vector> vectors,
                                                      std::string_view name) {
  for (const named_vector& one : vectors)
    if (one.name == name) return &one.value;
  return nullptr;
}

}  // namespace vexfs
