// SPDX-License-Identifier: Apache-2.0
#include "core/database/id_map.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "tests/seeds.h"

namespace vexfs {
namespace {

TEST(id_map_test, finds_what_an_ordered_map_finds_while_points_come_and_go) {
  for (const std::uint64_t seed : seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto some_id = [&] {
      const std::uint64_t number = random() % 500;
      if (random() % 2 == 0) return point_id::from_number(number);
      return point_id{point_id::form::uuid, number % 7, number};
    };
    id_map tested;
    std::map<point_id, slot_index> known;
    for (int step = 0; step < 20'000; ++step) {
      const point_id id = some_id();
      if (random() % 3 == 0) {
        tested.erase(id);
        known.erase(id);
      } else {
        const auto slot = static_cast<slot_index>(random() % 10'000);
        tested.set(id, slot);
        known[id] = slot;
      }
      const point_id asked = some_id();
      const auto expected = known.find(asked);
      const auto found = tested.find(asked);
      ASSERT_EQ(found.has_value(), expected != known.end()) << asked.text();
      if (found) {
        ASSERT_EQ(*found, expected->second) << asked.text();
      }
      ASSERT_EQ(tested.size(), known.size());
    }
    EXPECT_EQ(tested.ordered(), known);
  }
}

}  // namespace
}  // namespace vexfs
