// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <gtest/gtest.h>

#include "core/filter/compiled_filter.h"
#include "core/filter/filter_key.h"
#include "core/filter/filter_plan.h"
#include "core/filter/indexes.h"
#include "tests/core/filter/oracle.h"
#include "tests/seeds.h"

namespace vexfs::testing_filter {
namespace {

/// Payloads and filters from few values, so that conditions are often true and often nearly true.
class generator {
 public:
  generator(std::uint64_t seed, arena& memory) : random_(seed), memory_(memory) {}

  std::size_t pick(std::size_t n) { return random_() % n; }
  bool chance(int percent) { return pick(100) < static_cast<std::size_t>(percent); }

  json scalar() {
    switch (pick(12)) {
      case 0:
        return {};
      case 1:
        return json::of(chance(50));
      case 2:
        return json::of(static_cast<std::int64_t>(pick(8)) - 2);
      case 3:
        return json::of(static_cast<double>(pick(8)) - 2 + (chance(50) ? 0.5 : 0));
      case 4:
        return json::of(UINT64_MAX - pick(2));
      case 5:
        return json::of(std::string(dates_[pick(std::size(dates_))]));
      case 6:
        return json::of(std::string(uuids_[pick(std::size(uuids_))]));
      case 7:
        return geo();
      default:
        return json::of(std::string(texts_[pick(std::size(texts_))]));
    }
  }
  json geo() {
    json made = json::object();
    made.members.emplace_back("lon", json::of(coordinate(179.25)));
    made.members.emplace_back(chance(95) ? "lat" : "latitude", json::of(coordinate(88.25)));
    return made;
  }
  json value(int depth) {
    if (depth > 0 && chance(25)) {
      json made = json::array();
      for (auto n = pick(4); n > 0; --n)
        made.elements.push_back(value(depth - 1));
      return made;
    }
    if (depth > 0 && chance(10)) return object(depth - 1);
    return scalar();
  }
  json object(int depth) {
    json made = json::object();
    for (const auto* key : {"a", "b", "c d"}) {
      if (chance(75)) made.members.emplace_back(key, value(depth));
    }
    if (depth > 0 && chance(60)) {
      json list = json::array();
      for (auto n = pick(4); n > 0; --n)
        list.elements.push_back(chance(85) ? object(depth - 1) : scalar());
      made.members.emplace_back("n", std::move(list));
    }
    if (depth > 0 && chance(30)) made.members.emplace_back("o", object(depth - 1));
    return made;
  }

  static constexpr const char* paths[] = {"a",   "b", "\"c d\"", "n[].a",  "n[].b", "o.a",
                                          "a[]", "n", "o",       "n[0].a", "zz"};

  payload_path path() { return *parse_payload_path(paths[pick(std::size(paths))], memory_); }
  payload_path inner_path() { return *parse_payload_path(paths[pick(3)], memory_); }
  std::string_view text() {
    return pick(6) == 0   ? dates_[pick(std::size(dates_))]
           : pick(4) == 0 ? uuids_[pick(std::size(uuids_))]
                          : texts_[pick(std::size(texts_))];
  }

  template <class Range, class Bound>
  Range range(Bound&& bound) {
    Range made;
    if (chance(50)) made.lt = bound();
    if (chance(50)) made.gte = bound();
    if (chance(20)) made.gt = bound();
    if (chance(20)) made.lte = bound();
    return made;
  }

  field_condition field(bool nested) {
    field_condition made;
    made.key = nested ? inner_path() : path();
    const int parts = chance(10) ? 2 : 1;
    for (int i = 0; i < parts; ++i)
      part(made);
    return made;
  }

  condition any_condition(int depth, bool nested) {
    switch (pick(depth > 0 ? 16 : 12)) {
      case 0:
        return is_empty_condition{nested ? inner_path() : path()};
      case 1:
        return is_null_condition{nested ? inner_path() : path()};
      case 2: {
        auto ids = memory_.array<point_id>(pick(20));
        for (auto& id : ids)
          id = point_id::from_number(pick(300));
        return has_id_condition{ids};
      }
      case 3:
        return has_vector_condition{chance(50) ? "" : "v"};
      case 12:
      case 13:
        return nested_condition{*parse_payload_path(nested || chance(70) ? "n" : "o.n", memory_),
                                memory_.make<filter>(any_filter(depth - 1, true))};
      case 14:
      case 15:
        return filter_condition{memory_.make<filter>(any_filter(depth - 1, nested))};
      default:
        return field(nested);
    }
  }

