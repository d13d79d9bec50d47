// SPDX-License-Identifier: Apache-2.0
// The few rows that are longer than usual, under inner products.
#include <numeric>
#include <utility>

#include "tests/kernel/engine/engine_index.h"

namespace vexfs::engine {
namespace {

constexpr std::uint32_t dim = 64;
constexpr std::uint32_t usual_count = 3000;

/// Of the rows of a file that are longer than usual, each query finds those that are its nearest.
void expect_longer_found(const engine_index& index, const floats& queries,
                         const std::vector<std::pair<std::uint32_t, floats>>& longer,
                         const std::uint64_t* allowed = nullptr) {
  const auto found = index.search(queries, {.wanted = 16, .ef = 40, .allowed = allowed});
  for (std::uint32_t q = 0; q < found.size(); ++q)
    for (const auto& [slot, values] : longer) {
      const float* query = queries.data() + std::size_t{q} * dim;
      const double product = std::inner_product(values.begin(), values.end(), query, 0.0);
      const double length = std::sqrt(std::inner_product(query, query + dim, query, 0.0));
      // Codes tell on which side of a query it lies but where that is nearly at a right angle.
      if (product < 0.05 * length * 1e15 * 8) continue;
      ASSERT_TRUE(
          std::ranges::any_of(found[q], [&](const vexfs_found& one) { return one.slot == slot; }))
          << "query " << q << " misses slot " << slot;
    }
}

TEST(longest_test, all_searches_look_at_the_rows_that_are_longer_than_usual) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  std::normal_distribution<float> normal;
  const floats rows = make_rows(random, "clusters", usual_count, dim);
  const floats queries = make_rows(random, "clusters", 300, dim);
  engine_index index(dim, VEXFS_METRIC_DOT, usual_config(dim));
  std::vector<std::pair<std::uint32_t, floats>> longer;
  // The first before it is known what is usual, and the last after all others are linked.
  const auto insert_longer = [&](std::uint32_t slot) {
    floats values(dim);
    for (float& value : values)
      value = 1e15F * normal(random);
    ASSERT_EQ(index.insert(slot, values.data()), 0);
    longer.emplace_back(slot, values);
  };
  insert_longer(usual_count);
  index.insert_all(rows);
  index.link_all();
  insert_longer(usual_count + 1);
  index.link_all();
  validate(index.graph());
  expect_longer_found(index, queries, longer);

  // Of half of all, where the scan of few would find them too.
  std::vector<std::uint64_t> bitmap(vexfs_slot_limit(index.graph()) / 64, 0x5555'5555'5555'5555);
  bitmap[(usual_count + 1) / 64] |= std::uint64_t{1} << (usual_count + 1) % 64;
  expect_longer_found(index, queries, longer, bitmap.data());

  // Others in their slots, of the usual length, and one in another slot.
  for (const std::uint32_t slot : {usual_count, usual_count + 1})
    index.remove(slot);
  while (index.link_some(1000, VEXFS_LINK_REPAIR) != 0) {
  }
  validate(index.graph());
  EXPECT_EQ(index.graph()->longest.count, VEXFS_BEYOND_MAX - 2);
  longer.clear();
  ASSERT_EQ(index.insert(usual_count, rows.data()), 0);
  insert_longer(usual_count + 2);
  index.link_all();
  validate(index.graph());
  expect_longer_found(index, queries, longer);
}

/// Written anew at the same length, while those that have died still have their places.
TEST(longest_test, rows_that_are_written_again_are_looked_at_too) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  std::normal_distribution<float> normal;
  constexpr std::uint32_t long_count = 20;
  const floats rows = make_rows(random, "clusters", usual_count, dim);
  engine_index index(dim, VEXFS_METRIC_DOT, usual_config(dim));
  index.insert_all(rows);
  index.link_all();
  floats values(dim);
  std::uint32_t slot = usual_count;
  for (std::uint32_t life = 0; life < 3; ++life) {
    for (std::uint32_t i = 0; i < long_count; ++i, ++slot) {
      for (float& value : values)
        value = 1e15F * normal(random);
      ASSERT_EQ(index.insert(slot, values.data()), 0);
      if (life > 0) index.remove(slot - long_count);
    }
    index.link_all();
  }
  while (index.link_some(1000, VEXFS_LINK_REPAIR) != 0) {
  }
  validate(index.graph());
  std::vector<std::uint32_t> beyond(VEXFS_BEYOND_MAX);
  beyond.resize(
      vexfs_beyond_slots(index.graph(), nullptr, vexfs_slot_limit(index.graph()), beyond.data()));
  std::ranges::sort(beyond);
  std::vector<std::uint32_t> expected(long_count);
  std::iota(expected.begin(), expected.end(), slot - long_count);
  EXPECT_EQ(beyond, expected);
}

}  // namespace
}  // namespace vexfs::engine
