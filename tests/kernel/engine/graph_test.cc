// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <ostream>
#include <set>
#include <thread>

#include "tests/kernel/engine/engine_index.h"

extern "C" {
#include "kernel/engine/scan.h"
}

namespace vexfs::engine {
namespace {

std::vector<std::vector<std::uint32_t>> true_nearest(const floats& rows, const floats& queries,
                                                     vexfs_metric metric, std::uint32_t dim,
                                                     std::uint32_t k) {
  std::vector<std::vector<std::uint32_t>> truth;
  for (std::size_t q = 0; q < queries.size(); q += dim) {
    std::vector<std::pair<double, std::uint32_t>> scored;
    for (std::uint32_t r = 0; r < rows.size() / dim; ++r)
      scored.emplace_back(
          distance_of(metric, queries.data() + q, rows.data() + std::size_t{r} * dim, dim), r);
    std::ranges::partial_sort(scored, scored.begin() + k);
    truth.emplace_back();
    for (std::uint32_t i = 0; i < k; ++i)
      truth.back().push_back(scored[i].second);
  }
  return truth;
}

/// Recall@10 where an answer counts that is as near as the true one: duplicates are as good.
double recall(const floats& rows, const floats& queries, vexfs_metric metric, std::uint32_t dim,
              const std::vector<std::vector<std::uint32_t>>& truth,
              const std::vector<std::vector<vexfs_found>>& found) {
  std::size_t hits = 0;
  std::size_t wanted = 0;
  for (std::size_t q = 0; q < truth.size(); ++q) {
    const auto distance = [&](std::uint32_t slot) {
      return distance_of(metric, queries.data() + q * dim, rows.data() + std::size_t{slot} * dim,
                         dim);
    };
    std::vector<double> distances;
    for (const vexfs_found& one : found[q])
      distances.push_back(distance(one.slot));
    std::ranges::sort(distances);  // rescored, as core does
    for (std::size_t i = 0; i < std::min(truth[q].size(), distances.size()); ++i)
      hits += distances[i] <= distance(truth[q].back());
    wanted += truth[q].size();
  }
  return static_cast<double>(hits) / static_cast<double>(wanted);
}

struct recalled {
  const char* kind;
  vexfs_metric metric;
  bool has_unit_length;
  std::uint32_t dim;
  double recall;  // of a pool of 16, measured by this test
};

void PrintTo(const recalled& one, std::ostream* to) {
  constexpr const char* metrics[] = {"dot", "euclid", "manhattan"};
  *to << one.kind << ", " << metrics[one.metric] << ", " << one.dim;
}

class recall_test : public testing::TestWithParam<recalled> {};

/// Two-sided: a graph that has become better is news too, and the number here has to follow.
TEST_P(recall_test, recall_is_what_it_was) {
  const recalled& expected = GetParam();
  std::mt19937_64 random(11);
  constexpr std::uint32_t count = 4000;
  floats rows = make_rows(random, expected.kind, count, expected.dim);
  floats queries = make_rows(
      random, expected.kind == std::string_view("a few huge") ? "clusters" : expected.kind, 100,
      expected.dim);
  if (expected.has_unit_length) {
    normalise_rows(rows, expected.dim);
    normalise_rows(queries, expected.dim);
  }
  engine_index index(expected.dim, expected.metric, usual_config(expected.dim, expected.metric));
  index.insert_all(rows);
  index.link_all();
  validate(index.graph());
  const auto truth = true_nearest(rows, queries, expected.metric, expected.dim, 10);
  const auto found = index.search(queries, {.wanted = 16, .ef = 16});
  EXPECT_NEAR(recall(rows, queries, expected.metric, expected.dim, truth, found), expected.recall,
              0.002);
  const auto wider = index.search(queries, {.wanted = 16, .ef = 100});
  EXPECT_GE(recall(rows, queries, expected.metric, expected.dim, truth, wider), 0.975);
  EXPECT_LE(unreachable_count(index.graph()), count / 200) << "rows that nothing leads to";
}

INSTANTIATE_TEST_SUITE_P(
    kinds, recall_test,
    testing::Values(recalled{"clusters", VEXFS_METRIC_DOT, true, 384, 0.9935},
                    recalled{"clusters", VEXFS_METRIC_EUCLID, false, 128, 1},
                    recalled{"clustered order", VEXFS_METRIC_DOT, true, 384, 0.976},
                    recalled{"clustered order", VEXFS_METRIC_EUCLID, false, 128, 1},
                    recalled{"anisotropic", VEXFS_METRIC_EUCLID, false, 128, 0.9995},
                    recalled{"drifting", VEXFS_METRIC_EUCLID, false, 128, 1},
                    recalled{"clusters", VEXFS_METRIC_DOT, false, 128, 0.9985},
                    recalled{"mixed norms", VEXFS_METRIC_DOT, false, 128, 1},
                    recalled{"mixed norms", VEXFS_METRIC_EUCLID, false, 128, 0.99},
                    recalled{"a few huge", VEXFS_METRIC_DOT, false, 128, 0.998},
                    recalled{"a few huge", VEXFS_METRIC_DOT, false, 300, 0.998},
                    recalled{"a few huge", VEXFS_METRIC_EUCLID, false, 128, 1},
                    recalled{"short half", VEXFS_METRIC_DOT, false, 128, 1},
                    recalled{"many zeros", VEXFS_METRIC_DOT, true, 128, 0.964},
                    recalled{"many zeros", VEXFS_METRIC_EUCLID, false, 320, 0.905},
                    recalled{"duplicates", VEXFS_METRIC_EUCLID, false, 64, 1},
                    recalled{"tiny", VEXFS_METRIC_EUCLID, false, 100, 1},
                    recalled{"huge", VEXFS_METRIC_EUCLID, false, 100, 1},
                    recalled{"tiny", VEXFS_METRIC_DOT, false, 300, 0.998},
                    recalled{"huge", VEXFS_METRIC_DOT, false, 300, 0.998},
                    recalled{"clusters", VEXFS_METRIC_EUCLID, false, 2, 0.9985},
                    recalled{"clusters", VEXFS_METRIC_EUCLID, false, 1, 1},
                    recalled{"clusters", VEXFS_METRIC_MANHATTAN, false, 128, 1},
                    recalled{"clustered order", VEXFS_METRIC_MANHATTAN, false, 300, 1},
                    recalled{"anisotropic", VEXFS_METRIC_MANHATTAN, false, 128, 1},
                    recalled{"mixed norms", VEXFS_METRIC_MANHATTAN, false, 128, 1},
                    recalled{"a few huge", VEXFS_METRIC_MANHATTAN, false, 128, 1},
                    recalled{"many zeros", VEXFS_METRIC_MANHATTAN, false, 128, 0.946},
                    recalled{"tiny", VEXFS_METRIC_MANHATTAN, false, 100, 1},
                    recalled{"huge", VEXFS_METRIC_MANHATTAN, false, 100, 1},
                    recalled{"clusters", VEXFS_METRIC_MANHATTAN, false, 2, 1}));

TEST(graph_test, the_same_commands_give_the_same_graph_for_any_workers_and_budget) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 64;
  constexpr std::uint32_t count = 6000;
  const floats rows = make_rows(random, "clusters", count, dim);
  engine_index alone(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  alone.insert_all(rows);
  alone.link_all(1000000);
  validate(alone.graph());

  engine_index sliced(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  sliced.insert_all(rows);
  while (sliced.link_some(1 + static_cast<std::uint32_t>(random() % 50)) != 0) {
  }
  engine_index shared(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  shared.insert_all(rows);
  const auto work = [&] {
    while (vexfs_tail_length(shared.graph()) != 0)
      if (shared.link_some(17) == 0) std::this_thread::yield();
  };
  std::thread other(work);
  work();
  other.join();
  validate(shared.graph());

  for (std::uint32_t slot = 0; slot < count; ++slot) {
    ASSERT_EQ(sliced.links(slot), alone.links(slot)) << "slot " << slot;
    ASSERT_EQ(shared.links(slot), alone.links(slot)) << "slot " << slot;
  }
}

TEST(graph_test, a_vector_is_found_the_moment_it_is_inserted) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  for (const std::uint32_t dim : {96U, 384U}) {
    constexpr std::uint32_t count = 1500;
    const floats rows = make_rows(random, "clusters", count, dim);
    engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
    for (std::uint32_t slot = 0; slot < count; ++slot) {
      const float* row = rows.data() + std::size_t{slot} * dim;
      ASSERT_EQ(index.insert(slot, row, slot + 7), 0);
      if (random() % 4 == 0) index.link_some(static_cast<std::uint32_t>(random() % 40));
      if (random() % 8 != 0) continue;
      const auto found = index.search(floats(row, row + dim), {.wanted = 1, .ef = 10});
      ASSERT_EQ(found[0].size(), 1U);
      ASSERT_EQ(found[0][0].slot, slot);
      ASSERT_EQ(found[0][0].generation, slot + 7);
    }
    index.link_all();  // a batch that is under way has links already
    validate(index.graph());
  }
}

TEST(graph_test, a_long_tail_does_not_keep_a_walk_from_what_is_linked) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 32;
  constexpr std::uint32_t linked = 8000;
  for (const vexfs_metric metric : {VEXFS_METRIC_EUCLID, VEXFS_METRIC_DOT}) {
    const floats rows = make_rows(random, "clusters", 2 * linked, dim);
    const floats queries = make_rows(random, "clusters", 100, dim);
    const auto half = static_cast<std::ptrdiff_t>(linked) * dim;
    engine_index index(dim, metric, usual_config(dim));
    index.insert_all(floats(rows.begin(), rows.begin() + half));
    index.link_all();
    const floats first(rows.begin(), rows.begin() + half);
    const auto truth_of_linked = true_nearest(first, queries, metric, dim, 10);
    const double before = recall(first, queries, metric, dim, truth_of_linked,
                                 index.search(queries, {.wanted = 16, .ef = 32}));
    index.insert_all(floats(rows.begin() + half, rows.end()), linked);
    const auto truth = true_nearest(rows, queries, metric, dim, 10);
    const double after =
        recall(rows, queries, metric, dim, truth, index.search(queries, {.wanted = 16, .ef = 32}));
    EXPECT_GE(after, before - 0.01);
  }
}

TEST(graph_test, before_linking_the_answers_are_those_of_a_scan_by_keys) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 48;
  constexpr std::uint32_t count = 1000;
  const floats rows = make_rows(random, "clusters", count, dim);
  const floats queries = make_rows(random, "clusters", 20, dim);
  for (const vexfs_metric metric : {VEXFS_METRIC_EUCLID, VEXFS_METRIC_MANHATTAN}) {
    engine_index index(dim, metric, usual_config(dim));
    EXPECT_TRUE(index.search(queries, {})[0].empty());
    index.insert_all(rows);
    const auto found = index.search(queries, {.wanted = 16, .ef = 16});
    const auto truth = true_nearest(rows, queries, metric, dim, 10);
    EXPECT_EQ(recall(rows, queries, metric, dim, truth, found), 1.0);
  }
}

TEST(graph_test, the_shortest_are_found_where_all_products_are_negative) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  std::normal_distribution<float> normal;
  constexpr std::uint32_t dim = 64;
  floats rows;
  for (std::uint32_t slot = 0; slot < 8000; ++slot) {
    const float length = std::exp(normal(random));
    for (std::uint32_t d = 0; d < dim; ++d)
      rows.push_back(length * std::abs(normal(random)));
  }
  floats queries(std::size_t{100} * dim);
  std::ranges::generate(queries, [&] { return -std::abs(normal(random)); });
  engine_index index(dim, VEXFS_METRIC_DOT, usual_config(dim));
  index.insert_all(rows);
  index.link_all();
  const auto truth = true_nearest(rows, queries, VEXFS_METRIC_DOT, dim, 10);
  const auto found = index.search(queries, {.wanted = 16, .ef = 64});
  EXPECT_GE(recall(rows, queries, VEXFS_METRIC_DOT, dim, truth, found), 0.99);
}

