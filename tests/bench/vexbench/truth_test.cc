// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/truth.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bench/vexbench/generate.h"
#include "bench/vexbench/random.h"
#include "bench/vexbench/vector_file.h"
#include "tests/bench/vexbench/seed.h"

namespace vexfs::bench {
namespace {

using testing::test_seed;

// The slow way: all distances in float64, sorted.
std::vector<std::uint32_t> sorted_rows(const matrix& base, metric which,
                                       std::span<const float> query, std::uint32_t count) {
  std::vector<std::pair<double, std::uint32_t>> all;
  for (std::uint32_t row = 0; row < base.rows; ++row)
    all.emplace_back(exact_distance(which, query, base.row(row)), row);
  std::ranges::sort(all);
  std::vector<std::uint32_t> rows;
  for (std::uint32_t index = 0; index < std::min(count, base.rows); ++index)
    rows.push_back(all[index].second);
  return rows;
}

class every_metric : public ::testing::TestWithParam<metric> {};

TEST_P(every_metric, nearest_are_those_of_a_sort_of_everything) {
  for (const std::uint32_t dim : {1U, 15U, 16U, 17U, 100U}) {
    const made_vectors data =
        generate({.points = 700, .queries = 20, .dim = dim, .clusters = 5, .seed = test_seed()});
    const exact_search search(data.base, GetParam());
    for (std::uint32_t query = 0; query < data.queries.rows; ++query) {
      const auto found = search.nearest(data.queries.row(query), 10);
      EXPECT_EQ(found.rows, sorted_rows(data.base, GetParam(), data.queries.row(query), 10));
      EXPECT_TRUE(std::ranges::is_sorted(found.distances));
    }
  }
}

TEST_P(every_metric, fast_distances_rank_as_exact_ones_do) {
  random_numbers numbers(test_seed());
  for (std::size_t dim = 1; dim < 70; ++dim) {
    std::vector<float> a(dim);
    std::vector<float> b(dim);
    for (std::size_t axis = 0; axis < dim; ++axis) {
      a[axis] = static_cast<float>(numbers.normal());
      b[axis] = static_cast<float>(numbers.normal());
    }
    const metric which = GetParam();
    // Cosine's fast form is for rows of unit length.
    const metric compared = which == metric::cosine ? metric::dot : which;
    EXPECT_NEAR(fast_distance(which, a, b), exact_distance(compared, a, b),
                1e-5 * static_cast<double>(dim + 1));
  }
}

INSTANTIATE_TEST_SUITE_P(distances, every_metric,
                         ::testing::Values(metric::cosine, metric::dot, metric::euclid,
                                           metric::manhattan));

TEST(exact_search, asks_for_every_row_whether_it_is_allowed) {
  const made_vectors data = generate({.points = 300, .queries = 1, .dim = 8, .seed = test_seed()});
  const exact_search search(data.base, metric::euclid);
  const auto found =
      search.nearest(data.queries.row(0), 400, [](std::uint32_t row) { return row % 3 == 1; });
  EXPECT_EQ(found.rows.size(), 100U);
  for (const std::uint32_t row : found.rows)
    EXPECT_EQ(row % 3, 1U);
}

TEST(truth, is_the_same_computed_and_cached_and_changes_with_the_data) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("vexbench-truth-" + std::to_string(::getpid()));
  made_vectors data = generate({.points = 500, .queries = 30, .dim = 12, .seed = test_seed()});
  const exact_search search(data.base, metric::cosine);
  const truth first = compute_truth(search, data.queries, 5, 3, folder);
  EXPECT_FALSE(first.was_cached);
  EXPECT_FALSE(first.file.empty());
  const truth second = compute_truth(search, data.queries, 5, 1, folder);
  EXPECT_TRUE(second.was_cached);
  EXPECT_EQ(first.rows.values, second.rows.values);

  index_matrix wrong = second.rows;
  wrong.values[3] = 500;  // no such row
  ASSERT_TRUE(write_indices(second.file, wrong));
  EXPECT_EQ(compute_truth(search, data.queries, 5, 1, folder).rows.values, first.rows.values)
      << "a damaged cache was believed";

