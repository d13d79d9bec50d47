// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "bench/vexbench/random.h"

namespace vexfs::bench {

enum class arrivals : std::uint8_t { constant, poisson };

/// The planned times of a stream's requests on one worker. They depend on the rate and the seed
/// alone, never on answers: what comes late is sent late and measured from its planned time.
class pacer {
 public:
  /// `phase`, a share of an interval, keeps the workers' constant arrivals evenly apart.
  pacer(double rate_per_second, arrivals kind, double phase, random_numbers numbers)
      : interval_ns_(1e9 / rate_per_second), kind_(kind), phase_(phase), numbers_(numbers) {}

  /// The first request is planned within one interval of `now_ns`.
  void start(std::int64_t now_ns) {
    next_ns_ = static_cast<double>(now_ns) +
               interval_ns_ * (kind_ == arrivals::poisson ? numbers_.exponential() : phase_);
  }
  [[nodiscard]] std::int64_t next_ns() const { return static_cast<std::int64_t>(next_ns_); }
  void advance() {
    next_ns_ += interval_ns_ * (kind_ == arrivals::poisson ? numbers_.exponential() : 1.0);
  }

 private:
  double interval_ns_;
  arrivals kind_;
  double phase_;
  random_numbers numbers_;
  double next_ns_ = 0;
};

}  // namespace vexfs::bench