TEST(graph_test, manhattan_finds_what_differs_in_one_value_alone) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  std::normal_distribution<float> normal;
  for (const std::uint32_t dim : {64U, 128U}) {
    constexpr std::uint32_t query_count = 40;
    floats rows(std::size_t{3000} * dim);
    floats queries(std::size_t{query_count} * dim);
    std::ranges::generate(rows, [&] { return normal(random); });
    std::ranges::generate(queries, [&] { return normal(random); });
    // Nearer than all others by far, and three to six times as long.
    for (std::uint32_t q = 0; q < query_count; ++q)
      for (std::uint32_t near = 0; near < 10; ++near) {
        const auto asked = queries.begin() + std::ptrdiff_t{q} * dim;
        rows.insert(rows.end(), asked, asked + dim);
        rows[rows.size() - 1 - random() % dim] += 32.0F + static_cast<float>(near);
      }
    engine_index index(dim, VEXFS_METRIC_MANHATTAN, usual_config(dim));
    index.insert_all(rows);
    index.link_all();
    const auto truth = true_nearest(rows, queries, VEXFS_METRIC_MANHATTAN, dim, 10);
    const auto found = index.search(queries, {.wanted = 16, .ef = 64});
    EXPECT_GE(recall(rows, queries, VEXFS_METRIC_MANHATTAN, dim, truth, found), 0.95);
  }
}

