// SPDX-License-Identifier: Apache-2.0
#include "core/database/prepare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/database/half.h"

namespace vexfs {
namespace {

std::string_view word_of(vector_kind kind) {
  switch (kind) {
    case vector_kind::dense:
      return "dense";
    case vector_kind::multi:
      return "multi";
    case vector_kind::sparse:
      return "sparse";
  }
  return "";
}

}  // namespace

void normalise(std::span<float> values) {
  float squared = 0;
  for (const float value : values)
    squared += value * value;
  constexpr float near_one = 1e-6F;
  if (squared < std::numeric_limits<float>::epsilon() || std::abs(squared - 1.0F) <= near_one)
    return;
  const float length = std::sqrt(squared);
  for (float& value : values)
    value /= length;
}

void prepare_row(std::span<float> values, distance metric, datatype type) {
  switch (type) {
    case datatype::uint8:
      for (float& value : values)
        value = value <= 0 || std::isnan(value) ? 0.0F : value >= 255 ? 255.0F : std::trunc(value);
      return;
    case datatype::float16:
      if (metric == distance::cosine) normalise(values);
      // An infinity has no place among codes, and no distance to anything.
      for (float& value : values)
        value = half_to_float(half_from_float(std::clamp(value, -half_max, half_max)));
      return;
    case datatype::float32:
    case datatype::turbo4:
      if (metric == distance::cosine) normalise(values);
      return;
  }
}

result<void> check_dim(const vector_value& given, std::uint32_t dim) {
  const std::size_t length = given.values.size() / std::max(given.row_count, 1U);
  if (length != dim)
    return fail(errc::bad_input, "Vector dimension error: expected dim: " + std::to_string(dim) +
                                     ", got " + std::to_string(length));
  for (const float value : given.values)
    if (!std::isfinite(value))
      return fail(errc::bad_input, "a vector holds a value that is not a finite number");
  return {};
}

std::unexpected<error> wrong_kind(const column& target, vector_kind given) {
  return fail(errc::bad_input, "Conversion between " + std::string(word_of(given)) + " and " +
                                   std::string(word_of(target.kind())) +
                                   " vectors is not possible for '" + target.name() + "'");
}

error unknown_vector(std::string_view name) {
  return {errc::bad_input, "Not existing vector name error: " + std::string(name)};
}

}  // namespace vexfs
