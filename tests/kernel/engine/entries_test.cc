// SPDX-License-Identifier: Apache-2.0
// The sample of linked slots where walks start.
#include "tests/kernel/engine/engine_index.h"

namespace vexfs::engine {
namespace {

constexpr std::uint32_t dim = 8;
constexpr std::uint32_t count = 20'000;

vexfs_graph_config small_config() {
  vexfs_graph_config config = usual_config(dim);
  config.width = 16;
  config.links_new = 12;
  config.links_kept = 14;
  config.ef_construct = 24;
  return config;
}

TEST(entries_test, groups_split_empty_and_fill_again) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  const floats rows = make_rows(random, "clustered order", count, dim);
  engine_index index(dim, VEXFS_METRIC_EUCLID, small_config());
  index.insert_all(rows);
  index.link_all(1000);
  validate(index.graph());
  const vexfs_entries& entries = *index.graph()->entries;
  EXPECT_GE(entries.count, count / 100);
  EXPECT_LE(entries.count, count / 48 + 1);
  EXPECT_GT(entries.group_count, entries.count / VEXFS_GROUP_ENTRIES);
  const std::uint32_t group_count = entries.group_count;

  // All but the first clusters: most groups lose their entries, and their centres with them.
  for (std::uint32_t slot = count / 20; slot < count; ++slot)
    index.remove(slot);
  index.link_all(1000);
  validate(index.graph());
  EXPECT_LT(entries.group_count, group_count);
  EXPECT_GT(entries.count, 0U);

  index.insert_all(floats(rows.begin() + count / 20 * dim, rows.end()), count / 20);
  index.link_all(1000);
  validate(index.graph());
  // Rows of 16 links lose one now and then, whatever the entries are.
  EXPECT_LE(unreachable_count(index.graph()), count / 500);
}

TEST(entries_test, vectors_that_are_all_alike_do_not_split_a_group_for_ever) {
  engine_index index(dim, VEXFS_METRIC_DOT, small_config());
  const floats row(dim, 1.0F);
  for (std::uint32_t slot = 0; slot < count; ++slot)
    ASSERT_EQ(index.insert(slot, row.data()), 0);
  index.link_all(1000);
  validate(index.graph());
  EXPECT_EQ(index.search(row, {.wanted = 10, .ef = 16})[0].size(), 10U);
}

}  // namespace
}  // namespace vexfs::engine
