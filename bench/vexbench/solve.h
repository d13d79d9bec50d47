// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace vexfs::bench {

/// Which hnsw_ef to try next. Doubles from `k` until a recall is reached, then halves the interval
/// until it is within a fiftieth; everything learnt serves all targets. Recall is taken to rise
/// with ef: where a measured one falls a little, the smallest that reached the target is the
/// solution.
class ef_solver {
 public:
  ef_solver(std::uint32_t k, std::uint32_t ef_max) : k_(k), ef_max_(ef_max < k ? k : ef_max) {}

  void learn(std::uint32_t ef, double recall) { known_[ef] = recall; }

  [[nodiscard]] std::optional<std::uint32_t> next_for(double target) const {
    const auto reached = solution_for(target);
    if (!reached) {
      if (known_.empty()) return k_;
      const std::uint32_t last = known_.rbegin()->first;
      if (last == ef_max_) return std::nullopt;
      return last > ef_max_ / 2 ? ef_max_ : last * 2;
    }
    // The largest below it that did not reach the target.
    const auto above = known_.find(*reached);
    if (above == known_.begin()) return std::nullopt;
    const std::uint32_t below = std::prev(above)->first;
    const std::uint32_t apart = *reached - below;
    if (apart <= 1 || apart * 50 <= *reached) return std::nullopt;
    return below + apart / 2;
  }

  [[nodiscard]] std::optional<std::uint32_t> solution_for(double target) const {
    for (const auto& [ef, recall] : known_)
      if (recall >= target) return ef;
    return std::nullopt;
  }
  [[nodiscard]] double recall_at(std::uint32_t ef) const { return known_.at(ef); }
  [[nodiscard]] double best_recall() const {
    double best = 0;
    for (const auto& [ef, recall] : known_)
      best = recall > best ? recall : best;
    return best;
  }

 private:
  const std::uint32_t k_;
  const std::uint32_t ef_max_;
  std::map<std::uint32_t, double> known_;
};

}  // namespace vexfs::bench
