// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "bench/vexbench/histogram.h"

namespace vexfs::bench {

/// What became of one kind of operation in one phase.
struct tally {
  std::uint64_t answered = 0;        // with a 2xx
  std::uint64_t units = 0;           // points or queries in those
  std::uint64_t error_statuses = 0;  // answered otherwise: not in the histogram
  std::uint64_t lost = 0;            // their connection broke
  // Not answered, or not even sent, when the run had to end: in the histogram with the time they
  // had waited until then, which is less than the truth.
  std::uint64_t unanswered = 0;
  std::uint64_t unsent = 0;
  std::uint64_t answer_bytes = 0;
  std::int64_t first_ns = INT64_MAX;  // the first planned, and the last answered
  std::int64_t last_ns = 0;
  std::string first_error;
  histogram latency;
  std::vector<std::pair<std::uint32_t, histogram::sparse>> seconds;  // by the time of the answer

  /// Requests without the answer that was asked for; an unsent one was never asked.
  [[nodiscard]] std::uint64_t wrong() const { return error_statuses + lost + unanswered; }
  void add(tally&& other);
};

/// One worker's tallies. The current second is counted apart and put away sparsely when it ends, so
/// that a long run takes little memory.
class recorder {
 public:
  explicit recorder(std::uint32_t kind_count) : kind_count_(kind_count) {}

  [[nodiscard]] tally& of(std::uint32_t phase, std::uint32_t kind) {
    const std::size_t place = std::size_t{phase} * kind_count_ + kind;
    if (place >= cells_.size()) cells_.resize((std::size_t{phase} + 1) * kind_count_);
    return cells_[place].all;
  }
  void record(std::uint32_t phase, std::uint32_t kind, std::int64_t latency_ns) {
    (void)of(phase, kind);
    cells_[std::size_t{phase} * kind_count_ + kind].second.record(latency_ns);
  }
  /// To be called at least once a second, and a last time before take().
  void turn_second(std::int64_t now_ns) {
    const auto second = static_cast<std::uint32_t>(now_ns / 1'000'000'000);
    if (second != current_) put_away(second);
  }
  /// All cells, by phase and then kind.
  [[nodiscard]] std::vector<tally> take();

 private:
  struct cell {
    tally all;
    histogram second;
  };
  void put_away(std::uint32_t next_second);

  std::uint32_t kind_count_;
  std::uint32_t current_ = 0;
  std::vector<cell> cells_;
};

}  // namespace vexfs::bench
