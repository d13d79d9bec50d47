// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/locality.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bench/vexbench/distance.h"
#include "bench/vexbench/generate.h"
#include "tests/bench/vexbench/seed.h"

namespace vexfs::bench {
namespace {

TEST(locality, has_every_row_once_for_any_number_of_rows) {
  for (const std::uint32_t rows : {1U, 2U, 31U, 64U, 65U, 1000U}) {
    matrix same(rows, 3);  // all alike: nothing tells them apart
    const made_vectors made = generate(
        {.points = rows, .queries = 1, .dim = 6, .clusters = 3, .seed = testing::test_seed()});
    for (const matrix* each : {&std::as_const(same), &made.base}) {
      const locality order(*each, random_numbers(testing::test_seed()));
      std::vector<bool> seen(rows);
      for (std::uint32_t row = 0; row < rows; ++row) {
        ASSERT_LT(order.place_of(row), rows);
        ASSERT_EQ(order.row_at(order.place_of(row)), row);
        EXPECT_FALSE(seen[order.place_of(row)]);
        seen[order.place_of(row)] = true;
      }
      EXPECT_LT(order.place_near(each->row(0)), rows);
    }
  }
}

TEST(locality, those_that_stand_together_are_nearer_to_each_other_than_to_others) {
  const made_vectors made =
      generate({.points = 4000, .queries = 50, .dim = 16, .seed = testing::test_seed()});
  const locality order(made.base, random_numbers(testing::test_seed()));
  double around = 0;
  double anywhere = 0;
  for (std::uint32_t query = 0; query < made.queries.rows; ++query) {
    const std::uint32_t place = order.place_near(made.queries.row(query));
    for (std::uint32_t step = 0; step < 40; ++step) {
      const std::uint32_t close = order.row_at((place + 4000 - 20 + step) % 4000);
      const std::uint32_t other = order.row_at((place + 100 * step) % 4000);
      around += exact_distance(metric::euclid, made.queries.row(query), made.base.row(close));
      anywhere += exact_distance(metric::euclid, made.queries.row(query), made.base.row(other));
    }
  }
  // .5 to .6 of it over many seeds; in an order by chance it is 1.
  EXPECT_LT(around, anywhere * 0.75);
}

}  // namespace
}  // namespace vexfs::bench
