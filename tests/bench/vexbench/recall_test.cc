// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/recall.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "bench/vexbench/rest_encoder.h"
#include "tests/bench/vexbench/seed.h"

namespace vexfs::bench {
namespace {

// Five points on a line, asked from its left end; two of them at the same place.
class line_of_points : public ::testing::Test {
 protected:
  line_of_points() : base_(5, 1), search_((base_.values = {0, 1, 2, 2, 9}, base_), metric::euclid) {
    expected_.rows = {0, 1, 2};
    expected_.limit = 4;
  }
  double recall(std::vector<std::uint64_t> ids) const {
    return recall_of(search_, query_, expected_, ids, 3, {});
  }
  matrix base_;
  exact_search search_;
  expectation expected_;
  std::vector<float> query_{0};
};

TEST_F(line_of_points, is_the_share_of_true_neighbours) {
  EXPECT_DOUBLE_EQ(recall({0, 1, 2}), 1);
  EXPECT_DOUBLE_EQ(recall({2, 0, 1}), 1);
  EXPECT_DOUBLE_EQ(recall({0, 4, 1}), 2.0 / 3);
  EXPECT_DOUBLE_EQ(recall({}), 0);
}

TEST_F(line_of_points, a_point_as_near_as_the_last_neighbour_is_as_right) {
  EXPECT_DOUBLE_EQ(recall({0, 1, 3}), 1);
}

TEST_F(line_of_points, neither_repetition_nor_length_nor_unknown_ids_help) {
  EXPECT_DOUBLE_EQ(recall({0, 0, 0}), 1.0 / 3);
  EXPECT_DOUBLE_EQ(recall({0, 4, 4, 1, 2}), 1.0 / 3) << "what comes after the k-th counted";
  EXPECT_DOUBLE_EQ(recall({0, 1, 77}), 2.0 / 3);
}

TEST_F(line_of_points, what_may_not_count_does_not) {
  const std::vector<std::uint64_t> ids{0, 1, 2};
  const double found =
      recall_of(search_, query_, expected_, ids, 3, [](std::uint32_t row) { return row != 1; });
  EXPECT_DOUBLE_EQ(found, 2.0 / 3);
}

class judged_answers : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = dataset::load(
        {.base = {},
         .queries = {},
         .truth = {},
         .payload = {},
         .made = recipe{.points = 400, .queries = 6, .dim = 8, .seed = testing::test_seed()},
         .distance = metric::euclid,
         .filter_fields = true},
        1, 2, "/dev/null/nowhere");
    ASSERT_TRUE(loaded) << loaded.error().text;
    data_ = std::move(*loaded);
  }
  static std::string answer(const std::vector<std::vector<std::uint32_t>>& lists, bool is_batch) {
    std::string all;
    for (const auto& list : lists) {
      std::string points;
      for (const std::uint32_t id : list)
        points += (points.empty() ? "" : ",") + std::string("{\"id\":") + std::to_string(id) +
                  ",\"score\":1}";
      all += (all.empty() ? "" : ",") + std::string("{\"points\":[") + points + "]}";
    }
    return is_batch ? "{\"result\":[" + all + "]}" : "{\"result\":" + all + "}";
  }
  std::unique_ptr<dataset> data_;
};

TEST_F(judged_answers, a_batchs_queries_are_those_behind_its_tag_around_the_end) {
  const search_spec how{.limit = 3, .batch = 4};
  // Request 1 asks queries 4, 5, 0, 1.
  std::vector<std::vector<std::uint32_t>> lists;
  for (const std::uint32_t query : {4U, 5U, 0U, 1U})
    lists.push_back(data_->search().nearest(data_->queries().row(query), 3).rows);
  const sample right{
      .kind = 0, .tag = 1, .phase = 0, .sent_ns = 0, .answered_ns = 1, .body = answer(lists, true)};
  const sample* const answers[] = {&right};
  const auto found = judge(*data_, how, nullptr, answers, nullptr, 2);
  ASSERT_TRUE(found) << found.error().text;
  ASSERT_TRUE(*found);
  EXPECT_EQ((*found)->queries, 4U);
  EXPECT_DOUBLE_EQ((*found)->mean, 1);

  std::swap(lists[0], lists[2]);
  const sample swapped{
      .kind = 0, .tag = 1, .phase = 0, .sent_ns = 0, .answered_ns = 1, .body = answer(lists, true)};
  const sample* const others[] = {&swapped};
  EXPECT_LT((*judge(*data_, how, nullptr, others, nullptr, 2))->mean, 1);
}

TEST_F(judged_answers, a_filters_neighbours_are_those_that_pass) {
  search_spec how{.limit = 5};
  for (const char* field : {"uniform", "correlated"}) {
    const auto filter = data_->compile({.field = field, .pass = 0.1});
    ASSERT_TRUE(filter);
    EXPECT_EQ(filter->pass_count(), 40U);
    const auto near = data_->search().nearest(
        data_->queries().row(2), 5, [&](std::uint32_t row) { return filter->passes(2, row); });
    const sample kept{.kind = 0,
                      .tag = 2,
                      .phase = 0,
                      .sent_ns = 0,
                      .answered_ns = 1,
                      .body = answer({near.rows}, false)};
    const sample* const answers[] = {&kept};
    EXPECT_DOUBLE_EQ((*judge(*data_, how, &*filter, answers, nullptr, 1))->mean, 1);
  }
}

