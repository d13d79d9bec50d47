// SPDX-License-Identifier: Apache-2.0
#include "core/database/fusion.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace vexfs {
namespace {

ranked_point point(std::uint64_t id, float score) {
  return {static_cast<slot_index>(id), score, point_id::from_number(id), {}};
}

float score_of_point(const std::vector<ranked_point>& fused, std::uint64_t id) {
  for (const ranked_point& one : fused)
    if (one.id.low == id) return one.score;
  return -1;
}

TEST(fusion_test, rrf_counts_places_and_not_scores) {
  const std::array left{point(1, 0.9F), point(2, 0.1F), point(3, 0.0F)};
  const std::array right{point(3, 1e6F), point(1, 5.0F)};
  const std::array<ranking, 2> lists{left, right};
  const auto fused = fuse({}, lists);
  ASSERT_TRUE(fused);
  ASSERT_EQ(fused->size(), 3U);
  EXPECT_FLOAT_EQ(score_of_point(*fused, 1), 1.0F / 2 + 1.0F / 3);
  EXPECT_FLOAT_EQ(score_of_point(*fused, 2), 1.0F / 3);
  EXPECT_FLOAT_EQ(score_of_point(*fused, 3), 1.0F / 4 + 1.0F / 2);
  EXPECT_EQ((*fused)[0].id.low, 1U);
  EXPECT_EQ((*fused)[1].id.low, 3U);
}

TEST(fusion_test, weights_stretch_a_list_and_a_weight_of_zero_silences_it) {
  const std::array left{point(1, 1)};
  const std::array right{point(2, 1)};
  const std::array<ranking, 2> lists{left, right};
  const std::array weights{3.0F, 0.0F};
  fusion_query how;
  how.k = 60;
  how.weights = weights;
  const auto fused = fuse(how, lists);
  ASSERT_TRUE(fused);
  EXPECT_FLOAT_EQ(score_of_point(*fused, 1), 1.0F / (1.0F / 3 + 59));
  EXPECT_FLOAT_EQ(score_of_point(*fused, 2), 0);
}

TEST(fusion_test, as_many_weights_as_lists_are_needed) {
  const std::array left{point(1, 1)};
  const std::array<ranking, 1> lists{left};
  const std::array weights{1.0F, 1.0F};
  fusion_query how;
  how.weights = weights;
  const auto refused = fuse(how, lists);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::bad_input);
}

TEST(fusion_test, dbsf_places_scores_within_three_deviations_of_their_mean) {
  const std::array left{point(1, 9), point(2, 4), point(3, 2)};
  const std::array right{point(2, 1)};
  const std::array<ranking, 2> lists{left, right};
  fusion_query how;
  how.how = fusion_query::method::dbsf;
  const auto fused = fuse(how, lists);
  ASSERT_TRUE(fused);
  const double mean = 5;
  const double deviation = std::sqrt((16.0 + 1.0 + 9.0) / 2.0);
  const auto share = [&](double score) { return (score - mean + 3 * deviation) / (6 * deviation); };
  EXPECT_NEAR(score_of_point(*fused, 1), share(9), 1e-6);
  EXPECT_NEAR(score_of_point(*fused, 2), share(4) + 0.5, 1e-6);  // alone in a list: in the middle
  EXPECT_NEAR(score_of_point(*fused, 3), share(2), 1e-6);
}

TEST(fusion_test, equal_scores_are_in_the_order_of_ids) {
  const std::array left{point(9, 1)};
  const std::array right{point(4, 1)};
  const std::array<ranking, 2> lists{left, right};
  const auto fused = fuse({}, lists);
  ASSERT_TRUE(fused);
  EXPECT_EQ((*fused)[0].id.low, 4U);
  EXPECT_EQ((*fused)[1].id.low, 9U);
}

TEST(fusion_test, dbsf_gives_every_point_a_number_where_scores_are_infinite_or_huge) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const float odd : {infinity, -infinity, std::numeric_limits<float>::max(),
                          std::numeric_limits<float>::lowest()}) {
    std::vector<ranked_point> list;
    for (std::uint64_t id = 1; id <= 40; ++id)
      list.push_back(point(id, id % 2 == 0 ? odd : -odd));
    const std::array<ranking, 2> lists{list, list};
    fusion_query how;
    how.how = fusion_query::method::dbsf;
    const auto fused = fuse(how, lists);
    ASSERT_TRUE(fused);
    EXPECT_EQ(fused->size(), 40U);
    for (const ranked_point& one : *fused)
      EXPECT_TRUE(std::isfinite(one.score)) << odd;
  }
}

}  // namespace
}  // namespace vexfs
