// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "tests/kernel/engine/engine_index.h"

namespace vexfs::engine {
namespace {

double value_of(std::uint32_t packed) {
  return std::ldexp(vexfs_packed_mantissa(packed), vexfs_packed_exponent(packed));
}

TEST(key_test, packed_numbers_keep_22_bits_and_compare_as_the_numbers_do) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  std::uint32_t last = 0;
  double last_value = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t mantissa = random() >> (random() % 64);
    const int exponent = static_cast<int>(random() % 600) - 300;
    const double exact = std::ldexp(static_cast<double>(mantissa), exponent);
    const std::uint32_t packed = vexfs_pack(mantissa, exponent);
    ASSERT_LE(value_of(packed), exact);
    ASSERT_GE(value_of(packed), exact * (1 - std::ldexp(1.0, -21)));
    ASSERT_EQ(packed < last, value_of(packed) < last_value);
    last = packed;
    last_value = value_of(packed);
    const double root = std::sqrt(value_of(packed));
    ASSERT_NEAR(value_of(vexfs_packed_root(packed)), root, root * std::ldexp(1.0, -18));
  }
  EXPECT_EQ(vexfs_pack(0, 17), 0U);
  EXPECT_EQ(value_of(0), 0);
}

struct scenario {
  const char* kind;
  vexfs_metric metric;
  std::uint32_t dim;
};

class key_order_test : public testing::TestWithParam<scenario> {};

/// Keys are what a search decides by: between rows whose true distances differ by more than what
/// eight bits can lose, the order is the true one, and distances are multiples of keys; but those
/// of the few rows that are longer than usual may be at an end of the scale.
TEST_P(key_order_test, keys_follow_true_distances) {
  const auto& [kind, metric, dim] = GetParam();
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t count = 500;
  const floats rows = make_rows(random, kind, count, dim);
  const floats queries = make_rows(random, kind, 10, dim);
  engine_index index(dim, metric, usual_config(dim, metric));
  index.insert_all(rows);
  const vexfs_graph* graph = index.graph();
  for (std::uint32_t q = 0; q < 10; ++q) {
    const float* asked = queries.data() + std::size_t{q} * dim;
    aligned_memory code(graph->row_bytes);
    aligned_memory planes(std::size_t{VEXFS_PLANES} * graph->line_bytes);
    vexfs_query query{};
    ASSERT_EQ(graph->kernels->code_query(graph, reinterpret_cast<const std::uint32_t*>(asked),
                                         static_cast<std::int8_t*>(code.get()),
                                         static_cast<std::uint64_t*>(planes.get()), &query),
              0);
    vexfs_set_unit(graph, &query, metric, graph->square_usual);
    std::vector<std::uint32_t> slots(count);
    for (std::uint32_t slot = 0; slot < count; ++slot)
      slots[slot] = slot;
    std::vector<std::int32_t> keys(count);
    graph->kernels->keys(graph, &query, slots.data(), count, keys.data());

    double query_norm = 0;
    for (std::uint32_t d = 0; d < dim; ++d)
      query_norm += double{asked[d]} * asked[d];
    query_norm = std::sqrt(query_norm);
    const double longest_norm = std::max(query_norm, std::sqrt(value_of(graph->square_usual)));
    std::uint32_t ended = 0;  // rows with a key at an end of the scale
    // A key in units of the metric's distance (Euclid without the query's own square).
    const double unit =
        std::ldexp(value_of(query.step), query.unit) * (metric == VEXFS_METRIC_EUCLID ? 2 : 1);
    for (std::uint32_t slot = 0; slot < count; ++slot) {
      const float* row = rows.data() + std::size_t{slot} * dim;
      double norm = 0;
      double top = 0;
      double query_top = 0;
      for (std::uint32_t d = 0; d < dim; ++d) {
        norm += double{row[d]} * row[d];
        top = std::max(top, std::abs(double{row[d]}));
        query_top = std::max(query_top, std::abs(double{asked[d]}));
      }
      norm = std::sqrt(norm);
      double truth = distance_of(metric, asked, row, dim);
      if (metric == VEXFS_METRIC_EUCLID) truth -= query_norm * query_norm;
      if (metric == VEXFS_METRIC_MANHATTAN) {
        if (keys[slot] == VEXFS_KEY_FAR) {
          // An element is too long for the unit, so the distance is not much shorter.
          ++ended;
          ASSERT_GT(top, 7 * longest_norm);
          ASSERT_GT(truth, 6 * longest_norm);
          continue;
        }
        // Half a step and three quarters of a unit an element, for each of both.
        ASSERT_NEAR(keys[slot] * unit, truth, dim * ((top + query_top) / 127 * 0.51 + unit * 1.6));
        continue;
      }
      // Half a step an element, for the row and for the query.
      const double lost = (std::sqrt(dim) * top / 127 * query_norm * 0.51 +
                           std::sqrt(dim) * query_norm / 127 * norm * 0.51) *
                              (metric == VEXFS_METRIC_DOT ? 1 : 2) +
                          norm * norm * 1e-6 + unit * 2;
      if (keys[slot] == VEXFS_KEY_NEAR || keys[slot] == VEXFS_KEY_FAR) {
        ++ended;
        ASSERT_GT(vexfs_scale_at(graph, slot)->square, graph->square_usual);
        ASSERT_GE(keys[slot] == VEXFS_KEY_FAR ? truth : -truth, -lost);
        continue;
      }
      ASSERT_NEAR(keys[slot] * unit, truth, lost) << "slot " << slot << " of query " << q;
    }
    ASSERT_LE(ended, count / VEXFS_BEYOND_PART);
    ASSERT_EQ(ended > 0, std::string_view(kind) == "a few huge");
  }
}

