// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/histogram.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "bench/vexbench/random.h"
#include "bench/vexbench/recorder.h"
#include "tests/bench/vexbench/seed.h"

namespace vexfs::bench {
namespace {

using testing::test_seed;

/// The slow way: all values, sorted.
class value_list {
 public:
  void record(std::int64_t value) { values_.push_back(value); }
  std::int64_t value_at(double quantile) {
    std::ranges::sort(values_);
    const auto rank =
        static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(values_.size())));
    return values_[std::max<std::size_t>(rank, 1) - 1];
  }

 private:
  std::vector<std::int64_t> values_;
};

std::int64_t drawn_latency(random_numbers& numbers) {
  // Over the whole range: from nanoseconds to the hour.
  return static_cast<std::int64_t>(std::exp(numbers.uniform() * std::log(3.5e12)));
}

TEST(histogram, every_value_falls_into_a_count_that_is_at_most_a_thousandth_wide) {
  random_numbers numbers(test_seed());
  for (int turn = 0; turn < 200'000; ++turn) {
    const std::int64_t value = turn < 5000 ? turn : drawn_latency(numbers);
    const std::uint32_t index = histogram::index_of(value);
    ASSERT_LT(index, histogram::count_count);
    ASSERT_LE(histogram::lowest_value_of(index), value);
    ASSERT_GE(histogram::highest_value_of(index), value);
    ASSERT_LE(histogram::highest_value_of(index) - histogram::lowest_value_of(index),
              value / 1024 + 1);
  }
}

TEST(histogram, counts_touch_without_a_gap) {
  for (std::uint32_t index = 0; index < histogram::index_of(histogram::value_ns_max); ++index) {
    ASSERT_EQ(histogram::highest_value_of(index) + 1, histogram::lowest_value_of(index + 1));
    ASSERT_EQ(histogram::index_of(histogram::lowest_value_of(index + 1)), index + 1);
  }
}

TEST(histogram, quantiles_are_those_of_the_sorted_values) {
  random_numbers numbers(test_seed());
  for (const int count : {1, 2, 10, 999, 20'000}) {
    histogram counted;
    value_list listed;
    for (int index = 0; index < count; ++index) {
      const std::int64_t value = drawn_latency(numbers);
      counted.record(value);
      listed.record(value);
    }
    for (const double quantile : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const std::int64_t expected = listed.value_at(quantile);
      EXPECT_EQ(histogram::index_of(counted.value_at(quantile)), histogram::index_of(expected))
          << count << " values, quantile " << quantile;
    }
  }
}

TEST(histogram, adding_and_taking_loses_nothing) {
  random_numbers numbers(test_seed());
  histogram whole;
  histogram parts;
  histogram second;
  for (int index = 0; index < 10'000; ++index) {
    const std::int64_t value = drawn_latency(numbers);
    whole.record(value);
    second.record(value);
    if (index % 1000 == 999) parts.add(second.take());
  }
  EXPECT_EQ(second.total(), 0U);
  EXPECT_TRUE(second.take().empty());
  EXPECT_EQ(parts.total(), whole.total());
  EXPECT_EQ(parts.encode(), whole.encode());
  EXPECT_EQ(parts.max(), whole.max());
  EXPECT_EQ(parts.min(), whole.min());
}

TEST(histogram, a_quantile_with_fewer_than_ten_values_beyond_it_cannot_be_told) {
  histogram counted;
  for (int value = 0; value < 999; ++value)
    counted.record(value);
  EXPECT_FALSE(counted.value_if_known(0.99));
  counted.record(999);
  EXPECT_TRUE(counted.value_if_known(0.99));
  EXPECT_FALSE(counted.value_if_known(0.999));
}

TEST(histogram, longer_than_an_hour_counts_as_an_hour) {
  histogram counted;
  counted.record(INT64_MAX);
  EXPECT_GE(counted.max(), histogram::value_ns_max);
  EXPECT_EQ(counted.total(), 1U);
}

TEST(recorder, seconds_add_up_to_the_whole) {
  random_numbers numbers(test_seed());
  recorder records(2);
  for (std::int64_t second = 0; second < 5; ++second)
    for (int index = 0; index < 100; ++index) {
      records.turn_second(second * 1'000'000'000 + index * 1'000'000);
      records.record(static_cast<std::uint32_t>(second / 3), 1, drawn_latency(numbers));
    }
  const std::vector<tally> cells = records.take();
  ASSERT_EQ(cells.size(), 4U);  // two phases of two kinds
  EXPECT_EQ(cells[0].latency.total(), 0U);
  EXPECT_EQ(cells[1].latency.total(), 300U);
  EXPECT_EQ(cells[3].latency.total(), 200U);
  histogram sum;
  for (const auto& [second, counts] : cells[1].seconds)
    sum.add(counts);
  EXPECT_EQ(sum.encode(), cells[1].latency.encode());
  EXPECT_EQ(cells[3].seconds.size(), 2U);
  EXPECT_EQ(cells[3].seconds.front().first, 3U);
}

}  // namespace
}  // namespace vexfs::bench
