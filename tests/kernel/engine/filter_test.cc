// SPDX-License-Identifier: Apache-2.0
// Searches under an allow bitmap: filters independent of the vectors, near the queries, far from
// them.
#include <memory>
#include <numeric>
#include <ostream>
#include <span>

#include "tests/kernel/engine/engine_index.h"

namespace vexfs::engine {
namespace {

struct filtered {
  const char* kind;
  double passing_percent;
};

void PrintTo(const filtered& one, std::ostream* to) {
  *to << one.kind << ", " << one.passing_percent << " %";
}

constexpr std::uint32_t dim = 48;
constexpr std::uint32_t row_count = 8000;
constexpr std::uint32_t tail_count = 500;
constexpr std::uint32_t cluster_rows = row_count / 40;
constexpr std::uint32_t query_count = 100;
constexpr std::uint32_t seed_count = 3;

// What the engine is told of a filter decides how it searches: all of few slots, or by a walk.
constexpr std::uint32_t told_few = 0;
constexpr std::uint32_t told_many = row_count * 4;

struct filtered_data {
  floats rows;
  floats queries;  // of the first twenty clusters
  std::unique_ptr<engine_index> index;
};

class filter_test : public testing::TestWithParam<filtered> {
 protected:
  static void SetUpTestSuite() {
    for (std::uint32_t seed = 0; seed < seed_count; ++seed) {
      std::mt19937_64 random(test_seed() + seed);
      filtered_data& made = data[seed];
      // A stretch of slots is a cluster.
      made.rows = make_rows(random, "clustered order", row_count, dim);
      made.index = std::make_unique<engine_index>(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
      const auto tail = made.rows.end() - std::ptrdiff_t{tail_count} * dim;
      made.index->insert_all(floats(made.rows.begin(), tail));
      made.index->link_all();
      made.index->insert_all(floats(tail, made.rows.end()), row_count - tail_count);
      for (std::uint32_t q = 0; q < query_count; ++q) {
        const auto slot = static_cast<std::uint32_t>(random() % (row_count / 2));
        for (std::uint32_t d = 0; d < dim; ++d)
          made.queries.push_back(made.rows[std::size_t{slot} * dim + d] +
                                 0.2F * std::normal_distribution<float>()(random));
      }
    }
  }
  static void TearDownTestSuite() {
    for (filtered_data& made : data)
      made.index.reset();
  }

  static bool passes(const filtered& given, std::uint32_t slot) {
    const std::uint32_t cluster = slot / cluster_rows;
    const double passing_clusters = 40 * given.passing_percent / 100;
    const std::string kind = given.kind;
    if (kind == "near") return cluster < passing_clusters;
    if (kind == "far") return cluster >= 40 - passing_clusters;
    return (slot * 2654435761U >> 7) % 10000 < given.passing_percent * 100;
  }

  /// Recall@10 of one data set.
  static double recall(const filtered_data& of, const filtered& given, std::uint32_t told,
                       std::uint32_t ef) {
    std::vector<std::uint64_t> bitmap((row_count + VEXFS_CHUNK_ROWS) / 64);
    for (std::uint32_t slot = 0; slot < row_count; ++slot)
      if (passes(given, slot)) bitmap[slot / 64] |= 1ULL << (slot % 64);
    const auto found = of.index->search(
        of.queries, {.wanted = 16, .ef = ef, .allowed = bitmap.data(), .told_count = told});
    std::size_t hits = 0;
    std::size_t wanted = 0;
    for (std::uint32_t q = 0; q < query_count; ++q) {
      const float* asked = of.queries.data() + std::size_t{q} * dim;
      const auto distance = [&](std::uint32_t slot) {
        return distance_of(VEXFS_METRIC_EUCLID, asked, of.rows.data() + std::size_t{slot} * dim,
                           dim);
      };
      std::vector<double> truth;
      for (std::uint32_t slot = 0; slot < row_count; ++slot)
        if (passes(given, slot)) truth.push_back(distance(slot));
      const std::size_t k = std::min<std::size_t>(10, truth.size());
      std::ranges::partial_sort(truth, truth.begin() + static_cast<std::ptrdiff_t>(k));
      std::vector<double> answers;
      for (const vexfs_found& one : found[q]) {
        EXPECT_TRUE(passes(given, one.slot)) << "slot " << one.slot;
        answers.push_back(distance(one.slot));
      }
      std::ranges::sort(answers);
      EXPECT_TRUE(std::ranges::adjacent_find(answers) == answers.end()) << "a slot twice";
      for (std::size_t i = 0; i < std::min(k, answers.size()); ++i)
        hits += answers[i] <= truth[k - 1];
      wanted += k;
    }
    return static_cast<double>(hits) / static_cast<double>(wanted);
  }

  static filtered_data data[seed_count];
};

filtered_data filter_test::data[seed_count];

TEST_P(filter_test, scanning_what_passes_finds_the_nearest) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  for (const filtered_data& of : data)
    EXPECT_GE(recall(of, GetParam(), told_few, 64), 0.99);
}

TEST_P(filter_test, walking_finds_the_nearest_that_pass) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  for (const filtered_data& of : data)
    EXPECT_GE(recall(of, GetParam(), told_many, 64), 0.95);
}

INSTANTIATE_TEST_SUITE_P(kinds, filter_test,
                         testing::Values(filtered{"independent", 99}, filtered{"independent", 50},
                                         filtered{"independent", 25}, filtered{"independent", 10},
                                         filtered{"independent", 5}, filtered{"independent", 1},
                                         filtered{"independent", 0.1}, filtered{"near", 50},
                                         filtered{"near", 10}, filtered{"near", 2.5},
                                         filtered{"far", 50}, filtered{"far", 25},
                                         filtered{"far", 10}, filtered{"far", 5},
                                         filtered{"far", 2.5}));

/// Groups of rows around centres; those of the second half pass.
struct grouped_rows {
  grouped_rows(std::mt19937_64& random, const floats& centres, std::uint32_t group_rows)
      : group_count(static_cast<std::uint32_t>(centres.size() / dim)),
        index(dim, VEXFS_METRIC_EUCLID, usual_config(dim)) {
    std::normal_distribution<float> normal;
    const std::uint32_t count = group_count * group_rows;
    bitmap.resize((count + VEXFS_CHUNK_ROWS) / 64);
    // All groups come again and again, so that the graph grows everywhere.
    for (std::uint32_t slot = 0; slot < count; ++slot) {
      for (std::uint32_t d = 0; d < dim; ++d)
        rows.push_back(centres[std::size_t{slot % group_count} * dim + d] + 0.4F * normal(random));
      if (passes(slot)) bitmap[slot / 64] |= 1ULL << (slot % 64);
    }
    index.insert_all(rows);
    index.link_all();
  }