TEST(graph_test, a_removed_slot_is_never_answered) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 32;
  constexpr std::uint32_t count = 2000;
  const floats rows = make_rows(random, "clusters", count, dim);
  engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  index.insert_all(rows);
  // Some die in the tail, some in the batch that is under way, some in the graph.
  std::set<std::uint32_t> removed;
  for (int round = 0; round < 300; ++round) {
    const auto slot = static_cast<std::uint32_t>(random() % count);
    index.remove(slot);
    removed.insert(slot);
    index.link_some(10);
  }
  index.link_all();
  validate(index.graph());
  for (const std::uint32_t slot : removed) {
    const float* row = rows.data() + std::size_t{slot} * dim;
    const auto found = index.search(floats(row, row + dim), {.wanted = 20, .ef = 40});
    for (const vexfs_found& one : found[0])
      ASSERT_FALSE(removed.contains(one.slot));
  }
  // A repair has freed most of them; the last to die wait for the next.
  std::uint32_t free_count = 0;
  for (const std::uint32_t slot : removed) {
    const bool is_free = vexfs_graph_is_free(index.graph(), slot) != 0;
    ASSERT_EQ(index.insert(slot, rows.data()), is_free ? 0 : -EBUSY);
    free_count += is_free;
  }
  EXPECT_GT(free_count, 0U);
  index.link_all();
  validate(index.graph());
}

