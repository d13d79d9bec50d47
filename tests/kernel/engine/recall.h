// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/kernel/engine/engine_index.h"

namespace vexfs::engine {

inline std::vector<std::vector<std::uint32_t>> true_nearest(const floats& rows,
                                                            const floats& queries,
                                                            vexfs_metric metric, std::uint32_t dim,
                                                            std::uint32_t k) {
  std::vector<std::vector<std::uint32_t>> truth;
  for (std::size_t q = 0; q < queries.size(); q += dim) {
    std::vector<std::pair<double, std::uint32_t>> scored;
    for (std::uint32_t r = 0; r < rows.size() / dim; ++r)
      scored.emplace_back(
          distance_of(metric, queries.data() + q, rows.data() + std::size_t{r} * dim, dim), r);
    std::ranges::partial_sort(scored, scored.begin() + k);
    truth.emplace_back();
    for (std::uint32_t i = 0; i < k; ++i)
      truth.back().push_back(scored[i].second);
  }
  return truth;
}

/// Recall@10 where an answer counts that is as near as the true one: duplicates are as good.
inline double recall(const floats& rows, const floats& queries, vexfs_metric metric,
                     std::uint32_t dim, const std::vector<std::vector<std::uint32_t>>& truth,
                     const std::vector<std::vector<vexfs_found>>& found) {
  std::size_t hits = 0;
  std::size_t wanted = 0;
  for (std::size_t q = 0; q < truth.size(); ++q) {
    const auto distance = [&](std::uint32_t slot) {
      return distance_of(metric, queries.data() + q * dim, rows.data() + std::size_t{slot} * dim,
                         dim);
    };
    std::vector<double> distances;
    for (const vexfs_found& one : found[q])
      distances.push_back(distance(one.slot));
    std::ranges::sort(distances);  // rescored, as core does
    for (std::size_t i = 0; i < std::min(truth[q].size(), distances.size()); ++i)
      hits += distances[i] <= distance(truth[q].back());
    wanted += truth[q].size();
  }
  return static_cast<double>(hits) / static_cast<double>(wanted);
}

}  // namespace vexfs::engine