  std::span<const condition> conditions(int depth, bool nested) {
    auto made = memory_.array<condition>(1 + pick(3));
    for (auto& one : made)
      one = any_condition(depth, nested);
    return made;
  }

  filter any_filter(int depth, bool nested) {
    filter made;
    if (chance(60)) made.must = conditions(depth, nested);
    if (chance(30)) made.should = conditions(depth, nested);
    if (chance(30)) made.must_not = conditions(depth, nested);
    if (chance(15)) {
      const auto all = conditions(depth, nested);
      made.at_least = min_should{all, 1 + pick(all.size() + 1)};
    }
    return made;
  }

 private:
  double coordinate(double most) {
    return std::uniform_real_distribution<double>(-most, most)(random_);
  }

  void part(field_condition& made) {
    switch (pick(12)) {
      case 0:
        made.values_count = range<values_count_range>([&] { return pick(4); });
        break;
      case 1:
        made.is_empty = chance(50);
        break;
      case 2:
        made.is_null = chance(50);
        break;
      case 3:
        made.range = range<number_range>([&] { return static_cast<double>(pick(18)) / 2 - 3; });
        break;
      case 4:
        made.datetimes = range<datetime_range>([&] { return *parse_datetime(dates_[pick(3)]); });
        break;
      case 5: {
        const double low = coordinate(85), left = coordinate(179);
        made.box = geo_bounding_box{{left, std::min(89.0, low + 80)},
                                    {chance(50) ? coordinate(179) : left + 100, low}};
        made.box->bottom_right.lon = std::min(made.box->bottom_right.lon, 180.0);
        break;
      }
      case 6:
        made.radius =
            geo_radius{{coordinate(180), coordinate(90)}, static_cast<double>(pick(12'000)) * 1000};
        break;
      case 7: {
        const double x = coordinate(90), y = coordinate(40), r = 10 + static_cast<double>(pick(60));
        const geo_point outer[] = {{x - r, y - r / 2},
                                   {x + r, y - r / 3},
                                   {x + r / 2, y + r / 2},
                                   {x - r, y + r / 4},
                                   {x - r, y - r / 2}};
        const geo_point hole[] = {
            {x - r / 4, y - r / 8}, {x + r / 4, y - r / 8}, {x, y + r / 8}, {x - r / 4, y - r / 8}};
        geo_polygon polygon{memory_.copy(std::span<const geo_point>(outer)), {}};
        if (chance(50)) {
          auto holes = memory_.array<std::span<const geo_point>>(1);
          holes[0] = memory_.copy(std::span<const geo_point>(hole));
          polygon.interiors = holes;
        }
        made.polygon = polygon;
        break;
      }
      case 8:
        made.matches = match_text{static_cast<match_text::mode>(pick(4)), chance(10) ? "" : text()};
        break;
      case 9:
      case 10: {
        match_any any;
        any.except = chance(50);
        if (chance(50)) {
          auto list = memory_.array<std::string_view>(pick(4));
          for (auto& one : list)
            one = text();
          any.strings = list;
        } else {
          auto list = memory_.array<std::int64_t>(pick(4));
          for (auto& one : list)
            one = static_cast<std::int64_t>(pick(8)) - 2;
          any.integers = list;
        }
        made.matches = any;
        break;
      }
      default:
        switch (pick(3)) {
          case 0:
            made.matches = match_value{text()};
            break;
          case 1:
            made.matches = match_value{static_cast<std::int64_t>(pick(8)) - 2};
            break;
          default:
            made.matches = match_value{chance(50)};
            break;
        }
    }
  }

  static constexpr const char* texts_[] = {"red",         "green",       "Red fox",
                                           "the red fox", "fox \"red\"", "",
                                           "re",          "tab\there",   "green fox red"};
  static constexpr const char* dates_[] = {"2020-01-01", "2020-01-01T00:00:00Z", "2021-05-05 10:00",
                                           "2020-01-01T02:00:00+02:00"};
  static constexpr const char* uuids_[] = {"936da01f-9abd-4d9d-80c7-02af85c822a8",
                                           "936DA01F9ABD4D9D80C702AF85C822A8",
                                           "00000000-0000-0000-0000-000000000001"};

  std::mt19937_64 random_;
  arena& memory_;
};

struct world {
  point_table table;
  std::vector<json> trees;
  field_indexes indexes;
  oracle::keys keys;

  void add_index(const char* field, payload_type type) {
    auto schema = schema_of(type);
    if (type == payload_type::text) schema.params.phrase_matching = true;
    ASSERT_TRUE(indexes.create(field, schema));
    keys.any.insert(field);
    keys.text.erase(field);
    keys.uuid.erase(field);
    if (type == payload_type::text) keys.text.insert(field);
    if (type == payload_type::uuid) keys.uuid.insert(field);
  }
  void put(std::uint32_t slot, json tree, generator& make) {
    if (slot >= trees.size()) trees.resize(slot + 1);
    const std::string text = tree.printed();
    const bool there = slot < table.points.size() && table.points[slot].lives;
    if (there && make.chance(50)) {
      const std::string old = table.points[slot].payload;
      table.points[slot].payload = text;
      indexes.on_payload_change(slot, old, table.points[slot].payload);
    } else {
      if (there) drop(slot);
      std::vector<std::string> vectors;
      if (make.chance(70)) vectors.emplace_back("");
      if (make.chance(30)) vectors.emplace_back("v");
      table.insert(slot, point_id::from_number(slot), text, vectors);
      indexes.on_insert(slot, text);
    }
    trees[slot] = std::move(tree);
  }
  void drop(std::uint32_t slot) {
    const std::string old = table.points[slot].payload;
    table.remove(slot);
    indexes.on_remove(slot, old);
  }
  void expect_same(const filter& what, std::uint32_t budget, arena& memory, const char* where) {
    const oracle slow(table, keys);
    const compiled_filter fast(what, &indexes, memory);
    filter_plan plan(&what, memory);
    while (!plan.advance(indexes, table, budget)) {
    }
    const auto estimate = estimate_cardinality(&what, indexes, table.slot_count(), memory);
    std::uint64_t count = 0;
    for (std::uint32_t slot = 0; slot < table.slot_count(); ++slot) {
      const bool expected = table.live(slot) && slow.passes(what, trees[slot], slot);
      count += expected;
      ASSERT_EQ(fast.matches(table, slot), expected)
          << where << " compiled, " << table.points[slot].payload;
      ASSERT_EQ((plan.allowed()[slot / 64] >> (slot % 64) & 1) != 0, expected)
          << where << " planned, slot " << slot << " " << table.points[slot].payload;
    }
    ASSERT_EQ(plan.count(), count);
    ASSERT_LE(count, estimate.max) << where;
    ASSERT_LE(estimate.min, estimate.expected);
    ASSERT_LE(estimate.expected, estimate.max);
    for (const auto* path : generator::paths) {
      if (indexes.schema(path) == nullptr) continue;
      ASSERT_LE(indexes.points_count(path), table.slot_count()) << path;
    }
  }
};

constexpr payload_type all_types[] = {
    payload_type::keyword, payload_type::integer, payload_type::float_number, payload_type::geo,
    payload_type::text,    payload_type::boolean, payload_type::datetime,     payload_type::uuid};

/// A filter, and what was known of it the last time.
struct remembered {
  filter what;
  std::vector<std::uint64_t> words;
  known_bits known;
};

TEST(filter_oracle, a_plan_that_goes_on_from_what_was_known_answers_as_a_new_one) {
  for (const std::uint64_t seed : seeds(20)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    arena memory;
    generator make(seed, memory);
    world all;
    for (std::uint32_t slot = 0; slot < 100; ++slot)
      all.put(slot, make.object(2), make);
    std::vector<remembered> filters(30);
    for (remembered& one : filters)
      one.what = make.any_filter(2, false);
    for (std::size_t round = 0; round < 6; ++round) {
      for (remembered& one : filters) {
        filter_plan plan =
            round == 0 ? filter_plan(&one.what, memory) : filter_plan(&one.what, one.known, memory);
        // Points come while it is made: those too have to be known the next time.
        bool meanwhile = make.chance(30);
        while (!plan.advance(all.indexes, all.table, static_cast<std::uint32_t>(1 + make.pick(50))))
          if (std::exchange(meanwhile, false))
            all.put(static_cast<std::uint32_t>(make.pick(100 + 70 * (round + 1))), make.object(2),
                    make);
        filter_plan after(&one.what, memory);
        while (!after.advance(all.indexes, all.table, 1000)) {
        }
        ASSERT_TRUE(std::ranges::equal(plan.allowed(), after.allowed())) << "round " << round;
        ASSERT_EQ(plan.count(), after.count());
        one.words.assign(plan.allowed().begin(), plan.allowed().end());
        one.known = plan.known();
        one.known.words = one.words;
      }
      for (int i = 0; i < 20; ++i) {
        const auto slot = static_cast<std::uint32_t>(make.pick(100 + 70 * (round + 1)));
        if (make.chance(70))
          all.put(slot, make.object(2), make);
        else if (slot < all.table.slot_count() && all.table.live(slot))
          all.drop(slot);
      }
      if (round == 2)
        for (const auto* path : generator::paths)
          if (make.chance(50)) all.add_index(path, all_types[make.pick(std::size(all_types))]);
      while (!all.indexes.build(all.table, 100)) {
      }
    }
  }
}

TEST(filter_oracle, filters_with_one_key_are_one_filter) {
  for (const std::uint64_t seed : seeds(10)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    arena memory;
    generator make(seed, memory);
    generator again(seed, memory);
    world all;
    for (std::uint32_t slot = 0; slot < 100; ++slot)
      all.put(slot, make.object(2), make);
    world same;
    for (std::uint32_t slot = 0; slot < 100; ++slot)
      same.put(slot, again.object(2), again);
    std::map<std::string, std::vector<std::uint64_t>> known;
    for (int i = 0; i < 300; ++i) {
      const filter what = make.any_filter(2, false);
      const filter twin = again.any_filter(2, false);
      const auto key = filter_key(what);
      EXPECT_EQ(key, filter_key(twin));
      if (!key) continue;
      filter_plan plan(&what, memory);
      while (!plan.advance(all.indexes, all.table, 1000)) {
      }
      const auto [place, added] = known.try_emplace(*key);
      if (added) place->second.assign(plan.allowed().begin(), plan.allowed().end());
      EXPECT_TRUE(std::ranges::equal(place->second, plan.allowed()));
    }
    EXPECT_GT(known.size(), 100U);
  }
}

TEST(filter_oracle, every_filter_answers_the_same_by_rules_by_payload_and_by_any_index) {
  for (const std::uint64_t seed : seeds(40)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    arena memory;
    generator make(seed, memory);
    world all;
    for (std::uint32_t slot = 0; slot < 200; ++slot)
      all.put(slot, make.object(2), make);
    for (int i = 0; i < 30; ++i) {
      const auto slot = static_cast<std::uint32_t>(make.pick(200));
      if (all.table.live(slot)) all.drop(slot);
    }
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 60; ++i) {
        const filter what = make.any_filter(2, false);
        all.expect_same(what, static_cast<std::uint32_t>(1 + make.pick(400)), memory,
                        round == 0 ? "without index" : "with indexes");
        if (HasFatalFailure()) return;
      }
      // Indexes after the load, built in steps between which points change; then more changes.
      for (const auto* path : generator::paths) {
        if (make.chance(70)) all.add_index(path, all_types[make.pick(std::size(all_types))]);
      }
      while (!all.indexes.build(all.table, 17)) {
        all.put(static_cast<std::uint32_t>(make.pick(220)), make.object(2), make);
      }
      for (int i = 0; i < 60; ++i) {
        const auto slot = static_cast<std::uint32_t>(make.pick(220));
        if (make.chance(25)) {
          if (slot < all.table.slot_count() && all.table.live(slot)) all.drop(slot);
        } else {
          all.put(slot, make.object(2), make);
        }
      }
    }
  }
}

TEST(filter_oracle, a_plan_is_right_about_points_that_change_between_its_steps) {
  for (const std::uint64_t seed : seeds(60)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    arena memory;
    generator make(seed, memory);
    world all;
    for (std::uint32_t slot = 0; slot < 300; ++slot)
      all.put(slot, make.object(1), make);
    all.add_index("a", all_types[seed % std::size(all_types)]);
    all.add_index("b", all_types[make.pick(std::size(all_types))]);
    while (!all.indexes.build(all.table, 1000)) {
    }
    const filter what = make.any_filter(1, false);
    filter_plan plan(&what, memory);
    for (int step = 0; !plan.advance(all.indexes, all.table, 3); ++step) {
      if (step > 400) continue;
      const auto slot = static_cast<std::uint32_t>(make.pick(300));
      if (make.chance(20)) {
        if (all.table.live(slot)) all.drop(slot);
      } else {
        all.put(slot, make.object(1), make);
      }
      if (step == 20 && make.chance(30)) {
        all.add_index("a", payload_type::text);
        while (!all.indexes.build(all.table, 1000)) {
        }
      }
    }
    const oracle slow(all.table, all.keys);
    for (std::uint32_t slot = 0; slot < 300; ++slot) {
      const bool expected = all.table.live(slot) && slow.passes(what, all.trees[slot], slot);
      ASSERT_EQ((plan.allowed()[slot / 64] >> (slot % 64) & 1) != 0, expected) << slot;
    }
  }
}

}  // namespace
}  // namespace vexfs::testing_filter