std::uint32_t count_free(const engine_index& index, const std::vector<std::uint32_t>& slots) {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      slots, [&](std::uint32_t slot) { return vexfs_graph_is_free(index.graph(), slot) != 0; }));
}

TEST(graph_test, who_needs_slots_gets_the_few_that_have_died_before_the_tail_is_linked) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 32;
  constexpr std::uint32_t count = 3000;
  const floats rows = make_rows(random, "clusters", count, dim);
  engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  index.insert_all(rows);
  index.link_all();
  const std::vector<std::uint32_t> few{3, 500, 501, 2999};
  for (const std::uint32_t slot : few)
    index.remove(slot);
  index.link_all();
  EXPECT_EQ(count_free(index, few), 0U) << "too few for a pass that nobody asks for";
  index.insert_all(rows, count);
  while (count_free(index, few) < few.size())
    ASSERT_NE(index.link_some(100, VEXFS_LINK_REPAIR), 0U);
  EXPECT_EQ(vexfs_tail_length(index.graph()), count);
  index.link_all();
  validate(index.graph());
}

TEST(graph_test, a_part_that_has_died_is_taken_out_though_slots_wait_to_be_linked) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 32;
  constexpr std::uint32_t count = 3000;
  const floats rows = make_rows(random, "clusters", count, dim);
  engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  index.insert_all(rows);
  index.link_all();
  std::vector<std::uint32_t> dead;
  for (std::uint32_t slot = 0; dead.size() <= count / 16; slot += 7) {
    index.remove(slot);
    dead.push_back(slot);
  }
  index.insert_all(rows, count);
  while (count_free(index, dead) < dead.size())
    ASSERT_NE(index.link_some(100), 0U);
  EXPECT_EQ(vexfs_tail_length(index.graph()), count);
}