  data.queries.values[7] += 0.5F;
  const truth third = compute_truth(search, data.queries, 5, 1, folder);
  EXPECT_FALSE(third.was_cached) << "a cache of other queries was used";
  data.base.values[3] += 0.5F;
  EXPECT_FALSE(compute_truth(exact_search(data.base, metric::cosine), data.queries, 5, 1, folder)
                   .was_cached);
  std::filesystem::remove_all(folder);
}

TEST(truth, fewer_points_than_asked_for_leave_places_empty) {
  const made_vectors data = generate({.points = 3, .queries = 2, .dim = 4, .seed = test_seed()});
  const truth found =
      compute_truth(exact_search(data.base, metric::dot), data.queries, 5, 1, "/dev/null/nowhere");
  EXPECT_TRUE(found.file.empty());
  for (std::uint32_t query = 0; query < 2; ++query) {
    const auto row = found.rows.row(query);
    EXPECT_EQ((std::set<std::uint32_t>{row[0], row[1], row[2]}),
              (std::set<std::uint32_t>{0, 1, 2}));
    EXPECT_EQ(row[3], UINT32_MAX);
  }
}

TEST(generate, repeats_and_depends_on_the_seed) {
  for (const shape which :
       {shape::clustered, shape::anisotropic, shape::drifting, shape::uniform}) {
    const recipe from{.which = which, .points = 200, .queries = 10, .dim = 20, .seed = test_seed()};
    recipe other = from;
    ++other.seed;
    EXPECT_EQ(generate(from).base.values, generate(from).base.values) << name_of(which);
    EXPECT_NE(generate(from).base.values, generate(other).base.values) << name_of(which);
    recipe longer = from;
    longer.points = 300;
    EXPECT_EQ(generate(longer).queries.values, generate(from).queries.values) << name_of(which);
    EXPECT_EQ(shape_named(name_of(which)), which);
  }
}

// The share of the total variance that the strongest axis of a rotation-free view has: the largest
// eigenvalue of the covariance over its trace, by power iteration.
double strongest_share(const matrix& of) {
  std::vector<double> mean(of.columns);
  for (std::uint32_t row = 0; row < of.rows; ++row)
    for (std::uint32_t axis = 0; axis < of.columns; ++axis)
      mean[axis] += static_cast<double>(of.row(row)[axis]) / of.rows;
  std::vector<double> along(of.columns, 1);
  double eigenvalue = 0;
  double trace = 0;
  for (int turn = 0; turn < 50; ++turn) {
    std::vector<double> next(of.columns);
    trace = 0;
    for (std::uint32_t row = 0; row < of.rows; ++row) {
      double projected = 0;
      for (std::uint32_t axis = 0; axis < of.columns; ++axis) {
        const double value = of.row(row)[axis] - mean[axis];
        projected += value * along[axis];
        trace += value * value / of.rows;
      }
      for (std::uint32_t axis = 0; axis < of.columns; ++axis)
        next[axis] += projected * (of.row(row)[axis] - mean[axis]) / of.rows;
    }
    eigenvalue = std::sqrt(std::inner_product(next.begin(), next.end(), next.begin(), 0.0));
    for (std::uint32_t axis = 0; axis < of.columns; ++axis)
      along[axis] = next[axis] / eigenvalue;
  }
  return eigenvalue / trace;
}

TEST(generate, anisotropic_data_has_strong_directions_and_uniform_data_none) {
  recipe from{
      .which = shape::anisotropic, .points = 2000, .queries = 1, .dim = 32, .seed = test_seed()};
  const double anisotropic = strongest_share(generate(from).base);
  from.which = shape::uniform;
  const double uniform = strongest_share(generate(from).base);
  EXPECT_GT(anisotropic, 3 * uniform);
}

TEST(generate, drifting_data_ends_elsewhere_than_it_began) {
  recipe from{.which = shape::drifting,
              .points = 4000,
              .queries = 1,
              .dim = 32,
              .clusters = 10,
              .seed = test_seed()};
  const auto moved = [&] {
    const matrix base = generate(from).base;
    double squares = 0;
    for (std::uint32_t axis = 0; axis < base.columns; ++axis) {
      double early = 0;
      double late = 0;
      for (std::uint32_t row = 0; row < 1000; ++row) {
        early += base.row(row)[axis] / 1000.0;
        late += base.row(base.rows - 1 - row)[axis] / 1000.0;
      }
      squares += (early - late) * (early - late);
    }
    return std::sqrt(squares);
  };
  const double drifting = moved();
  from.which = shape::clustered;
  EXPECT_GT(drifting, 2 * moved());
}

}  // namespace
}  // namespace vexfs::bench
