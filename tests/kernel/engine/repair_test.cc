// SPDX-License-Identifier: Apache-2.0
// How dead slots leave a graph, and what of it is reached then.
#include <thread>

#include "tests/kernel/engine/recall.h"

namespace vexfs::engine {
namespace {

std::uint32_t count_free(const engine_index& index, const std::vector<std::uint32_t>& slots) {
  return static_cast<std::uint32_t>(std::ranges::count_if(
      slots, [&](std::uint32_t slot) { return vexfs_graph_is_free(index.graph(), slot) != 0; }));
}

TEST(repair_test, who_needs_slots_gets_the_few_that_have_died_before_the_tail_is_linked) {
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

TEST(repair_test, a_part_that_has_died_is_taken_out_though_slots_wait_to_be_linked) {
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

TEST(repair_test, rounds_of_deletes_and_inserts_keep_recall_and_memory) {
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
TEST(repair_test, rows_that_lie_closer_than_codes_tell_keep_links_to_them) {
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
TEST(repair_test, rows_along_a_path_keep_links_to_them) {
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
TEST(repair_test, what_is_left_of_much_that_has_died_is_found_among_what_comes) {
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

TEST(repair_test, repair_gives_the_same_graph_for_any_workers) {
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

TEST(repair_test, a_graph_of_which_all_has_died_starts_over) {
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

}  // namespace
}  // namespace vexfs::engine