/// What one core does to a graph, for the next test: rounds of deletes and inserts.
void churn(engine_index& index, const floats& rows, std::uint64_t seed, bool whole_clusters) {
  std::mt19937_64 random(seed);
  const auto count = static_cast<std::uint32_t>(rows.size() / index.dim());
  for (std::uint32_t round = 0; round < 6; ++round) {
    std::vector<std::uint32_t> removed;
    for (std::uint32_t slot = 0; slot < count; ++slot) {
      // In clustered order, a stretch of slots is a cluster.
      const bool goes = whole_clusters ? (slot / (count / 40) + round) % 3 == 0 : random() % 10 < 3;
      if (!goes) continue;
      index.remove(slot);
      removed.push_back(slot);
    }
    index.link_all();
    for (const std::uint32_t slot : removed) {
      ASSERT_TRUE(vexfs_graph_is_free(index.graph(), slot)) << "round " << round;
      ASSERT_EQ(index.insert(slot, rows.data() + std::size_t{slot} * index.dim(), round + 1), 0);
    }
    index.link_all();
    validate(index.graph());
  }
}

TEST(graph_test, rounds_of_deletes_and_inserts_keep_recall_and_memory) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  constexpr std::uint32_t dim = 64;
  constexpr std::uint32_t count = 4000;
  for (const bool whole_clusters : {false, true}) {
    std::mt19937_64 random(test_seed());
    const floats rows = make_rows(random, "clustered order", count, dim);
    const floats queries = make_rows(random, "clusters", 100, dim);
    engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
    index.insert_all(rows);
    index.link_all();
    const auto truth = true_nearest(rows, queries, VEXFS_METRIC_EUCLID, dim, 10);
    const auto measure = [&] {
      return recall(rows, queries, VEXFS_METRIC_EUCLID, dim, truth,
                    index.search(queries, {.wanted = 16, .ef = 16}));
    };
    const double fresh = measure();
    const std::size_t bytes = vexfs_graph_memory_bytes(index.graph());
    churn(index, rows, test_seed(), whole_clusters);
    EXPECT_EQ(vexfs_graph_memory_bytes(index.graph()), bytes);
    EXPECT_GE(measure(), fresh - 0.01);
    EXPECT_LE(unreachable_count(index.graph()), count / 1000);
  }
}

/// In such clusters keys are all alike, and everybody's nearest are the same few rows.
TEST(graph_test, rows_that_lie_closer_than_codes_tell_keep_links_to_them) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  constexpr std::uint32_t dim = 32;
  constexpr std::uint32_t count = 4000;
  for (const vexfs_metric metric : {VEXFS_METRIC_DOT, VEXFS_METRIC_EUCLID, VEXFS_METRIC_MANHATTAN})
    for (const bool whole_clusters : {false, true}) {
      std::mt19937_64 random(test_seed());
      const floats rows = make_rows(random, "tight clusters", count, dim);
      engine_index index(dim, metric, usual_config(dim, metric));
      index.insert_all(rows);
      index.link_all();
      EXPECT_LE(unkept_count(index.graph()), count / 200);
      EXPECT_LE(unreachable_count(index.graph()), count / 1000);
      churn(index, rows, test_seed(), whole_clusters);
      EXPECT_LE(unkept_count(index.graph()), count / 50);
      EXPECT_LE(unreachable_count(index.graph()), count / 50);
    }
}

