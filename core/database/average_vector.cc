// SPDX-License-Identifier: Apache-2.0
#include "core/database/average_vector.h"

#include <algorithm>
#include <map>
#include <vector>

namespace vexfs {
namespace {

/// How much each example counts. A vector minus a mean over none stays itself.
struct weights {
  float positive, negative;
};
weights weights_of(std::size_t positive, std::size_t negative) {
  const float share = 1.0F / static_cast<float>(positive);
  if (negative == 0) return {share, 0};
  return {2.0F * share, -1.0F / static_cast<float>(negative)};
}

vector_value average_dense(std::span<const vector_value> positive,
                           std::span<const vector_value> negative, arena& memory) {
  const std::size_t dim = positive.front().values.size();
  const auto mean = [&](std::span<const vector_value> examples, std::size_t d) {
    float sum = 0;
    for (const vector_value& one : examples)
      sum += one.values[d];
    return sum / static_cast<float>(examples.size());
  };
  const auto values = memory.array<float>(dim);
  for (std::size_t d = 0; d < dim; ++d) {
    values[d] = mean(positive, d);
    if (!negative.empty()) values[d] += values[d] - mean(negative, d);
  }
  vector_value average;
  average.values = values;
  return average;
}

vector_value average_multi(std::span<const vector_value> positive,
                           std::span<const vector_value> negative, arena& memory) {
  std::vector<float> rows;
  vector_value average;
  average.kind = vector_kind::multi;
  average.row_count = 0;
  const auto append = [&](const vector_value& one, float sign) {
    for (const float value : one.values)
      rows.push_back(sign * value);
    average.row_count += one.row_count;
  };
  for (const vector_value& one : positive)
    append(one, 1);
  for (const vector_value& one : negative)
    append(one, -1);
  average.values = memory.copy(std::span<const float>(rows));
  return average;
}

vector_value average_sparse(std::span<const vector_value> positive,
                            std::span<const vector_value> negative, arena& memory) {
  const weights share = weights_of(positive.size(), negative.size());
  std::map<std::uint32_t, float> sums;
  const auto add = [&](const vector_value& one, float weight) {
    for (std::size_t i = 0; i < one.indices.size(); ++i)
      sums[one.indices[i]] += weight * one.values[i];
  };
  for (const vector_value& one : positive)
    add(one, share.positive);
  for (const vector_value& one : negative)
    add(one, share.negative);
  const auto indices = memory.array<std::uint32_t>(sums.size());
  const auto values = memory.array<float>(sums.size());
  std::size_t count = 0;
  for (const auto& [index, value] : sums) {
    indices[count] = index;
    values[count++] = value;
  }
  vector_value average;
  average.kind = vector_kind::sparse;
  average.indices = indices;
  average.values = values;
  return average;
}

}  // namespace

result<vector_value> average_vector(std::span<const vector_value> positive,
                                    std::span<const vector_value> negative, arena& memory) {
  if (positive.empty())
    return fail(errc::bad_input, "Positive vectors should not be empty with `average` strategy");
  const vector_value& first = positive.front();
  const auto fits = [&](const vector_value& one) {
    return one.kind == first.kind &&
           (first.kind != vector_kind::dense || one.values.size() == first.values.size());
  };
  if (!std::ranges::all_of(positive, fits) || !std::ranges::all_of(negative, fits))
    return fail(errc::bad_input, "Can't average vectors with different types");
  switch (first.kind) {
    case vector_kind::dense:
      return average_dense(positive, negative, memory);
    case vector_kind::multi:
      return average_multi(positive, negative, memory);
    case vector_kind::sparse:
      return average_sparse(positive, negative, memory);
  }
  return first;
}

}  // namespace vexfs
