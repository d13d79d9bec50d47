// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace vexfs::bench {
namespace {

constexpr std::uint32_t half = histogram::sub_bucket_count / 2;
constexpr std::uint32_t half_bits = 10;
static_assert(half == 1U << half_bits);
// The last bucket holds the largest value.
static_assert((static_cast<std::int64_t>(histogram::sub_bucket_count)
               << (histogram::bucket_count - 1)) > histogram::value_ns_max);
// And HdrHistogram counts as few buckets for it: the readers derive their number from the value.
static_assert((static_cast<std::int64_t>(histogram::sub_bucket_count)
               << (histogram::bucket_count - 2)) <= histogram::value_ns_max);

}  // namespace

std::uint32_t histogram::index_of(std::int64_t value_ns) {
  const auto value =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(value_ns, 0, value_ns_max));
  const auto width = static_cast<std::uint32_t>(std::bit_width(value | (sub_bucket_count - 1)));
  const std::uint32_t bucket = width - (half_bits + 1);
  const auto sub = static_cast<std::uint32_t>(value >> bucket);
  return ((bucket + 1) << half_bits) + sub - half;
}

std::int64_t histogram::lowest_value_of(std::uint32_t index) {
  if (index < sub_bucket_count) return index;
  const std::uint32_t bucket = (index >> half_bits) - 1;
  const std::uint32_t sub = (index & (half - 1)) + half;
  return static_cast<std::int64_t>(sub) << bucket;
}

std::int64_t histogram::highest_value_of(std::uint32_t index) {
  return lowest_value_of(index + 1) - 1;
}

void histogram::add_count(std::uint32_t index, std::uint64_t count) {
  if (counts_.empty()) counts_.resize(count_count);
  counts_[index] += count;
  total_ += count;
  index_min_ = std::min(index_min_, index);
  index_max_ = std::max(index_max_, index);
}

void histogram::record(std::int64_t value_ns) {
  add_count(index_of(value_ns), 1);
}

void histogram::add(const histogram& other) {
  if (other.total_ == 0) return;
  for (std::uint32_t index = other.index_min_; index <= other.index_max_; ++index)
    if (other.counts_[index] != 0) add_count(index, other.counts_[index]);
}

void histogram::add(const sparse& other) {
  for (const auto& [index, count] : other)
    add_count(index, count);
}

histogram::sparse histogram::take() {
  sparse taken;
  if (total_ == 0) return taken;
  for (std::uint32_t index = index_min_; index <= index_max_; ++index) {
    // A count of one second does not come near 32 bits; what passes them is split.
    for (std::uint64_t left = counts_[index]; left > 0;) {
      const auto part = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, UINT32_MAX));
      taken.emplace_back(index, part);
      left -= part;
    }
    counts_[index] = 0;
  }
  total_ = 0;
  index_min_ = count_count;
  index_max_ = 0;
  return taken;
}

std::int64_t histogram::max() const {
  return total_ == 0 ? 0 : highest_value_of(index_max_);
}

std::int64_t histogram::min() const {
  return total_ == 0 ? 0 : lowest_value_of(index_min_);
}

double histogram::mean() const {
  if (total_ == 0) return 0;
  double sum = 0;
  for (std::uint32_t index = index_min_; index <= index_max_; ++index) {
    const double middle = (static_cast<double>(lowest_value_of(index)) +
                           static_cast<double>(highest_value_of(index))) /
                          2;
    sum += middle * static_cast<double>(counts_[index]);
  }
  return sum / static_cast<double>(total_);
}

std::int64_t histogram::value_at(double quantile) const {
  if (total_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(total_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, total_);
  std::uint64_t seen = 0;
  for (std::uint32_t index = index_min_; index <= index_max_; ++index) {
    seen += counts_[index];
    if (seen >= rank) return highest_value_of(index);
  }
  return max();
}

std::optional<std::int64_t> histogram::value_if_known(double quantile) const {
  constexpr double beyond_min = 10;
  // The sum is not exact in binary: 1 - 0.999 times 10,000 is a little less than ten.
  if ((1 - quantile) * static_cast<double>(total_) < beyond_min - 1e-6) return std::nullopt;
  return value_at(quantile);
}

}  // namespace vexfs::bench
