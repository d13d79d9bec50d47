// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/limits.h"
#include "core/io/slices.h"
#include "core/io/task.h"

namespace vexfs {

/// Chooses up to `wanted` of the candidates, one after another: each time the one whose relevance
/// times (1 - diversity) exceeds the most its closest chosen one's similarity times diversity.
/// `similarity(i, j)` is asked for once a pair, on any core. Answers indices of candidates in the
/// order of their choice.
template <class Similarity>
[[nodiscard]] io::task<std::vector<std::uint32_t>> choose_diverse(std::span<const float> relevance,
                                                                  float diversity,
                                                                  std::size_t wanted,
                                                                  const Similarity& similarity) {
  const auto count = static_cast<std::uint32_t>(relevance.size());
  std::vector<std::uint32_t> chosen;
  std::vector<float> closest(count);  // to the chosen ones
  std::vector<std::uint8_t> taken(count);
  while (chosen.size() < wanted && chosen.size() < count) {
    std::uint32_t best = count;
    float best_worth = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (taken[i] != 0) continue;
      const float worth = chosen.empty()
                              ? relevance[i]
                              : (1.0F - diversity) * relevance[i] - diversity * closest[i];
      if (best != count && worth <= best_worth) continue;
      best = i;
      best_worth = worth;
    }
    taken[best] = 1;
    auto compare = [&](std::uint32_t slice) {
      const std::uint32_t first = slice * mmr_slice_candidates;
      const std::uint32_t last = std::min(first + mmr_slice_candidates, count);
      for (std::uint32_t i = first; i < last; ++i) {
        if (taken[i] != 0) continue;
        const float to_best = similarity(i, best);
        closest[i] = chosen.empty() ? to_best : std::max(closest[i], to_best);
      }
    };
    auto comparing =
        io::run_slices((count + mmr_slice_candidates - 1) / mmr_slice_candidates, compare);
    co_await comparing;
    chosen.push_back(best);
  }
  co_return chosen;
}

}  // namespace vexfs
