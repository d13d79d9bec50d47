// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "core/model/vector.h"

namespace vexfs {

/// A query by several examples, prepared as the column stores its vectors. Its score is a function
/// of the internal similarities of a point to the examples; larger is better, whatever the metric.
struct example_query {
  enum class form : std::uint8_t { best_score, sum_scores, discover, context, feedback };
  form kind = form::best_score;
  std::span<const vector_value> positive, negative;  // pairs where they belong to a context
  vector_value target;                               // discover, feedback
  std::span<const float> weights;                    // feedback: of each pair
  float target_weight = 1;                           // feedback

  [[nodiscard]] std::size_t example_count() const { return positive.size() + negative.size() + 1; }
};

namespace detail {

/// Monotone, from -1 to 1.
[[nodiscard]] inline float squash(float x) {
  return x / (1.0F + std::abs(x));
}
/// The same from 0 to 1.
[[nodiscard]] inline float squash_to_unit(float x) {
  return 0.5F * (squash(x) + 1.0F);
}

}  // namespace detail

/// `similarity(example)` is the point's internal similarity to one example.
template <class Similarity>
[[nodiscard]] float score_by_examples(const example_query& query, Similarity&& similarity) {
  const auto best = [&](std::span<const vector_value> examples) {
    float found = -std::numeric_limits<float>::infinity();
    for (const vector_value& example : examples)
      found = std::max(found, similarity(example));
    return found;
  };
  const auto sum = [&](std::span<const vector_value> examples) {
    float total = 0;
    for (const vector_value& example : examples)
      total += similarity(example);
    return total;
  };
  switch (query.kind) {
    case example_query::form::best_score: {
      const float liked = best(query.positive);
      const float disliked = best(query.negative);
      return liked > disliked ? detail::squash_to_unit(liked) : -detail::squash_to_unit(disliked);
    }
    case example_query::form::sum_scores:
      return sum(query.positive) - sum(query.negative);
    case example_query::form::discover: {
      int rank = 0;
      for (std::size_t i = 0; i < query.positive.size(); ++i) {
        const float right = similarity(query.positive[i]);
        const float wrong = similarity(query.negative[i]);
        rank += right > wrong ? 1 : right < wrong ? -1 : 0;
      }
      return static_cast<float>(rank) + detail::squash_to_unit(similarity(query.target));
    }
    case example_query::form::context: {
      // A point on the right side of a pair, and not on the border, loses nothing by it.
      float loss = 0;
      for (std::size_t i = 0; i < query.positive.size(); ++i) {
        const float difference = similarity(query.positive[i]) - similarity(query.negative[i]) -
                                 std::numeric_limits<float>::epsilon();
        loss += detail::squash(std::min(difference, 0.0F));
      }
      return loss;
    }
    case example_query::form::feedback: {
      float score = query.target_weight * similarity(query.target);
      for (std::size_t i = 0; i < query.positive.size(); ++i)
        score += query.weights[i] * (similarity(query.positive[i]) - similarity(query.negative[i]));
      return score;
    }
  }
  return 0;
}

}  // namespace vexfs