/// Where each row comes near the one before, keepers make long ways back to the first one.
TEST(graph_test, rows_along_a_path_keep_links_to_them) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  std::normal_distribution<float> normal;
  constexpr std::uint32_t dim = 16;
  constexpr std::uint32_t count = 6000;
  floats rows(std::size_t{count} * dim);
  for (std::size_t i = dim; i < rows.size(); ++i)
    rows[i] = rows[i - dim] + normal(random);
  engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  index.insert_all(rows);
  index.link_all();
  EXPECT_EQ(unreachable_count(index.graph()), 0U);
  churn(index, rows, test_seed(), false);
  EXPECT_LE(unkept_count(index.graph()), count / 200);
  EXPECT_LE(unreachable_count(index.graph()), count / 500);
}

/// Then neither their neighbours nor entries are left of most that live.
TEST(graph_test, what_is_left_of_much_that_has_died_is_found_among_what_comes) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  constexpr std::uint32_t dim = 32;
  constexpr std::uint32_t count = 8000;
  for (const std::uint32_t left : {0U, 1U, 2U, 20U, 200U}) {
    std::mt19937_64 random(test_seed());
    const floats rows = make_rows(random, "clusters", count, dim);
    engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
    index.insert_all(rows);
    index.link_all();
    for (std::uint32_t slot = 0; slot < count; ++slot)
      if (left == 0 || slot % (count / left) != 0) index.remove(slot);
    while (index.link_some(1000, VEXFS_LINK_REPAIR) != 0) {
    }
    validate(index.graph());
    EXPECT_EQ(index.graph()->linked_count, left);
    EXPECT_EQ(unreachable_count(index.graph()), 0U) << left << " left";
    for (std::uint32_t slot = 0; slot < count; ++slot)
      if (left == 0 || slot % (count / left) != 0) {
        ASSERT_EQ(index.insert(slot, rows.data() + std::size_t{slot} * dim, 1), 0);
      }
    index.link_all();
    validate(index.graph());
    EXPECT_LE(unreachable_count(index.graph()), 1U) << left << " left";
  }
}

TEST(graph_test, repair_gives_the_same_graph_for_any_workers) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  constexpr std::uint32_t dim = 32;
  constexpr std::uint32_t count = 3000;
  // One in three goes, and all but one in forty.
  const auto goes = [](bool most, std::uint32_t slot) {
    return most ? slot % 40 != 0 : slot % 3 == 0;
  };
  for (const bool most : {false, true}) {
    std::mt19937_64 random(test_seed());
    const floats rows = make_rows(random, "clusters", count, dim);
    engine_index alone(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
    engine_index shared(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
    for (engine_index* index : {&alone, &shared}) {
      index->insert_all(rows);
      index->link_all();
      for (std::uint32_t slot = 0; slot < count; ++slot)
        if (goes(most, slot)) index->remove(slot);
    }
    alone.link_all();
    const std::uint32_t left = alone.graph()->linked_count;
    const auto work = [&] {
      while (vexfs_load_relaxed(&shared.graph()->linked_count) > left)
        if (shared.link_some(5) == 0) std::this_thread::yield();
    };
    std::thread other(work);
    work();
    other.join();
    validate(shared.graph());
    for (std::uint32_t slot = 0; slot < count; ++slot)
      ASSERT_EQ(shared.links(slot), alone.links(slot)) << "slot " << slot;
  }
}

TEST(graph_test, a_huge_vector_that_has_gone_costs_the_others_nothing) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 32;
  constexpr std::uint32_t count = 3000;
  const floats rows = make_rows(random, "clusters", count, dim);
  const floats queries = make_rows(random, "clusters", 50, dim);
  const floats huge(dim, 1e15F);
  engine_index index(dim, VEXFS_METRIC_DOT, usual_config(dim));
  index.insert_all(rows);
  const std::int32_t exponent = index.graph()->file->exponent_max;
  ASSERT_EQ(index.insert(count, huge.data()), 0);
  ASSERT_EQ(index.insert(count + 1, huge.data()), 0);
  index.link_all();
  index.remove(count);
  index.remove(count);  // once more is no other one
  EXPECT_GT(index.graph()->file->exponent_max, exponent + 30);
  index.remove(count + 1);
  EXPECT_EQ(index.graph()->file->exponent_max, exponent);
  const auto truth = true_nearest(rows, queries, VEXFS_METRIC_DOT, dim, 10);
  EXPECT_GE(recall(rows, queries, VEXFS_METRIC_DOT, dim, truth,
                   index.search(queries, {.wanted = 16, .ef = 100})),
            0.99);
}