TEST_F(judged_answers, filters_near_and_far_are_each_querys_own) {
  const matrix& queries = data_->queries();
  const auto near =
      data_->compile({.field = "correlated", .pass = 0.1, .where = filter_place::near});
  const auto far = data_->compile({.field = "correlated", .pass = 0.1, .where = filter_place::far});
  ASSERT_TRUE(near && far);
  EXPECT_EQ(near->pass_count(), 40U);
  EXPECT_EQ(far->pass_count(), 40U);
  std::set<std::string> texts;
  double near_sum = 0;
  double far_sum = 0;
  for (std::uint32_t query = 0; query < queries.rows; ++query) {
    texts.insert(near->json(query));
    std::uint32_t counts[2] = {0, 0};
    for (std::uint32_t row = 0; row < data_->base().rows; ++row) {
      const double distance = data_->search().distance_to(queries.row(query), row);
      if (near->passes(query, row)) {
        near_sum += distance;
        ++counts[0];
      }
      if (far->passes(query, row)) {
        far_sum += distance;
        ++counts[1];
      }
      EXPECT_FALSE(near->passes(query, row) && far->passes(query, row));
    }
    EXPECT_EQ(counts[0], 40U);
    EXPECT_EQ(counts[1], 40U);
  }
  EXPECT_GT(texts.size(), 1U);
  EXPECT_LT(near_sum, far_sum);

  // Judged by the query's own: the true neighbours of one filter are none of the other's.
  const search_spec how{.limit = 5};
  const auto found = data_->search().nearest(
      queries.row(2), 5, [&](std::uint32_t row) { return near->passes(2, row); });
  const sample kept{.kind = 0,
                    .tag = 2,
                    .phase = 0,
                    .sent_ns = 0,
                    .answered_ns = 1,
                    .body = answer({found.rows}, false)};
  const sample* const answers[] = {&kept};
  EXPECT_DOUBLE_EQ((*judge(*data_, how, &*near, answers, nullptr, 1))->mean, 1);
  EXPECT_DOUBLE_EQ((*judge(*data_, how, &*far, answers, nullptr, 1))->mean, 0);
}

TEST_F(judged_answers, points_that_come_later_are_neither_missed_nor_punished) {
  const search_spec how{.limit = 3};
  const std::uint32_t nearest = data_->search().nearest(data_->queries().row(0), 1).rows[0];
  const auto without =
      data_->search()
          .nearest(data_->queries().row(0), 3, [&](std::uint32_t row) { return row != nearest; })
          .rows;
  const auto with = data_->search().nearest(data_->queries().row(0), 3).rows;
  point_lives lives(400, 400);
  lives.add(nearest, point_lives::write::remove, 0, 0);
  lives.add(nearest, point_lives::write::insert, 100, 200);
  const auto recall = [&](const std::vector<std::uint32_t>& list, std::int64_t from,
                          std::int64_t to) {
    const sample kept{.kind = 0,
                      .tag = 0,
                      .phase = 0,
                      .sent_ns = from,
                      .answered_ns = to,
                      .body = answer({list}, false)};
    const sample* const answers[] = {&kept};
    return (*judge(*data_, how, nullptr, answers, &lives, 1))->mean;
  };
  EXPECT_DOUBLE_EQ(recall(without, 10, 50), 1);
  EXPECT_LT(recall(with, 10, 50), 1) << "a point that was not there yet counted as a hit";
  EXPECT_DOUBLE_EQ(recall(without, 120, 150), 1);
  EXPECT_DOUBLE_EQ(recall(with, 120, 150), 1);
  EXPECT_LT(recall(without, 201, 300), 1) << "an acknowledged point was missing and nobody noticed";
  EXPECT_DOUBLE_EQ(recall(with, 201, 300), 1);
}

TEST(search_answer, both_forms_are_read_and_others_are_refused) {
  using lists = std::vector<std::vector<std::uint64_t>>;
  EXPECT_EQ(*read_search_answer(R"({"result":{"points":[{"id":3},{"id":1}]}})", false),
            (lists{{3, 1}}));
  EXPECT_EQ(*read_search_answer(R"({"result":[{"id":3}]})", false), (lists{{3}}));
  EXPECT_EQ(*read_search_answer(R"({"result":[{"points":[]},{"points":[{"id":9}]}]})", true),
            (lists{{}, {9}}));
  for (const char* wrong :
       {"", "[]", "{}", R"({"result":3})", R"({"result":{"points":3}})",
        R"({"result":{"points":[{"id":"a-b"}]}})", R"({"result":{"points":[3]}})"})
    EXPECT_FALSE(read_search_answer(wrong, false)) << wrong;
}

TEST(float_text, reads_back_as_the_same_number) {
  random_numbers numbers(testing::test_seed());
  for (int turn = 0; turn < 100'000; ++turn) {
    const auto value = static_cast<float>(numbers.normal() * std::exp(numbers.uniform() * 60 - 30));
    std::string text;
    append_float(text, value);
    ASSERT_EQ(std::strtof(text.c_str(), nullptr), value) << text;
  }
}

}  // namespace
}  // namespace vexfs::bench
