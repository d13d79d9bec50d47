// SPDX-License-Identifier: Apache-2.0
// Queries of several stages and by several examples, against what is told about them computed point
// by point.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "core/database/example_query.h"
#include "tests/core/database/world.h"

namespace vexfs {
namespace {

constexpr std::uint32_t dim = 6;
constexpr std::uint64_t point_count = 180;

using scored = std::vector<std::pair<std::uint64_t, float>>;

float dot(std::span<const float> left, std::span<const float> right) {
  float sum = 0;
  for (std::size_t i = 0; i < left.size(); ++i)
    sum += left[i] * right[i];
  return sum;
}

/// A collection "c" of random vectors under Dot, point n with {"n": n}, on two cores.
class query_tree_test : public ::testing::Test {
 protected:
  static constexpr std::uint64_t seed = 4242;

  void SetUp() override {
    RecordProperty("seed", static_cast<int>(seed));
    running_.run(0, [&](database& data) -> io::task<void> {
      auto creating = data.create_collection("c", dense_config(dim, distance::dot));
      EXPECT_TRUE(co_await creating);
      upsert_builder upsert;
      for (std::uint64_t id = 1; id <= point_count; ++id) {
        vectors_[id] = random_vector();
        upsert.add(id, vectors_[id], "{\"n\":" + std::to_string(id) + "}");
      }
      const auto operation = upsert.operation();
      auto updating = data.update("c", operation, {}, memory_);
      EXPECT_TRUE(co_await updating);
    });
  }

  std::vector<float> random_vector() {
    std::vector<float> values(dim);
    for (float& value : values)
      value = static_cast<float>(random_() % 2001) / 1000.0F - 1.0F;
    return values;
  }

  result<scored> ask(const query_request& request) {
    result<scored> answer = scored{};
    running_.run(1, [&](database& data) -> io::task<void> {
      auto searching = data.query("c", {&request, 1}, memory_);
      const auto found = co_await searching;
      if (!found) {
        answer = std::unexpected(found.error());
        co_return;
      }
      for (const record& one : found->front())
        answer->emplace_back(one.id.low, one.score);
    });
    return answer;
  }

  vector_value given(const std::vector<float>& values) {
    vector_value value;
    value.values = memory_.copy(std::span<const float>(values));
    return value;
  }
  query_request nearest(const std::vector<float>& target, std::uint64_t limit) {
    query_request request;
    request.what = nearest_query{given(target), std::nullopt};
    request.limit = limit;
    return request;
  }
  static vector_input id(std::uint64_t number) { return point_id::from_number(number); }

  /// All points but the excluded ones by a score, best first.
  scored ranked(auto&& score, const std::set<std::uint64_t>& excluded, std::size_t limit) const {
    scored all;
    for (const auto& [number, vector] : vectors_)
      if (!excluded.contains(number)) all.emplace_back(number, score(vector));
    std::ranges::stable_sort(all, std::greater<>{}, &std::pair<std::uint64_t, float>::second);
    if (all.size() > limit) all.resize(limit);
    return all;
  }
  static void expect_same(const scored& found, const scored& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i].second, expected[i].second, 1e-4) << "place " << i;
  }

  std::mt19937_64 random_{seed};
  io::simulated_storage disk_{seed};
  world running_{disk_, 2, seed};
  arena memory_;
  std::map<std::uint64_t, std::vector<float>> vectors_;
};

TEST_F(query_tree_test, a_query_sees_only_what_its_prefetches_have_found) {
  const auto first = random_vector();
  const auto second = random_vector();
  const auto last = random_vector();
  const std::array stages{nearest(first, 9), nearest(second, 5)};
  query_request request = nearest(last, 100);
  request.prefetch = stages;
  const auto found = ask(request);
  ASSERT_TRUE(found);
  std::set<std::uint64_t> expected;
  for (const query_request& stage : stages) {
    const auto hits = ask(stage);
    for (const auto& [number, score] : *hits)
      expected.insert(number);
  }
  EXPECT_EQ(found->size(), expected.size());
  for (const auto& [number, score] : *found) {
    EXPECT_TRUE(expected.contains(number));
    EXPECT_NEAR(score, dot(vectors_[number], last), 1e-5);
  }
  EXPECT_TRUE(
      std::ranges::is_sorted(*found, std::greater<>{}, &std::pair<std::uint64_t, float>::second));
}

TEST_F(query_tree_test, a_filter_goes_down_to_the_innermost_prefetches) {
  const auto target = random_vector();
  std::array<condition, 1> low{};
  field_condition below;
  below.key = *parse_payload_path("n", memory_);
  below.range = number_range{21, std::nullopt, std::nullopt, std::nullopt};
  low[0] = below;
  const filter first_twenty{low, {}, {}, std::nullopt};
  const std::array inner{nearest(target, 20)};
  std::array middle{nearest(target, 20)};
  middle[0].prefetch = inner;
  query_request request = nearest(target, 20);
  request.prefetch = middle;
  request.condition = &first_twenty;
  const auto found = ask(request);
  ASSERT_TRUE(found);
  // Filtered afterwards only, the best 20 of 180 would hardly be the first 20.
  ASSERT_EQ(found->size(), 20U);
  for (const auto& [number, score] : *found)
    EXPECT_LE(number, 20U);
}