TEST(graph_test, a_graph_of_which_all_has_died_starts_over) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 8;
  const floats rows = make_rows(random, "clusters", 600, dim);
  engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  for (std::uint32_t life = 0; life < 3; ++life) {
    index.insert_all(rows);
    index.link_all();
    validate(index.graph());
    ASSERT_EQ(index.search(rows, {.wanted = 1, .ef = 32})[7][0].slot, 7U);
    for (std::uint32_t slot = 0; slot < 600; ++slot)
      index.remove(slot);
    ASSERT_TRUE(index.search(rows, {})[7].empty());
    index.link_all();
    validate(index.graph());
    ASSERT_EQ(index.graph()->linked_count, 0U);
  }
}

TEST(graph_test, a_full_tail_refuses_until_it_is_linked) {
  constexpr std::uint32_t dim = 4;
  vexfs_graph_config config = usual_config(dim);
  config.tail_max = 8;
  engine_index index(dim, VEXFS_METRIC_DOT, config);
  const float row[dim] = {1, 2, 3, 4};
  for (std::uint32_t slot = 0; slot < 8; ++slot)
    ASSERT_EQ(index.insert(slot, row), 0);
  ASSERT_EQ(index.insert(8, row), -EAGAIN);
  ASSERT_NE(index.link_some(1000), 0U);
  ASSERT_EQ(index.insert(8, row), 0);
  ASSERT_EQ(index.insert(8, row), -EEXIST);
  ASSERT_EQ(index.insert(0xffffffffU, row), -ERANGE);
  index.link_all();
  validate(index.graph());
}

TEST(graph_test, bounds_from_outside_are_checked) {
  constexpr std::uint32_t dim = 4;
  vexfs_vector_file* file = vexfs_vector_file_create(dim, VEXFS_METRIC_DOT, &vexfs_kernels_scalar);
  const auto create = [&](auto change) {
    vexfs_graph_config config = usual_config(dim);
    change(config);
    vexfs_graph* graph = nullptr;
    const int status = vexfs_graph_create(file, &config, &vexfs_graph_kernels_scalar, &graph);
    if (status == 0) vexfs_graph_destroy(graph);
    return status;
  };
  EXPECT_EQ(create([](vexfs_graph_config&) {}), 0);
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.width = 0; }), -EINVAL);
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.width = 40; }), -EINVAL);
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.width = VEXFS_WIDTH_MAX + 16; }), -EINVAL);
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.links_new = 0; }), -EINVAL);
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.links_new = c.width + 1; }), -EINVAL);
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.links_kept = c.width + 1; }), -EINVAL);
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.ef_construct = VEXFS_EF_MAX + 1; }), -EINVAL);
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.tail_max = 100; }), -EINVAL);
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.lines = 2; }), -EINVAL);
  file->metric = VEXFS_METRIC_MANHATTAN;
  EXPECT_EQ(create([](vexfs_graph_config& c) { c.lines = 1; }), -EINVAL);
  vexfs_vector_file_destroy(file);

  engine_index index(dim, VEXFS_METRIC_DOT, usual_config(dim));
  const auto search = [&](auto change) {
    vexfs_search bounds{};
    bounds.wanted = 1;
    bounds.ef = 1;
    bounds.walk_count = 1;
    change(bounds);
    return vexfs_run_search(index.graph(), &bounds);
  };
  EXPECT_EQ(search([](vexfs_search&) {}), 0);
  EXPECT_EQ(search([](vexfs_search& s) { s.wanted = 0; }), -EINVAL);
  EXPECT_EQ(search([](vexfs_search& s) { s.wanted = 2; }), -EINVAL);
  EXPECT_EQ(search([](vexfs_search& s) { s.ef = 0; }), -EINVAL);
  EXPECT_EQ(search([](vexfs_search& s) { s.ef = VEXFS_EF_MAX + 1; }), -EINVAL);
  EXPECT_EQ(search([](vexfs_search& s) { s.stop_rank = 2; }), -EINVAL);
  EXPECT_EQ(search([](vexfs_search& s) { s.stop_share = ~0U; }), -EINVAL);
  EXPECT_EQ(search([](vexfs_search& s) { s.slack = ~0U; }), -EINVAL);
  EXPECT_EQ(search([](vexfs_search& s) { s.walk_count = 0; }), -EINVAL);
  const std::uint64_t* const allowed[1] = {nullptr};
  EXPECT_EQ(search([&](vexfs_search& s) { s.allowed = allowed; }), -EINVAL);
  EXPECT_EQ(search([](vexfs_search& s) { s.walk_count = VEXFS_WALKS_MAX + 1; }), -EINVAL);
}

