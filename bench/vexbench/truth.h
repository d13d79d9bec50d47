// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bench/vexbench/distance.h"
#include "bench/vexbench/exit_code.h"
#include "bench/vexbench/matrix.h"

namespace vexfs::bench {

/// The nearest rows of one query among those allowed, nearest first, ties by the smaller row.
struct neighbours {
  std::vector<std::uint32_t> rows;
  std::vector<double> distances;
};

/// `allowed` is asked for the rows that are near enough to count; empty: all are.
struct question {
  std::span<const float> query;
  std::function<bool(std::uint32_t)> allowed{};
};

/// Exact nearest neighbours by scanning everything. Ranks in float32 with some to spare, then
/// decides in float64.
class exact_search {
 public:
  /// Keeps a reference, and for cosine a copy brought to unit length.
  exact_search(const matrix& base, metric which);

  [[nodiscard]] const matrix& base() const { return base_; }
  [[nodiscard]] metric which() const { return which_; }
  /// The neighbours of every question, in their order. Some questions are asked together, so that
  /// a row is fetched from memory once for all of them.
  [[nodiscard]] std::vector<neighbours> nearest(std::span<const question> questions,
                                                std::uint32_t count) const;
  [[nodiscard]] neighbours nearest(std::span<const float> query, std::uint32_t count,
                                   const std::function<bool(std::uint32_t)>& allowed = {}) const {
    const question one{query, allowed};
    return std::move(nearest({&one, 1}, count).front());
  }
  [[nodiscard]] double distance_to(std::span<const float> query, std::uint32_t row) const {
    return exact_distance(which_, query, base_.row(row));
  }

 private:
  const matrix& base_;
  const metric which_;
  matrix unit_rows_;
};

/// Calls work(index) for every index below `count`, on `threads` threads.
void in_parallel(std::uint32_t count, std::uint32_t threads,
                 const std::function<void(std::uint32_t)>& work);

/// exact_search::nearest() for any number of questions, on `threads` threads. `question_of` makes
/// them where they are answered.
[[nodiscard]] std::vector<neighbours> nearest_in_parallel(
    const exact_search& search, std::uint32_t question_count, std::uint32_t count,
    std::uint32_t threads, const std::function<question(std::uint32_t)>& question_of);

/// The `count` nearest rows of every query. With a folder: read from a file beside the data when
/// one is there that was made from the same bytes (its name has their hash), else computed and
/// written there.
struct truth {
  index_matrix rows;  // fewer neighbours than columns: the rest is UINT32_MAX
  bool was_cached = false;
  std::string file;  // empty: no folder, or it cannot be written
};
[[nodiscard]] truth compute_truth(const exact_search& search, const matrix& queries,
                                  std::uint32_t count, std::uint32_t threads,
                                  const std::string& cache_folder);

}  // namespace vexfs::bench