INSTANTIATE_TEST_SUITE_P(
    kinds, key_order_test,
    testing::Values(
        scenario{"clusters", VEXFS_METRIC_DOT, 128}, scenario{"clusters", VEXFS_METRIC_EUCLID, 128},
        scenario{"clusters", VEXFS_METRIC_DOT, 3}, scenario{"clusters", VEXFS_METRIC_EUCLID, 1},
        scenario{"clusters", VEXFS_METRIC_EUCLID, 385}, scenario{"tiny", VEXFS_METRIC_DOT, 65},
        scenario{"tiny", VEXFS_METRIC_EUCLID, 65}, scenario{"huge", VEXFS_METRIC_DOT, 100},
        scenario{"huge", VEXFS_METRIC_EUCLID, 100}, scenario{"mixed norms", VEXFS_METRIC_DOT, 96},
        scenario{"mixed norms", VEXFS_METRIC_EUCLID, 96},
        scenario{"many zeros", VEXFS_METRIC_DOT, 64},
        scenario{"many zeros", VEXFS_METRIC_EUCLID, 64},
        scenario{"clusters", VEXFS_METRIC_MANHATTAN, 128},
        scenario{"clusters", VEXFS_METRIC_MANHATTAN, 1},
        scenario{"clusters", VEXFS_METRIC_MANHATTAN, 1536},
        scenario{"tiny", VEXFS_METRIC_MANHATTAN, 65}, scenario{"huge", VEXFS_METRIC_MANHATTAN, 100},
        scenario{"mixed norms", VEXFS_METRIC_MANHATTAN, 96},
        scenario{"a few huge", VEXFS_METRIC_DOT, 96},
        scenario{"a few huge", VEXFS_METRIC_EUCLID, 96},
        scenario{"a few huge", VEXFS_METRIC_MANHATTAN, 96},
        scenario{"many zeros", VEXFS_METRIC_MANHATTAN, 64}));

TEST(key_test, a_filter_line_rarely_excludes_a_row_that_is_near) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  constexpr std::uint32_t dim = 384;
  constexpr std::uint32_t count = 4000;
  floats rows = make_rows(random, "clusters", count, dim);
  normalise_rows(rows, dim);
  engine_index index(dim, VEXFS_METRIC_DOT, usual_config(dim));
  index.insert_all(rows);
  const vexfs_graph* graph = index.graph();
  std::uint32_t below = 0;
  std::uint32_t wrong = 0;
  for (std::uint32_t q = 0; q < 20; ++q) {
    aligned_memory planes(std::size_t{VEXFS_PLANES} * graph->line_bytes);
    vexfs_query query{};
    graph->kernels->row_query(graph, q, static_cast<std::uint64_t*>(planes.get()), &query);
    query.length = 1 + static_cast<std::uint32_t>(std::sqrt(
                           std::inner_product(query.code, query.code + dim, query.code, 0)));
    vexfs_set_unit(graph, &query, VEXFS_METRIC_DOT, graph->square_usual);
    std::vector<std::uint32_t> slots(count);
    std::vector<std::int32_t> keys(count);
    for (std::uint32_t slot = 0; slot < count; ++slot)
      slots[slot] = slot;
    graph->kernels->keys(graph, &query, slots.data(), count, keys.data());
    for (std::uint32_t slot = 0; slot < count; ++slot) {
      std::int32_t sum = 0;
      const std::uint8_t* line = vexfs_line_at(graph, slot);
      for (std::uint32_t d = 0; d < dim; ++d) {
        std::int32_t level = 0;
        for (std::uint32_t p = 0; p < VEXFS_PLANES; ++p)
          if (query.planes[p * (graph->line_bytes / 8) + d / 64] >> (d % 64) & 1)
            level += p == VEXFS_PLANES - 1 ? -8 : 1 << p;
        ASSERT_NEAR(level * VEXFS_PLANE_STEP, query.code[d], 8.5);
        sum += line[d / 8] >> (d % 8) & 1 ? level : -level;
      }
      vexfs_line_tail tail;
      std::memcpy(&tail, line + graph->line_bytes - sizeof tail, sizeof tail);
      // The estimate without slack is off by less than one deviation for two rows in three, so the
      // lower end lies above the key for about one in six.
      ++below;
      wrong += vexfs_line_key(&query, sum, 16, tail) > keys[slot];
    }
  }
  const double share = static_cast<double>(wrong) / below;
  EXPECT_GT(share, 0.10);
  EXPECT_LT(share, 0.20);
}

}  // namespace
}  // namespace vexfs::engine
