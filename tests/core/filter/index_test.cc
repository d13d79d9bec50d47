// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "core/filter/filter_plan.h"
#include "core/filter/indexes.h"
#include "tests/core/filter/point_table.h"
#include "tests/seeds.h"

namespace vexfs::testing_filter {
namespace {

void finish(field_indexes& indexes, const point_source& source) {
  while (!indexes.build(source, 100)) {
  }
}

TEST(index, order_visits_each_value_of_each_point_once_in_both_directions_and_any_step) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  point_table table;
  field_indexes indexes;
  std::vector<std::pair<std::int64_t, std::uint32_t>> expected;
  for (std::uint32_t slot = 0; slot < 3'000; ++slot) {
    const auto a = static_cast<std::int64_t>(random() % 50), b = a + 1;
    table.insert(slot, point_id::from_number(slot),
                 "{\"a\":[" + std::to_string(a) + "," + std::to_string(b) + "," +
                     std::to_string(a) + ",1.5]}");
    expected.emplace_back(a, slot);
    expected.emplace_back(b, slot);
  }
  ASSERT_TRUE(indexes.create("a", schema_of(payload_type::integer)));
  EXPECT_FALSE(indexes.can_order("a")) << "not before it is built";
  finish(indexes, table);
  ASSERT_TRUE(indexes.can_order("a"));
  std::ranges::sort(expected);
  for (const bool descending : {false, true}) {
    for (const std::size_t step : {1U, 7U, 1000U}) {
      order_position position;
      std::vector<order_entry> entries(step);
      std::vector<std::pair<std::int64_t, std::uint32_t>> seen;
      std::size_t count = 0;
      do {
        count = indexes.order("a", descending, position, entries);
        for (std::size_t i = 0; i < count; ++i) {
          seen.emplace_back(std::get<std::int64_t>(entries[i].value), entries[i].slot);
        }
      } while (count == step);
      auto wanted = expected;
      if (descending) std::ranges::reverse(wanted);
      EXPECT_EQ(seen, wanted) << descending << " " << step;
    }
  }
  order_position from{std::int64_t{49}};
  std::vector<order_entry> entries(100);
  const auto count = indexes.order("a", false, from, entries);
  ASSERT_GT(count, 0U);
  EXPECT_EQ(std::get<std::int64_t>(entries[0].value), 49) << "the start is included";
  order_position between{9.5};
  ASSERT_GT(indexes.order("a", true, between, entries), 0U);
  EXPECT_EQ(std::get<std::int64_t>(entries[0].value), 9);
}

TEST(index, facets_count_points_per_value_among_the_allowed) {
  point_table table;
  field_indexes indexes;
  for (std::uint32_t slot = 0; slot < 100; ++slot) {
    table.insert(slot, point_id::from_number(slot),
                 "{\"k\":[\"c" + std::to_string(slot % 3) +
                     "\",\"all\"],\"n\":" + std::to_string(slot % 4) +
                     ",\"b\":" + (slot % 2 == 0 ? "true" : "false") + "}");
  }
  ASSERT_TRUE(indexes.create("k", schema_of(payload_type::keyword)));
  ASSERT_TRUE(indexes.create("n", schema_of(payload_type::integer)));
  ASSERT_TRUE(indexes.create("b", schema_of(payload_type::boolean)));
  finish(indexes, table);
  std::vector<std::uint64_t> allowed(2);
  for (std::uint32_t slot = 0; slot < 50; ++slot)
    allowed[slot / 64] |= 1ULL << slot;
  const auto count = [&](const char* field, std::span<const std::uint64_t> among) {
    std::map<std::string, std::uint64_t> counts;
    facet_position position;
    std::vector<facet_value> values;
    while (!indexes.facet(field, among, 1, position, values)) {
    }
    for (const auto& one : values) {
      std::string text = std::holds_alternative<std::string_view>(one.value)
                             ? std::string(std::get<std::string_view>(one.value))
                         : std::holds_alternative<bool>(one.value)
                             ? std::string(std::get<bool>(one.value) ? "true" : "false")
                             : std::to_string(std::get<std::int64_t>(one.value));
      EXPECT_TRUE(counts.emplace(std::move(text), one.count).second) << "each value once";
    }
    return counts;
  };
  using counts = std::map<std::string, std::uint64_t>;
  EXPECT_EQ(count("k", {}), (counts{{"all", 100}, {"c0", 34}, {"c1", 33}, {"c2", 33}}));
  EXPECT_EQ(count("k", allowed), (counts{{"all", 50}, {"c0", 17}, {"c1", 17}, {"c2", 16}}));
  EXPECT_EQ(count("n", allowed), (counts{{"0", 13}, {"1", 13}, {"2", 12}, {"3", 12}}));
  EXPECT_EQ(count("b", allowed), (counts{{"true", 25}, {"false", 25}}));
}

TEST(index, the_object_form_of_an_integer_index_must_ask_for_lookup_to_facet) {
  field_indexes indexes;
  point_table table;
  auto schema = schema_of(payload_type::integer);
  schema.given_as_object = true;
  ASSERT_TRUE(indexes.create("a", schema));
  schema.params.lookup = true;
  ASSERT_TRUE(indexes.create("b", schema));
  schema.params.range = false;
  ASSERT_TRUE(indexes.create("c", schema));
  finish(indexes, table);
  EXPECT_FALSE(indexes.can_facet("a"));
  EXPECT_TRUE(indexes.can_facet("b"));
  EXPECT_TRUE(indexes.can_order("b"));
  EXPECT_FALSE(indexes.can_order("c"));
}

TEST(index, points_are_counted_that_have_a_value_of_the_type) {
  field_indexes indexes;
  point_table table;
  ASSERT_TRUE(indexes.create("a", schema_of(payload_type::integer)));
  finish(indexes, table);
  indexes.on_insert(0, R"({"a":1})");
  indexes.on_insert(1, R"({"a":[1,2,"x"]})");
  indexes.on_insert(2, R"({"a":1.5})");
  indexes.on_insert(3, "{}");
  EXPECT_EQ(indexes.points_count("a"), 2U);
  indexes.on_payload_change(0, R"({"a":1})", R"({"a":"x"})");
  indexes.on_remove(1, R"({"a":[1,2,"x"]})");
  EXPECT_EQ(indexes.points_count("a"), 0U);
}

TEST(index, what_is_not_supported_is_refused_by_name_and_changes_nothing) {
  field_indexes indexes;
  auto schema = schema_of(payload_type::text);
  ASSERT_TRUE(indexes.create("a", schema));
  schema.params.ascii_folding = true;
  const auto refused = indexes.create("a", schema);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::unsupported);
  EXPECT_NE(refused.error().text.find("ascii_folding"), std::string::npos);
  ASSERT_NE(indexes.schema("a"), nullptr);
  EXPECT_FALSE(indexes.schema("a")->params.ascii_folding);
  EXPECT_FALSE(indexes.create("a..b", schema));
}

