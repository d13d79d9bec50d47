// SPDX-License-Identifier: Apache-2.0
// All SIMD levels give the same integers as the scalar kernels, bit for bit.
#include <numeric>

#include "tests/kernel/engine/engine_index.h"

namespace vexfs::engine {
namespace {

/// A query's code, planes and numbers at one level.
struct coded_query {
  coded_query(const vexfs_graph* graph, const float* values)
      : code(graph->row_bytes), planes(std::size_t{VEXFS_PLANES} * graph->line_bytes) {
    status = graph->kernels->code_query(graph, reinterpret_cast<const std::uint32_t*>(values),
                                        static_cast<std::int8_t*>(code.get()),
                                        static_cast<std::uint64_t*>(planes.get()), &query);
  }
  aligned_memory code;
  aligned_memory planes;
  vexfs_query query{};
  int status;
};

class kernels_test : public testing::TestWithParam<std::uint32_t> {};

/// One key by the definitions of key.h.
std::int32_t key_by_definition(const vexfs_query& query, const std::int8_t* code,
                               vexfs_row_scale scale, std::uint32_t bytes) {
  if (!query.by_differences)
    return vexfs_key_of(&query, std::inner_product(code, code + bytes, query.code, 0), scale);
  const std::uint32_t factor = vexfs_step_in_units(&query, scale.step);
  if (factor > VEXFS_FACTOR_MAX) return VEXFS_KEY_FAR;
  std::int32_t sum = 0;
  for (std::uint32_t d = 0; d < bytes; ++d)
    sum += std::abs(vexfs_element_in_units(query.code[d], query.factor) -
                    vexfs_element_in_units(code[d], factor));
  return sum;
}

/// One query at one level against the oracle's coding of it and against single keys.
void expect_same_keys(const vexfs_graph* graph, const coded_query& coded,
                      const coded_query& expected, std::uint32_t count) {
  ASSERT_EQ(coded.status, 0);
  ASSERT_EQ(std::memcmp(coded.query.code, expected.query.code, graph->row_bytes), 0);
  ASSERT_EQ(coded.query.step, expected.query.step);
  ASSERT_EQ(coded.query.square, expected.query.square);
  ASSERT_EQ(coded.query.length, expected.query.length);
  ASSERT_EQ(coded.query.plane_sum, expected.query.plane_sum);
  if (coded.query.planes) {
    ASSERT_EQ(std::memcmp(coded.query.planes, expected.query.planes,
                          std::size_t{VEXFS_PLANES} * graph->line_bytes),
              0);
  }
  vexfs_query query = coded.query;
  vexfs_set_unit(graph, &query, graph->file->metric, graph->square_usual);
  // Every count up to a few blocks, in an order that is not that of the slots.
  for (std::uint32_t taken = 1; taken < 13; ++taken) {
    std::vector<std::uint32_t> slots(taken);
    for (std::uint32_t i = 0; i < taken; ++i)
      slots[i] = (i * 67 + taken * 13) % count;
    std::vector<std::int32_t> keys(taken);
    graph->kernels->keys(graph, &query, slots.data(), taken, keys.data());
    for (std::uint32_t i = 0; i < taken; ++i) {
      ASSERT_EQ(keys[i], key_by_definition(query, vexfs_code_at(graph, slots[i]),
                                           *vexfs_scale_at(graph, slots[i]), graph->row_bytes))
          << "slot " << slots[i];
    }
  }
}

TEST_P(kernels_test, queries_and_keys_are_the_same_at_every_level) {
  const std::uint32_t dim = GetParam();
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  constexpr std::uint32_t count = 131;
  for (const char* kind : {"clusters", "many zeros", "mixed norms", "tiny", "a few huge"}) {
    SCOPED_TRACE(kind);
    std::mt19937_64 random(test_seed() + dim);
    const floats rows = make_rows(random, kind, count, dim);
    const floats queries = make_rows(random, kind, 3, dim);
    for (const vexfs_metric metric :
         {VEXFS_METRIC_DOT, VEXFS_METRIC_EUCLID, VEXFS_METRIC_MANHATTAN}) {
      vexfs_graph_config config = usual_config(dim);
      config.lines = metric == VEXFS_METRIC_DOT;
      engine_index oracle(dim, metric, config, simd_level::scalar);
      oracle.insert_all(rows);
      for (const simd_level level : levels()) {
        engine_index index(dim, metric, config, level);
        index.insert_all(rows);
        for (std::size_t q = 0; q < queries.size(); q += dim) {
          const coded_query expected(oracle.graph(), queries.data() + q);
          const coded_query coded(index.graph(), queries.data() + q);
          expect_same_keys(index.graph(), coded, expected, count);
        }
      }
    }
  }
}

void expect_same_graphs(std::uint32_t dim, const char* kind, vexfs_metric metric) {
  SCOPED_TRACE(kind);
  std::mt19937_64 random(test_seed() + dim);
  const std::uint32_t count = dim > 600 ? 150 : 500;
  const floats rows = make_rows(random, kind, count, dim);
  const floats queries = make_rows(random, "clusters", 9, dim);
  std::vector<std::uint64_t> bitmap(VEXFS_CHUNK_ROWS / 64);
  for (std::uint64_t& word : bitmap)
    word = random() & random() & random();
  for (const std::uint32_t lines : {0U, 1U}) {
    if (lines == 1 && metric == VEXFS_METRIC_MANHATTAN) continue;
    vexfs_graph_config config = usual_config(dim);
    config.lines = lines;
    config.width = 16;
    config.links_new = 12;
    config.links_kept = 14;
    config.ef_construct = 40;
    engine_index oracle(dim, metric, config, simd_level::scalar);
    oracle.insert_all(rows);
    oracle.link_all();
    for (const simd_level level : levels()) {
      engine_index index(dim, metric, config, level);
      index.insert_all(rows);
      index.link_all();
      for (std::uint32_t slot = 0; slot < count; ++slot)
        ASSERT_EQ(index.links(slot), oracle.links(slot)) << "slot " << slot;
      for (const std::uint32_t ef : {10U, 16U, 33U, 34U, 100U}) {
        // A filter with the truth of what passes is a scan's, one that is said to pass more a
        // walk's.
        const search_options options{.wanted = 10,
                                     .ef = ef,
                                     .stop_rank = ef > 50 ? 10U : 0U,
                                     .stop_share = 3000,
                                     .allowed = ef == 33 || ef == 34 ? bitmap.data() : nullptr,
                                     .told_count = ef == 34 ? 1U << 20 : ~0U};
        const auto expected = oracle.search(queries, options);
        const auto found = index.search(queries, options);
        for (std::size_t q = 0; q < found.size(); ++q) {
          ASSERT_EQ(found[q].size(), expected[q].size());
          for (std::size_t i = 0; i < found[q].size(); ++i) {
            ASSERT_EQ(found[q][i].slot, expected[q][i].slot);
            ASSERT_EQ(found[q][i].key, expected[q][i].key);
          }
        }
      }
    }
  }
}

TEST_P(kernels_test, graphs_and_answers_are_the_same_at_every_level) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  expect_same_graphs(GetParam(), "clusters", VEXFS_METRIC_EUCLID);
  expect_same_graphs(GetParam(), "a few huge", VEXFS_METRIC_DOT);
  expect_same_graphs(GetParam(), "clusters", VEXFS_METRIC_MANHATTAN);
  expect_same_graphs(GetParam(), "mixed norms", VEXFS_METRIC_MANHATTAN);
}

INSTANTIATE_TEST_SUITE_P(dims, kernels_test,
                         testing::Values(1, 7, 63, 64, 65, 128, 129, 256, 384, 440, 449, 768, 896,
                                         1536));

TEST(kernels_test, offering_keeps_the_nearest_in_order_and_the_first_of_equals) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 8;
  constexpr std::uint32_t count = 700;
  const floats rows = make_rows(random, "duplicates", count, dim);
  for (const simd_level level : levels()) {
    engine_index index(dim, VEXFS_METRIC_EUCLID, usual_config(dim), level);
    index.insert_all(rows);
    const vexfs_graph* graph = index.graph();
    for (const std::uint32_t ef : {1U, 10U, 15U, 16U, 17U, 40U, 100U, 699U, 1000U}) {
      vexfs_query query{};
      graph->kernels->row_query(graph, 5, nullptr, &query);
      vexfs_query_unit_euclid(&query, graph->square_max);
      std::vector<std::uint32_t> slots(count);
      std::iota(slots.begin(), slots.end(), 0U);
      std::ranges::shuffle(slots, random);
      std::vector<std::int32_t> keys(count);
      graph->kernels->keys(graph, &query, slots.data(), count, keys.data());

      aligned_memory pool_keys(vexfs_pad_pool(ef) * 4);
      aligned_memory pool_slots(vexfs_pad_pool(ef) * 4);
      const vexfs_pool pool{static_cast<std::int32_t*>(pool_keys.get()),
                            static_cast<std::uint32_t*>(pool_slots.get()), ef, vexfs_pad_pool(ef)};
      vexfs_pool_clear(&pool);
      graph->kernels->offer(graph, &query, slots.data(), 300, 0, &pool);
      graph->kernels->offer(graph, &query, slots.data() + 300, count - 300, VEXFS_EXPANDED, &pool);

      std::vector<std::uint32_t> order(count);
      std::iota(order.begin(), order.end(), 0U);
      std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return keys[i]; });
      for (std::uint32_t i = 0; i < std::min(ef, count); ++i) {
        ASSERT_EQ(pool.keys[i], keys[order[i]]) << "ef " << ef << ", place " << i;
        ASSERT_EQ(pool.slots[i], slots[order[i]] | (order[i] < 300 ? 0 : VEXFS_EXPANDED));
      }
      for (std::uint32_t i = count; i < ef; ++i)
        ASSERT_EQ(pool.keys[i], VEXFS_KEY_NONE);
    }
  }
}

TEST(kernels_test, a_query_that_is_not_finite_is_refused_at_every_place) {
  constexpr std::uint32_t dim = 100;
  for (const simd_level level : levels()) {
    engine_index index(dim, VEXFS_METRIC_DOT, usual_config(dim), level);
    for (std::uint32_t d = 0; d < dim; ++d) {
      for (const float bad :
           {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
        floats values(dim, 1.0F);
        values[d] = bad;
        ASSERT_EQ(coded_query(index.graph(), values.data()).status, -EINVAL);
      }
    }
  }
}

}  // namespace
}  // namespace vexfs::engine
