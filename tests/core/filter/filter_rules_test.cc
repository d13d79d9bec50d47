// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/filter/compiled_filter.h"
#include "core/filter/indexes.h"
#include "core/filter/sip_hash.h"
#include "core/payload/datetime.h"
#include "tests/core/filter/point_table.h"

namespace vexfs::testing_filter {
namespace {

/// One condition on one payload, without an index.
class filter_rules : public ::testing::Test {
 protected:
  bool passes(std::string payload, condition one) {
    point_table table;
    table.insert(0, point_id::from_number(7), std::move(payload));
    const condition conditions[] = {one};
    filter what;
    what.must = conditions;
    return compiled_filter(what, nullptr, memory_).matches(table, 0);
  }
  field_condition on(const char* key) {
    field_condition made;
    made.key = *parse_payload_path(key, memory_);
    return made;
  }
  field_condition match_on(const char* key, match what) {
    field_condition made = on(key);
    made.matches = what;
    return made;
  }
  arena memory_;
};

TEST_F(filter_rules, a_float_never_equals_an_integer) {
  EXPECT_TRUE(passes(R"({"a":1})", match_on("a", match_value{std::int64_t{1}})));
  EXPECT_FALSE(passes(R"({"a":1.0})", match_on("a", match_value{std::int64_t{1}})));
  EXPECT_FALSE(passes(R"({"a":"1"})", match_on("a", match_value{std::int64_t{1}})));
}

TEST_F(filter_rules, values_count_comes_before_is_empty_before_is_null_before_the_rest) {
  field_condition all = match_on("a", match_value{std::int64_t{1}});
  EXPECT_TRUE(passes(R"({"a":1})", all));
  all.is_null = true;
  EXPECT_FALSE(passes(R"({"a":1})", all));
  all.is_empty = false;
  EXPECT_TRUE(passes(R"({"a":1})", all));
  all.values_count.emplace().gt = 1;
  EXPECT_FALSE(passes(R"({"a":1})", all));
}

TEST_F(filter_rules, match_or_range_is_enough_where_both_are_given) {
  field_condition both = match_on("a", match_value{std::int64_t{1}});
  both.range.emplace().gt = 10;
  EXPECT_TRUE(passes(R"({"a":1})", both));
  EXPECT_TRUE(passes(R"({"a":11})", both));
  EXPECT_FALSE(passes(R"({"a":5})", both));
}

TEST_F(filter_rules, an_exception_lets_any_value_but_null_pass) {
  const std::string_view red[] = {"red"};
  const auto not_red = match_on("a", match_any{true, red, {}});
  EXPECT_FALSE(passes(R"({"a":"red"})", not_red));
  EXPECT_TRUE(passes(R"({"a":"blue"})", not_red));
  EXPECT_TRUE(passes(R"({"a":5})", not_red));
  EXPECT_TRUE(passes(R"({"a":["red","blue"]})", not_red));
  EXPECT_FALSE(passes(R"({"a":null})", not_red));
  EXPECT_FALSE(passes(R"({"a":[]})", not_red));
  EXPECT_FALSE(passes("{}", not_red));
  EXPECT_TRUE(passes(R"({"a":"red"})", match_on("a", match_any{true, {}, {}})));
  EXPECT_FALSE(passes(R"({"a":"red"})", match_on("a", match_any{})));
}

TEST_F(filter_rules, nested_arrays_are_not_flattened) {
  const auto one = match_on("a", match_value{std::int64_t{1}});
  EXPECT_TRUE(passes(R"({"a":[2,1]})", one));
  EXPECT_FALSE(passes(R"({"a":[[1]]})", one));
  EXPECT_FALSE(passes(R"({"a":[]})", one));
}

TEST_F(filter_rules, a_missing_field_counts_zero_values_and_is_empty_and_is_not_null) {
  field_condition count = on("a"), empty = on("a"), null = on("a");
  count.values_count.emplace().lt = 1;
  empty.is_empty = true;
  null.is_null = false;
  EXPECT_TRUE(passes("{}", count));
  EXPECT_TRUE(passes("", empty));
  EXPECT_TRUE(passes("{}", null));
  null.is_null = true;
  EXPECT_FALSE(passes("{}", null));
}

TEST_F(filter_rules, is_null_sees_a_null_in_an_array_in_its_field_form_or_with_an_index) {
  field_condition null = on("a");
  null.is_null = true;
  EXPECT_TRUE(passes(R"({"a":[1,null]})", null));
  EXPECT_FALSE(passes(R"({"a":[1,null]})", is_null_condition{null.key}));
  EXPECT_TRUE(passes(R"({"a":null})", is_null_condition{null.key}));
}

TEST_F(filter_rules, nested_wants_all_conditions_on_one_element) {
  const condition both[] = {match_on("x", match_value{std::int64_t{1}}),
                            match_on("y", match_value{std::int64_t{2}})};
  filter inner;
  inner.must = both;
  const nested_condition one{*parse_payload_path("a", memory_), &inner};
  EXPECT_TRUE(passes(R"({"a":[{"x":0},{"x":1,"y":2}]})", one));
  EXPECT_FALSE(passes(R"({"a":[{"x":1},{"y":2}]})", one));
  EXPECT_FALSE(passes(R"({"a":[]})", one));
  filter negated;
  negated.must_not = both;
  const nested_condition none{one.key, &negated};
  EXPECT_TRUE(passes(R"({"a":[{"x":1},{"z":3}]})", none));
  EXPECT_FALSE(passes(R"({"a":[]})", none));
}

TEST_F(filter_rules, ids_hash_to_sip_hash_2_4_under_a_zero_key) {
  // Expected values come from OpenSSL's SIPHASH with eight bytes of output.
  EXPECT_EQ(sip_hash(point_id::from_number(0)), 0xe849'e8bb'6ffe'2567);
  EXPECT_EQ(sip_hash(point_id::from_number(7)), 0xb6ea'513a'7ef6'2bf0);
  EXPECT_EQ(sip_hash(point_id::from_number(0x0123'4567'89ab'cdef)), 0xc4a1'f0af'f7f4'be77);
  EXPECT_EQ(sip_hash(*point_id::from_uuid("936da01f-9abd-4d9d-80c7-02af85c822a8")),
            0x0512'3f46'0d3a'9715);
}

TEST_F(filter_rules, a_slice_takes_the_ids_whose_hash_has_its_remainder) {
  point_table table;
  const auto id = point_id::from_number(7);
  table.insert(0, id, "{}");
  for (std::uint64_t index = 0; index < 7; ++index) {
    const condition conditions[] = {slice_condition{7, index}};
    filter what;
    what.must = conditions;
    EXPECT_EQ(compiled_filter(what, nullptr, memory_).matches(table, 0),
              0xb6ea'513a'7ef6'2bf0 % 7 == index);
  }
}

TEST_F(filter_rules, datetimes_compare_as_moments) {
  field_condition when = on("a");
  when.datetimes.emplace().gte = *parse_datetime("2020-01-01T00:00:00Z");
  EXPECT_TRUE(passes(R"({"a":"2020-01-01T01:00:00+01:00"})", when));
  EXPECT_FALSE(passes(R"({"a":"2020-01-01T00:59:59+01:00"})", when));
  EXPECT_FALSE(passes(R"({"a":1577836800})", when));
}

}  // namespace
}  // namespace vexfs::testing_filter