TEST(index, tokens_and_phrases_count_within_one_text_of_a_point) {
  point_table table;
  field_indexes indexes;
  table.insert(0, point_id::from_number(0), R"({"a":["red hat","fox"]})");
  table.insert(1, point_id::from_number(1), R"({"a":["x","fox red"]})");
  table.insert(2, point_id::from_number(2), R"({"a":"red fox"})");
  auto schema = schema_of(payload_type::text);
  schema.params.phrase_matching = true;
  ASSERT_TRUE(indexes.create("a", schema));
  finish(indexes, table);
  arena memory;
  const auto allowed = [&](match_text::mode how) {
    field_condition text;
    text.key = *parse_payload_path("a", memory);
    text.matches = match_text{how, "Red fox"};
    const condition conditions[] = {text};
    filter what;
    what.must = conditions;
    filter_plan plan(&what, memory);
    while (!plan.advance(indexes, table, 100)) {
    }
    return plan.allowed()[0];
  };
  EXPECT_EQ(allowed(match_text::mode::all), 0b110U);
  EXPECT_EQ(allowed(match_text::mode::any), 0b111U);
  EXPECT_EQ(allowed(match_text::mode::phrase), 0b100U);
}

TEST(index, an_indexed_condition_looks_at_no_payload) {
  point_table table;
  field_indexes indexes;
  for (std::uint32_t slot = 0; slot < 1'000; ++slot) {
    table.insert(slot, point_id::from_number(slot), "{\"a\":" + std::to_string(slot) + "}");
  }
  ASSERT_TRUE(indexes.create("a", schema_of(payload_type::integer)));
  finish(indexes, table);
  arena memory;
  field_condition range;
  range.key = *parse_payload_path("a", memory);
  range.range.emplace();
  range.range->lt = 20;
  range.range->gte = 10;
  const condition conditions[] = {range};
  filter what;
  what.must = conditions;
  filter_plan plan(&what, memory);
  while (!plan.advance(indexes, table, 100)) {
  }
  EXPECT_EQ(plan.count(), 10U);
  EXPECT_EQ(plan.checked_count(), 0U);
  const auto estimate = estimate_cardinality(&what, indexes, 1'000, memory);
  EXPECT_EQ(estimate.min, 10U);
  EXPECT_EQ(estimate.max, 10U);
}

/// `should` over one key of the given integers.
filter one_of(std::span<const std::int64_t> values, arena& memory) {
  const auto conditions = memory.array<condition>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    field_condition field;
    field.key = *parse_payload_path("a", memory);
    field.matches = match_value{values[i]};
    conditions[i] = field;
  }
  filter what;
  what.should = conditions;
  return what;
}

