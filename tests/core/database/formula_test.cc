// SPDX-License-Identifier: Apache-2.0
#include "core/database/formula.h"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/core/filter/point_table.h"

namespace vexfs {
namespace {

using form = expression::form;

/// One point with a payload, in one prefetch list with the score 0.25.
class formula_test : public ::testing::Test {
 protected:
  result<float> score(const expression& root, std::span<const formula_default> defaults = {}) {
    const formula_query query{&root, defaults};
    const std::array<ranking, 1> lists{list_};
    const formula_scorer scorer(query, lists, indexes_, memory_);
    return scorer.score(table_, list_[0], payload_);
  }
  expression number(double value) const {
    expression made;
    made.number = value;
    return made;
  }
  expression at(form kind, std::string_view path) {
    expression made;
    made.kind = kind;
    made.path = *parse_payload_path(path, memory_);
    return made;
  }
  expression of(form kind, std::initializer_list<expression> operands) {
    expression made;
    made.kind = kind;
    made.operands = memory_.copy(std::span<const expression>(operands.begin(), operands.size()));
    return made;
  }
  formula_default standing_for(std::string_view path, std::string_view value) {
    return {std::nullopt, *parse_payload_path(path, memory_), value};
  }

  void SetUp() override { table_.insert(0, list_[0].id, payload_); }

  arena memory_;
  field_indexes indexes_;
  testing_filter::point_table table_;
  std::string payload_ = R"({"n":8,"one":[2.5],"many":[1,2],"none":null,"word":"x",)"
                         R"("place":{"lon":13.4,"lat":52.5},"day":"1970-01-02"})";
  std::array<ranked_point, 1> list_{{{0, 0.25F, point_id::from_number(5), {}}}};
};

TEST_F(formula_test, operators_are_those_of_arithmetic) {
  const expression n = at(form::variable, "n");
  expression list_score;
  list_score.kind = form::score;
  EXPECT_FLOAT_EQ(*score(of(form::sum, {list_score, of(form::mult, {n, number(2)})})), 16.25F);
  EXPECT_FLOAT_EQ(*score(of(form::div, {n, number(4)})), 2);
  EXPECT_FLOAT_EQ(*score(of(form::pow, {n, number(2)})), 64);
  EXPECT_FLOAT_EQ(*score(of(form::neg, {n})), -8);
  EXPECT_FLOAT_EQ(*score(of(form::abs, {number(-3)})), 3);
  EXPECT_FLOAT_EQ(*score(of(form::sqrt, {number(9)})), 3);
  EXPECT_FLOAT_EQ(*score(of(form::exp, {number(1)})), static_cast<float>(std::exp(1.0)));
  EXPECT_FLOAT_EQ(*score(of(form::log10, {number(1000)})), 3);
  EXPECT_FLOAT_EQ(*score(of(form::ln, {number(std::exp(2.0))})), 2);
}

TEST_F(formula_test, payload_gives_numbers_dates_places_and_truths) {
  EXPECT_FLOAT_EQ(*score(at(form::variable, "one")), 2.5F);
  EXPECT_FLOAT_EQ(*score(at(form::datetime, "day")), 86400);
  expression far = at(form::geo_distance, "place");
  far.origin = {13.4, 51.5};
  EXPECT_NEAR(*score(far), 111195, 5);
  std::array<condition, 1> has_id{};
  const std::array ids{point_id::from_number(5)};
  has_id[0] = has_id_condition{ids};
  const filter here{has_id, {}, {}, std::nullopt};
  expression truth;
  truth.kind = form::truth;
  truth.if_true = &here;
  EXPECT_EQ(*score(truth), 1);
  const filter elsewhere{{}, {}, has_id, std::nullopt};
  truth.if_true = &elsewhere;
  EXPECT_EQ(*score(truth), 0);
}

TEST_F(formula_test, defaults_stand_for_what_is_missing_or_null_and_for_nothing_else) {
  const std::array defaults{standing_for("none", "3"), standing_for("absent", "4"),
                            standing_for("word", "5"), formula_default{1, {}, "0.5"}};
  EXPECT_FLOAT_EQ(*score(at(form::variable, "none"), defaults), 3);
  EXPECT_FLOAT_EQ(*score(at(form::variable, "absent"), defaults), 4);
  const auto wrong = score(at(form::variable, "word"), defaults);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().text,
            "Expected number value for word in the payload and/or in the formula defaults. Error: "
            "Value is not a number");
  EXPECT_FALSE(score(at(form::variable, "many"), defaults));
  EXPECT_FALSE(score(at(form::variable, "absent")));
  expression other_list;
  other_list.kind = form::score;
  other_list.index = 1;
  EXPECT_FLOAT_EQ(*score(other_list, defaults), 0.5F);
  other_list.index = 2;
  EXPECT_FLOAT_EQ(*score(other_list, defaults), 0);
}

TEST_F(formula_test, what_is_no_finite_number_is_refused_with_its_expression) {
  const auto zero = number(0);
  const auto refused = score(of(form::div, {number(1), zero}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "The expression 1.0/0.0 = inf produced a non-finite number");
  expression with_fallback = of(form::div, {number(1), zero});
  with_fallback.fallback = 7;
  EXPECT_FLOAT_EQ(*score(with_fallback), 7);
  EXPECT_FALSE(score(of(form::sqrt, {number(-1)})));
  EXPECT_FALSE(score(of(form::ln, {zero})));
  EXPECT_FALSE(score(of(form::exp, {number(1000)})));
  EXPECT_FALSE(score(number(1e300)));  // too large for a score
  // A factor of zero ends the product before the impossible one.
  EXPECT_FLOAT_EQ(*score(of(form::mult, {zero, of(form::ln, {zero})})), 0);
}

TEST_F(formula_test, decays_are_one_at_their_target_and_the_midpoint_at_their_scale) {
  const double scale = 4;
  const auto decay = [&](form kind, double steepness, double x) {
    expression made = of(kind, {number(x), number(10)});
    made.number = steepness;
    return *score(made);
  };
  const double half = std::log(0.5);
  EXPECT_FLOAT_EQ(decay(form::lin_decay, 0.5 / scale, 10), 1);
  EXPECT_FLOAT_EQ(decay(form::lin_decay, 0.5 / scale, 6), 0.5F);
  EXPECT_FLOAT_EQ(decay(form::lin_decay, 0.5 / scale, 30), 0);
  EXPECT_FLOAT_EQ(decay(form::exp_decay, half / scale, 14), 0.5F);
  EXPECT_FLOAT_EQ(decay(form::gauss_decay, half / (scale * scale), 14), 0.5F);
  EXPECT_FLOAT_EQ(decay(form::gauss_decay, half / (scale * scale), 10), 1);
}

}  // namespace
}  // namespace vexfs
