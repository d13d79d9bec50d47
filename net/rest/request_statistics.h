// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/io/task.h"
#include "net/http/exchange.h"

namespace vexfs::rest {

/// Answers of one route with one status.
struct answer_count {
  /// Upper bounds of the histogram's buckets.
  static constexpr std::array<std::uint64_t, 11> bounds_us{
      1'000,   5'000,     10'000,    20'000,     50'000,    100'000,
      500'000, 1'000'000, 5'000'000, 10'000'000, 50'000'000};

  std::uint64_t count = 0;
  std::uint64_t total_us = 0;
  std::uint64_t min_us = UINT64_MAX;
  std::uint64_t max_us = 0;
  std::int64_t last_us = 0;                               // wall clock of the last one
  std::array<std::uint64_t, bounds_us.size()> buckets{};  // each counted in the lowest that fits

  void add(std::uint64_t duration_us, std::int64_t wall_us);
  void add(const answer_count& others);
};

/// By status, of one route.
using status_counts = std::vector<std::pair<std::uint16_t, answer_count>>;
/// By route::index.
using route_counts = std::vector<status_counts>;

struct request_counts {
  route_counts all;
  std::map<std::string, route_counts, std::less<>> by_collection;
};

/// Counts answers, each on its own core. What is asked for is gathered from all of them.
class request_statistics {
 public:
  explicit request_statistics(std::uint32_t core_count) : cores_(core_count) {}

  /// The answer is complete; on its core.
  void answered(const http::exchange& call);

  [[nodiscard]] io::task<request_counts> gather() const;

 private:
  struct alignas(64) core_counts : request_counts {};
  std::vector<core_counts> cores_;
};

}  // namespace vexfs::rest