TEST_F(query_tree_test, filters_of_stages_are_joined_clause_by_clause) {
  const auto between = [&](double low, double high) {
    field_condition inside;
    inside.key = *parse_payload_path("n", memory_);
    inside.range = number_range{std::nullopt, std::nullopt, high, low};
    return inside;
  };
  const auto target = random_vector();
  const std::array<condition, 1> tens{between(10, 19)}, twenties{between(20, 29)};
  const filter any_tens{{}, tens, {}, std::nullopt}, any_twenties{{}, twenties, {}, std::nullopt};
  const filter all_tens{tens, {}, {}, std::nullopt}, all_twenties{twenties, {}, {}, std::nullopt};
  const auto count = [&](const filter& outer, const filter& inner) {
    std::array stages{nearest(target, 100)};
    stages[0].condition = &inner;
    query_request request = nearest(target, 100);
    request.prefetch = stages;
    request.condition = &outer;
    return ask(request)->size();
  };
  EXPECT_EQ(count(any_tens, any_twenties), 20U);  // alternatives
  EXPECT_EQ(count(all_tens, all_twenties), 0U);
  EXPECT_EQ(count(all_tens, any_twenties), 0U);
  EXPECT_EQ(count(all_tens, any_tens), 10U);
  const filter least_tens{{}, {}, {}, min_should{tens, 1}};
  const filter least_twenties{{}, {}, {}, min_should{twenties, 1}};
  EXPECT_EQ(count(least_tens, least_twenties), 20U);
  EXPECT_EQ(count(least_tens, any_tens), 10U);
}

TEST_F(query_tree_test, fusion_adds_up_places_of_its_prefetches_and_skips_the_offset) {
  const std::array stages{nearest(random_vector(), 12), nearest(random_vector(), 12)};
  std::map<std::uint64_t, float> sums;
  for (const query_request& stage : stages) {
    const auto hits = ask(stage);
    for (std::size_t i = 0; i < hits->size(); ++i)
      sums[(*hits)[i].first] += 1.0F / static_cast<float>(i + 2);
  }
  query_request request;
  request.prefetch = stages;
  request.what = fusion_query{};
  request.limit = 100;
  const auto all = ask(request);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), sums.size());
  for (const auto& [number, score] : *all)
    EXPECT_NEAR(score, sums[number], 1e-6);
  request.limit = 3;
  request.offset = 2;
  const auto page = ask(request);
  ASSERT_EQ(page->size(), 3U);
  EXPECT_EQ(page->front(), (*all)[2]);
}

TEST_F(query_tree_test, average_recommendation_looks_for_twice_the_good_minus_the_bad) {
  const std::array good{id(3), id(4)};
  const std::array bad{id(7)};
  query_request request;
  request.what = recommend_query{good, bad, recommend_query::strategy::average_vector};
  request.limit = 15;
  std::vector<float> target(dim);
  for (std::size_t d = 0; d < dim; ++d)
    target[d] = vectors_[3][d] + vectors_[4][d] - vectors_[7][d];
  const auto found = ask(request);
  ASSERT_TRUE(found);
  expect_same(*found,
              ranked([&](const auto& vector) { return dot(vector, target); }, {3, 4, 7}, 15));
}