  [[nodiscard]] bool passes(std::uint32_t slot) const {
    return slot % group_count >= group_count / 2;
  }

  std::uint32_t group_count;
  floats rows;
  std::vector<std::uint64_t> bitmap;
  engine_index index;
};

TEST(far_filter_test, what_passes_in_many_small_groups_far_from_the_query_is_found) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  std::normal_distribution<float> normal;
  constexpr std::uint32_t groups = 400;
  floats centres(std::size_t{groups} * dim);
  for (float& value : centres)
    value = normal(random);
  const grouped_rows data(random, centres, 50);
  std::size_t hits = 0;
  for (std::uint32_t q = 0; q < groups / 2; ++q) {
    const floats query(data.rows.begin() + std::ptrdiff_t{q} * dim,
                       data.rows.begin() + std::ptrdiff_t{q + 1} * dim);
    const auto found = data.index.search(
        query, {.wanted = 16, .ef = 24, .allowed = data.bitmap.data(), .told_count = told_many});
    std::vector<double> truth;
    const auto distance = [&](std::uint32_t slot) {
      return distance_of(VEXFS_METRIC_EUCLID, query.data(),
                         data.rows.data() + std::size_t{slot} * dim, dim);
    };
    for (std::uint32_t slot = 0; slot < data.rows.size() / dim; ++slot)
      if (data.passes(slot)) truth.push_back(distance(slot));
    std::ranges::nth_element(truth, truth.begin() + 9);
    hits += static_cast<std::size_t>(std::ranges::count_if(
        found[0], [&](const vexfs_found& one) { return distance(one.slot) <= truth[9]; }));
  }
  EXPECT_GE(static_cast<double>(hits) / (10.0 * groups / 2), 0.95);
}

TEST(far_filter_test, a_walk_ends_early_where_what_passes_lies_together) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  // What fails lies around zero. Of what passes one group is twice as near to it as the others.
  constexpr std::uint32_t groups = 16;
  constexpr std::uint32_t query_rows = 50;
  floats centres(std::size_t{groups} * dim);
  for (std::uint32_t group = groups / 2; group < groups; ++group)
    centres[std::size_t{group} * dim + group] = group == groups / 2 ? 8.0F : 16.0F;
  const grouped_rows data(random, centres, 400);
  floats queries;
  for (std::uint32_t slot = 0; queries.size() < std::size_t{query_rows} * dim; ++slot)
    if (!data.passes(slot))
      queries.insert(queries.end(), data.rows.begin() + std::ptrdiff_t{slot} * dim,
                     data.rows.begin() + std::ptrdiff_t{slot + 1} * dim);
  constexpr std::uint32_t ef = 64;
  std::uint64_t expanded = 0;
  const auto found = data.index.search(queries, {.wanted = 10,
                                                 .ef = ef,
                                                 .allowed = data.bitmap.data(),
                                                 .told_count = told_many,
                                                 .expanded = &expanded});
  for (const auto& of_query : found) {
    ASSERT_EQ(of_query.size(), 10U);
    for (const vexfs_found& one : of_query)
      ASSERT_EQ(one.slot % groups, groups / 2);
  }
  // Of the 48 entries where it starts and a pool of four times ef, less than half.
  EXPECT_LT(expanded, std::uint64_t{query_rows} * (48 + 4 * ef) / 2);
}