TEST(plan, a_filter_of_many_conditions_is_decided_in_small_steps) {
  arena memory;
  point_table table;
  for (std::uint32_t slot = 0; slot < 100; ++slot)
    table.insert(slot, point_id::from_number(slot), R"({"a":-1})");
  std::vector<std::int64_t> values(10'000);
  std::iota(values.begin(), values.end(), 0);
  const filter what = one_of(values, memory);
  const field_indexes none;
  filter_plan plan(&what, memory);
  std::uint64_t before = 0;
  while (!plan.advance(none, table, 256)) {
    EXPECT_LE(plan.checked_count() - before, 1U);  // 10,000 conditions are as much as 256 payloads
    before = plan.checked_count();
  }
  EXPECT_EQ(plan.count(), 0U);
  EXPECT_EQ(plan.checked_count(), 100U);
}

TEST(plan, conditions_whose_bitmaps_would_take_too_much_memory_are_decided_from_payloads) {
  arena memory;
  point_table table;
  field_indexes indexes;
  ASSERT_TRUE(indexes.create("a", schema_of(payload_type::integer)));
  constexpr std::int64_t condition_count = 30'000;
  // Few points, with slots that are far apart.
  for (std::uint32_t i = 0; i < 20; ++i) {
    const std::uint32_t slot = i * 500;
    const std::int64_t value = i % 2 == 0 ? condition_count - 1 - i : -1;
    table.insert(slot, point_id::from_number(slot), "{\"a\":" + std::to_string(value) + "}");
    indexes.on_insert(slot, table.points[slot].payload);
  }
  while (!indexes.build(table, 10'000)) {
  }
  std::vector<std::int64_t> values(condition_count);
  std::iota(values.begin(), values.end(), 0);
  const filter what = one_of(values, memory);
  filter_plan plan(&what, memory);
  while (!plan.advance(indexes, table, 100'000)) {
  }
  EXPECT_EQ(plan.count(), 10U);
  EXPECT_GT(plan.checked_count(), 0U);
  EXPECT_LE(memory.used_bytes(), filter_bitmap_bytes_max + 64 * 1024 * 1024);
}

}  // namespace
}  // namespace vexfs::testing_filter
