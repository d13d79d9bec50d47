// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bench/vexbench/dataset.h"
#include "bench/vexbench/exit_code.h"
#include "bench/vexbench/load.h"
#include "bench/vexbench/point_lives.h"
#include "bench/vexbench/scenario.h"

namespace vexfs::bench {

/// recall@k of the answers that were kept: the share of the true k nearest that an answer has.
struct recall_report {
  std::uint32_t k = 0;
  std::uint64_t queries = 0;
  double mean = 0;
  double worst = 1;
  double worst_tenth = 1;  // a tenth of the queries has less

  struct second {
    std::uint32_t number = 0;  // since the load began, by the time of the answer
    std::uint64_t queries = 0;
    double mean = 0;
  };
  std::vector<second> seconds;  // by number, those in which answers were kept
};

/// The true neighbours of one query, of those points that had to be found.
struct expectation {
  std::vector<std::uint32_t> rows;
  double limit = 0;  // the distance of the last of them
};

/// A returned point counts if `may_count` (empty: all may), is not named twice, and is as near as
/// the k-th true neighbour: points at the same distance are as right as each other.
[[nodiscard]] double recall_of(const exact_search& search, std::span<const float> query,
                               const expectation& expected, std::span<const std::uint64_t> ids,
                               std::uint32_t k,
                               const std::function<bool(std::uint32_t)>& may_count);

/// Judges answers to searches whose tag is the number of the request: request t asks the queries
/// from t x batch on. `lives`: nullptr where nothing was written meanwhile. Empty where no answer
/// was kept, or no query has a true neighbour.
[[nodiscard]] outcome<std::optional<recall_report>> judge(dataset& data, const search_spec& how,
                                                          const row_filter* filter,
                                                          std::span<const sample* const> answers,
                                                          const point_lives* lives,
                                                          std::uint32_t threads);

}  // namespace vexfs::bench