floats make_cloud(std::mt19937_64& random, std::uint32_t count, std::uint32_t dimensions) {
  floats rows(std::size_t{count} * dimensions);
  for (float& value : rows)
    value = std::normal_distribution<float>()(random);
  return rows;
}

TEST(narrow_filter_test, what_passes_a_little_everywhere_is_not_taken_for_far) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  // Long rows, so that few of them are more than a scan takes.
  constexpr std::uint32_t dim_long = 1024;
  constexpr std::uint32_t count = 4000;
  // One cloud: small clusters would have few that pass indeed.
  const floats rows = make_cloud(random, count, dim_long);
  vexfs_graph_config config = usual_config(dim_long);
  config.lines = 0;
  engine_index index(dim_long, VEXFS_METRIC_EUCLID, config);
  index.insert_all(rows);
  index.link_all();
  std::vector<std::uint64_t> bitmap(VEXFS_CHUNK_ROWS / 64);
  constexpr std::uint32_t passing = count / 10;
  std::vector<std::uint32_t> slots(count);
  std::iota(slots.begin(), slots.end(), 0U);
  std::ranges::shuffle(slots, random);
  for (const std::uint32_t slot : std::span(slots).first(passing))
    bitmap[slot / 64] |= 1ULL << (slot % 64);
  std::uint32_t scanned = 0;
  for (std::uint32_t slot = 0; slot < count; slot += 10) {
    const floats query(rows.begin() + std::ptrdiff_t{slot} * dim_long,
                       rows.begin() + std::ptrdiff_t{slot + 1} * dim_long);
    std::uint64_t expanded = 0;
    ASSERT_EQ(index
                  .search(query, {.wanted = 8,
                                  .ef = 8,
                                  .allowed = bitmap.data(),
                                  .told_count = passing,
                                  .expanded = &expanded})[0]
                  .size(),
              8U);
    scanned += expanded == 0;
  }
  EXPECT_LE(scanned, 8U);
}

TEST(narrow_filter_test, what_a_repair_is_taking_out_does_not_count_as_rows) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  // Rows so long that few are more than a scan takes, and one cloud of them.
  constexpr std::uint32_t dim_long = 4096;
  constexpr std::uint32_t count = 2000;
  constexpr std::uint32_t dead = count / 10 * 6;
  // More than a walk needs of those that live, less than it needs of all.
  constexpr std::uint32_t passing = 108;
  const floats rows = make_cloud(random, count, dim_long);
  vexfs_graph_config config = usual_config(dim_long);
  config.ef_construct = 32;
  config.lines = 0;
  engine_index index(dim_long, VEXFS_METRIC_EUCLID, config);
  index.insert_all(rows);
  index.link_all();
  for (std::uint32_t slot = 0; slot < dead; ++slot)
    index.remove(slot);
  std::vector<std::uint64_t> bitmap(VEXFS_CHUNK_ROWS / 64);
  for (std::uint32_t slot = count - passing; slot < count; ++slot)
    bitmap[slot / 64] |= 1ULL << (slot % 64);
  const auto walked_count = [&] {
    std::uint32_t walked = 0;
    for (std::uint32_t slot = dead; slot < count; slot += 20) {
      const floats query(rows.begin() + std::ptrdiff_t{slot} * dim_long,
                         rows.begin() + std::ptrdiff_t{slot + 1} * dim_long);
      std::uint64_t expanded = 0;
      (void)index.search(query,
                         {.wanted = 8, .ef = 8, .allowed = bitmap.data(), .expanded = &expanded});
      walked += expanded > 0;
    }
    return walked;
  };
  EXPECT_EQ(walked_count(), 40U);
  ASSERT_EQ(index.link_some(1, VEXFS_LINK_REPAIR), 1U);
  ASSERT_EQ(index.graph()->dying_count, dead);
  EXPECT_EQ(walked_count(), 40U);
}

