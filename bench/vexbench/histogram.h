// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vexfs::bench {

/// Counts of durations in nanoseconds with three significant digits, from 1 ns to an hour; longer
/// ones count as an hour. The layout is HdrHistogram's, so that its tools read what encode() gives.
///
/// Values below 2048 have a count each. Above, every power of two is divided into 1024 counts, so a
/// count's width is at most 1/1024 of its value.
class histogram {
 public:
  static constexpr std::int64_t value_ns_max = 3'600'000'000'000;
  static constexpr std::uint32_t sub_bucket_count = 2048;
  static constexpr std::uint32_t bucket_count = 32;
  static constexpr std::uint32_t count_count = (bucket_count + 1) * (sub_bucket_count / 2);

  /// What is not zero, by index: the form in which the seconds of a run are kept.
  using sparse = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

  void record(std::int64_t value_ns);
  void add(const histogram& other);
  void add(const sparse& other);
  /// Everything recorded since the last call, which is forgotten here.
  [[nodiscard]] sparse take();

  [[nodiscard]] std::uint64_t total() const { return total_; }
  [[nodiscard]] std::int64_t max() const;
  [[nodiscard]] std::int64_t min() const;
  [[nodiscard]] double mean() const;
  /// The value that a share `quantile` of all does not pass, within a count's width; 0 when empty.
  [[nodiscard]] std::int64_t value_at(double quantile) const;
  /// The same, or nothing where fewer than ten values lie beyond it: too few to tell.
  [[nodiscard]] std::optional<std::int64_t> value_if_known(double quantile) const;

  /// HdrHistogram's V2 encoding, compressed, in base64.
  [[nodiscard]] std::string encode() const;

  [[nodiscard]] static std::uint32_t index_of(std::int64_t value_ns);
  [[nodiscard]] static std::int64_t lowest_value_of(std::uint32_t index);
  [[nodiscard]] static std::int64_t highest_value_of(std::uint32_t index);

 private:
  void add_count(std::uint32_t index, std::uint64_t count);

  std::vector<std::uint64_t> counts_;  // empty until the first value
  std::uint64_t total_ = 0;
  std::uint32_t index_min_ = count_count;  // the range that is not zero
  std::uint32_t index_max_ = 0;
};

}  // namespace vexfs::bench