TEST_F(query_tree_test, scores_by_examples_are_those_of_every_single_point) {
  const std::array good{id(3), id(4)};
  const std::array bad{id(7), id(8)};
  const std::array pairs{context_pair{id(3), id(7)}, context_pair{id(4), id(8)}};
  const auto target = random_vector();
  const auto unit = [](float x) { return 0.5F * (x / (1 + std::abs(x)) + 1); };
  const auto to = [&](const auto& vector, std::uint64_t number) {
    return dot(vector, vectors_[number]);
  };
  const std::set<std::uint64_t> used{3, 4, 7, 8};
  query_request request;
  request.limit = 40;

  request.what = recommend_query{good, bad, recommend_query::strategy::best_score};
  expect_same(*ask(request), ranked(
                                 [&](const auto& vector) {
                                   const float liked = std::max(to(vector, 3), to(vector, 4));
                                   const float other = std::max(to(vector, 7), to(vector, 8));
                                   return liked > other ? unit(liked) : -unit(other);
                                 },
                                 used, 40));
  request.what = recommend_query{good, bad, recommend_query::strategy::sum_scores};
  expect_same(*ask(request), ranked(
                                 [&](const auto& vector) {
                                   return to(vector, 3) + to(vector, 4) - to(vector, 7) -
                                          to(vector, 8);
                                 },
                                 used, 40));
  request.what = discover_query{given(target), pairs};
  expect_same(*ask(request), ranked(
                                 [&](const auto& vector) {
                                   float rank = to(vector, 3) > to(vector, 7) ? 1 : -1;
                                   rank += to(vector, 4) > to(vector, 8) ? 1.0F : -1.0F;
                                   return rank + unit(dot(vector, target));
                                 },
                                 used, 40));
  request.what = context_query{pairs};
  expect_same(*ask(request), ranked(
                                 [&](const auto& vector) {
                                   const float left = std::min(to(vector, 3) - to(vector, 7), 0.0F);
                                   const float right =
                                       std::min(to(vector, 4) - to(vector, 8), 0.0F);
                                   return left / (1 - left) + right / (1 - right);
                                 },
                                 used, 40));
  const std::array items{feedback_query::item{id(3), 0.9F}, feedback_query::item{id(7), 0.4F}};
  request.what = feedback_query{given(target), items, 0.5F, 2.0F, 0.3F};
  expect_same(*ask(request), ranked(
                                 [&](const auto& vector) {
                                   return 0.5F * dot(vector, target) +
                                          0.25F * 0.3F * (to(vector, 3) - to(vector, 7));
                                 },
                                 {3, 7}, 40));
}

TEST_F(query_tree_test, diverse_answers_are_chosen_one_after_another) {
  const auto target = random_vector();
  query_request request = nearest(target, 6);
  const float diversity = 0.6F;
  request.what = nearest_query{given(target), mmr_params{diversity, 30}};
  const auto found = ask(request);
  ASSERT_TRUE(found);
  const scored pool = ranked([&](const auto& vector) { return dot(vector, target); }, {}, 30);
  std::vector<std::uint64_t> chosen;
  while (chosen.size() < 6) {
    std::uint64_t best = 0;
    float best_worth = -1e9F;
    for (const auto& [number, relevance] : pool) {
      if (std::ranges::find(chosen, number) != chosen.end()) continue;
      float closest = -1e9F;
      for (const std::uint64_t other : chosen)
        closest = std::max(closest, dot(vectors_[number], vectors_[other]));
      const float worth =
          chosen.empty() ? relevance : (1 - diversity) * relevance - diversity * closest;
      if (worth > best_worth) {
        best_worth = worth;
        best = number;
      }
    }
    chosen.push_back(best);
  }
  ASSERT_EQ(found->size(), chosen.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    EXPECT_EQ((*found)[i].first, chosen[i]);
    EXPECT_NEAR((*found)[i].second, dot(vectors_[chosen[i]], target), 1e-5);
  }
}

TEST_F(query_tree_test, what_is_missing_is_named) {
  query_request request;
  request.what = fusion_query{};
  EXPECT_EQ(ask(request).error().text, "Validation failed: cannot apply Fusion without prefetches");
  const std::array unknown{id(9999)};
  request.what = recommend_query{unknown, {}, recommend_query::strategy::best_score};
  EXPECT_EQ(ask(request).error().text, "No point with id 9999 found");
  const std::array known{id(1)};
  request.what = recommend_query{known, {}, recommend_query::strategy::best_score};
  request.using_vector = "other";
  EXPECT_EQ(ask(request).error().text, "Not existing vector name error: other");
  request.using_vector = "";
  request.lookup_from = lookup_location{"nowhere", std::nullopt};
  EXPECT_EQ(ask(request).error().text, "Collection nowhere not found");
}

TEST_F(query_tree_test, a_matrix_has_the_nearest_of_its_sample_for_each_point) {
  running_.run(1, [&](database& data) -> io::task<void> {
    matrix_request request;
    request.sample = 25;
    request.limit = 4;
    auto comparing = data.distance_matrix("c", request, memory_);
    const auto matrix = co_await comparing;
    EXPECT_TRUE(matrix);
    EXPECT_EQ(matrix->ids.size(), 25U);
    EXPECT_EQ(std::set<point_id>(matrix->ids.begin(), matrix->ids.end()).size(), 25U);
    for (std::size_t row = 0; row < matrix->rows.size(); ++row) {
      std::vector<float> truth;
      for (std::size_t other = 0; other < matrix->ids.size(); ++other)
        if (other != row)
          truth.push_back(dot(vectors_[matrix->ids[row].low], vectors_[matrix->ids[other].low]));
      std::ranges::sort(truth, std::greater<>{});
      EXPECT_EQ(matrix->rows[row].size(), 4U);
      for (std::size_t i = 0; i < matrix->rows[row].size(); ++i) {
        EXPECT_NEAR(matrix->rows[row][i].score, truth[i], 1e-5);
        EXPECT_NE(matrix->rows[row][i].column, row);
      }
    }
  });
}

}  // namespace
}  // namespace vexfs