TEST(narrow_filter_test, a_long_row_costs_the_others_nothing_where_more_are_wanted_than_pass) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t count = 1000;
  floats rows = make_rows(random, "clusters", count, dim);
  const floats queries = make_rows(random, "clusters", 20, dim);
  for (std::uint32_t d = 0; d < dim; ++d)
    rows[std::size_t{300} * dim + d] *= 1e30F;
  std::vector<std::uint64_t> bitmap(VEXFS_CHUNK_ROWS / 64);
  for (std::uint32_t slot = 0; slot < count; slot += 3)
    bitmap[slot / 64] |= 1ULL << (slot % 64);
  for (const vexfs_metric metric : {VEXFS_METRIC_EUCLID, VEXFS_METRIC_MANHATTAN}) {
    engine_index index(dim, metric, usual_config(dim));
    index.insert_all(rows);
    index.link_all();
    const auto found =
        index.search(queries, {.wanted = count, .ef = count, .allowed = bitmap.data()});
    std::uint32_t hits = 0;
    for (std::uint32_t q = 0; q < 20; ++q) {
      const auto away = [&](std::uint32_t slot) {
        return distance_of(metric, queries.data() + std::size_t{q} * dim,
                           rows.data() + std::size_t{slot} * dim, dim);
      };
      std::vector<double> truth;
      for (std::uint32_t slot = 0; slot < count; slot += 3)
        truth.push_back(away(slot));
      std::ranges::sort(truth);
      ASSERT_EQ(found[q].size(), truth.size());
      for (std::uint32_t i = 0; i < 10; ++i)
        hits += away(found[q][i].slot) <= truth[12];
    }
    EXPECT_GE(hits, 190U);
  }
}

TEST(far_filter_test, what_is_much_shorter_than_all_that_fails_is_found) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  const floats rows = make_rows(random, "mixed norms", row_count, dim);
  const floats queries = make_rows(random, "clusters", query_count, dim);
  engine_index index(dim, VEXFS_METRIC_DOT, usual_config(dim));
  index.insert_all(rows);
  index.link_all();
  std::vector<double> squares(row_count);
  for (std::uint32_t slot = 0; slot < row_count; ++slot)
    for (std::uint32_t d = 0; d < dim; ++d)
      squares[slot] +=
          double{rows[std::size_t{slot} * dim + d]} * rows[std::size_t{slot} * dim + d];
  std::vector<double> sorted = squares;
  std::ranges::sort(sorted);
  const double least_failing = sorted[row_count / 5];
  std::vector<std::uint64_t> bitmap((row_count + VEXFS_CHUNK_ROWS) / 64);
  for (std::uint32_t slot = 0; slot < row_count; ++slot)
    if (squares[slot] < least_failing) bitmap[slot / 64] |= 1ULL << (slot % 64);
  const auto found = index.search(
      queries, {.wanted = 16, .ef = 64, .allowed = bitmap.data(), .told_count = told_many});
  std::size_t hits = 0;
  for (std::uint32_t q = 0; q < query_count; ++q) {
    const auto away = [&](std::uint32_t slot) {
      return distance_of(VEXFS_METRIC_DOT, queries.data() + std::size_t{q} * dim,
                         rows.data() + std::size_t{slot} * dim, dim);
    };
    std::vector<double> truth;
    for (std::uint32_t slot = 0; slot < row_count; ++slot)
      if (squares[slot] < least_failing) truth.push_back(away(slot));
    std::ranges::nth_element(truth, truth.begin() + 9);
    hits += static_cast<std::size_t>(std::ranges::count_if(
        found[q], [&](const vexfs_found& one) { return away(one.slot) <= truth[9]; }));
  }
  EXPECT_GE(static_cast<double>(hits) / (10.0 * query_count), 0.98);
}

TEST(narrow_filter_test, a_filter_that_passes_nothing_or_one_slot_is_answered) {
  std::mt19937_64 random(3);
  const floats rows = make_rows(random, "clusters", 2000, dim);
  engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  index.insert_all(rows);
  index.link_all();
  std::vector<std::uint64_t> bitmap(VEXFS_CHUNK_ROWS / 64);
  EXPECT_TRUE(index.search(rows, {.allowed = bitmap.data()})[17].empty());
  for (std::uint32_t slot = 0; slot < 2000; slot += 37) {
    std::ranges::fill(bitmap, 0);
    bitmap[slot / 64] = 1ULL << (slot % 64);
    const floats query(rows.begin(), rows.begin() + dim);
    for (const std::uint32_t told : {1U, 0U, told_many}) {
      const auto found = index.search(query, {.allowed = bitmap.data(), .told_count = told});
      ASSERT_EQ(found[0].size(), 1U);
      ASSERT_EQ(found[0][0].slot, slot);
    }
  }
}

}  // namespace
}  // namespace vexfs::engine
