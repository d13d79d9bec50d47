// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <ostream>
#include <set>
#include <thread>

#include "tests/kernel/engine/recall.h"

extern "C" {
#include "kernel/engine/scan.h"
}

namespace vexfs::engine {
namespace {

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