TEST(graph_test, an_exact_scan_by_manhattan_is_refused) {
  constexpr std::uint32_t dim = 4;
  const floats rows = {1, 2, 3, 4};
  for (const vexfs_metric metric :
       {VEXFS_METRIC_DOT, VEXFS_METRIC_EUCLID, VEXFS_METRIC_MANHATTAN}) {
    engine_index index(dim, metric, usual_config(dim));
    index.insert_all(rows);
    vexfs_candidate candidate{};
    std::uint32_t candidate_count = 7;
    std::uint8_t overflowed = 7;
    aligned_memory scratch(vexfs_scan_scratch_bytes(index.graph()->file, 1, 1, 1));
    vexfs_scan scan{};
    scan.k = 1;
    scan.slot_last = 1;
    scan.query_count = 1;
    scan.capacity = 1;
    scan.query_bits = reinterpret_cast<const std::uint32_t*>(rows.data());
    scan.candidates = &candidate;
    scan.counts = &candidate_count;
    scan.overflowed = &overflowed;
    scan.scratch = scratch.get();
    const bool refused = metric == VEXFS_METRIC_MANHATTAN;
    EXPECT_EQ(vexfs_run_scan(index.graph()->file, &scan), refused ? -EINVAL : 0);
    EXPECT_EQ(candidate_count, refused ? 7U : 1U);
    EXPECT_EQ(overflowed, refused ? 7U : 0U);
  }
}

TEST(graph_test, searches_run_while_others_insert_remove_and_link) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 32;
  constexpr std::uint32_t count = 9000;  // three chunks
  const floats rows = make_rows(random, "clusters", count, dim);
  const floats queries = make_rows(random, "clusters", 8, dim);
  engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim));
  for (std::uint32_t slot = 0; slot < 100; ++slot)
    ASSERT_EQ(index.insert(slot, rows.data() + std::size_t{slot} * dim, slot), 0);
  std::atomic<bool> is_done{false};
  const auto link = [&] {
    while (!is_done || vexfs_tail_length(index.graph()) != 0)
      if (index.link_some(20) == 0) std::this_thread::yield();
  };
  std::thread first_linker(link);
  std::thread second_linker(link);
  std::thread searcher([&] {
    while (!is_done)
      for (const auto& answer : index.search(queries, {}))
        for (const vexfs_found& one : answer)
          ASSERT_EQ(one.generation, one.slot);
  });
  for (std::uint32_t slot = 100; slot < count; ++slot) {
    ASSERT_EQ(index.insert(slot, rows.data() + std::size_t{slot} * dim, slot), 0);
    if (slot % 3 == 0) index.remove(slot - 50);
  }
  is_done = true;
  first_linker.join();
  second_linker.join();
  searcher.join();
  validate(index.graph());
}

}  // namespace
}  // namespace vexfs::engine
