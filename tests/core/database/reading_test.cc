// SPDX-License-Identifier: Apache-2.0
// Reads that take several turns while others write.
#include <algorithm>
#include <random>

#include "core/database/scroll.h"
#include "core/database/update_apply.h"
#include "tests/core/database/world.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

TEST(reading_test, a_scroll_ends_where_points_come_while_it_waits_for_the_guard) {
  const auto machine = make_embedded_device();
  io::simulated_cores cores(1, 31);
  auto made = collection::create(1, "c", dense_config(2, distance::dot), 0, 1, *machine);
  ASSERT_TRUE(made);
  collection& target = **made;
  std::size_t found = 0;
  bool ended = false;
  arena memory;
  const payload_selector no_payload;
  const vector_selector no_vector;
  const auto scroll = [&]() -> io::detached {
    auto scrolling =
        scroll_by_id(target, std::nullopt, 1000, nullptr, no_payload, no_vector, memory);
    found = (co_await scrolling).points.size();
    ended = true;
  };
  ASSERT_TRUE(cores.run(0, [&]() -> io::task<void> {
    // As when the writer waits for a reader of another core.
    EXPECT_TRUE(target.guard.try_write());
    scroll();
    upsert_builder upsert;
    for (std::uint64_t id = 0; id < 20; ++id)
      upsert.add(id, {1, 2});
    const auto operation = upsert.operation();
    auto applying = apply_update(target, operation, 1, memory);
    EXPECT_TRUE(co_await applying);
    while (!ended)
      co_await io::loop::current().yield();
  }));
  EXPECT_EQ(found, 20U);
}

TEST(reading_test, a_filtered_scroll_shows_no_point_that_took_the_slot_of_one_that_passed) {
  for (const std::uint64_t seed : seeds(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    constexpr std::uint64_t point_count = 2000;
    const std::string wanted = "{\"k\":\"wanted\"}";
    const std::string other = "{\"k\":\"other\"}";
    arena memory;
    const auto insert = [&](database& data, std::uint64_t first,
                            const std::string& payload) -> io::task<void> {
      upsert_builder upsert;
      for (std::uint64_t id = first; id < first + point_count; ++id)
        upsert.add(id, {1, 2}, payload);
      const auto operation = upsert.operation();
      auto updating = data.update("c", operation, {}, memory);
      EXPECT_TRUE(co_await updating);
    };
    running.run(0, [&](database& data) -> io::task<void> {
      auto creating = data.create_collection("c", dense_config(2, distance::dot));
      EXPECT_TRUE(co_await creating);
      auto inserting = insert(data, 1'000'000, wanted);
      co_await inserting;
    });
    bool ended = false;
    std::uint64_t shown = 0;
    running.run(1, [&](database& data) -> io::task<void> {
      match_value same;
      same.value = std::string_view("wanted");
      field_condition on_field;
      const auto key = parse_payload_path("k", memory);
      on_field.key = *key;
      on_field.matches = same;
      const condition conditions[] = {on_field};
      filter which;
      which.must = conditions;
      const auto scroll = [&]() -> io::detached {
        scroll_request request;
        request.condition = &which;
        request.limit = 10 * point_count;
        auto scrolling = data.scroll("c", request, memory);
        const auto page = co_await scrolling;
        EXPECT_TRUE(page);
        for (const record& one : page->points) {
          ++shown;
          EXPECT_EQ(one.payload.value_or(""), wanted) << one.id.text();
          if (::testing::Test::HasFailure()) break;
        }
        ended = true;
      };
      scroll();
      // Points with smaller ids would be seen where the scroll has not been yet.
      std::uint64_t round = 0;
      while (!ended) {
        std::vector<point_id> gone;
        for (std::uint64_t i = 0; i < 200; ++i)
          gone.push_back(point_id::from_number(1'000'000 + point_count - 1 - round * 200 - i));
        const update_operation removal = delete_points{{gone, nullptr}};
        auto removing = data.update("c", removal, {}, memory);
        EXPECT_TRUE(co_await removing);
        upsert_builder upsert;
        for (std::uint64_t i = 0; i < 200; ++i)
          upsert.add(2'000'000 + round * 200 + i, {1, 2}, other);
        const auto operation = upsert.operation();
        auto updating = data.update("c", operation, {}, memory);
        EXPECT_TRUE(co_await updating);
        ++round;
      }
    });
    EXPECT_TRUE(ended);
    EXPECT_GT(shown, 0U);
  }
}

TEST(reading_test, points_on_their_way_in_take_no_place_of_those_that_are_there) {
  for (const std::uint64_t seed : seeds(10)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    constexpr std::uint64_t batch = 200;
    std::uint64_t acknowledged = 0;
    bool ended = false;
    std::uint64_t searched = 0;
    running.run(1, [&](database& data) -> io::task<void> {
      auto creating = data.create_collection("c", dense_config(2, distance::dot));
      EXPECT_TRUE(co_await creating);
      const auto search = [&]() -> io::detached {
        while (acknowledged < 20 * batch) {
          co_await io::loop::current().yield();
          if (acknowledged == 0) continue;
          arena memory;
          const std::vector<float> target{0, 1};
          vector_value given;
          given.values = target;
          nearest_query nearest;
          nearest.target = given;
          query_request query;
          query.what = nearest;
          query.limit = 10;
          const std::uint64_t before = acknowledged;
          auto searching = data.query("c", {&query, 1}, memory);
          const auto found = co_await searching;
          EXPECT_TRUE(found);
          EXPECT_EQ(found->front().size(), 10U);
          // Later points are nearer.
          for (const record& one : found->front())
            EXPECT_GE(one.id.low + 10, before);
          ++searched;
        }
        ended = true;
      };
      search();
      while (acknowledged < 20 * batch) {
        arena memory;
        upsert_builder upsert;
        for (std::uint64_t id = acknowledged; id < acknowledged + batch; ++id)
          upsert.add(id, {1, static_cast<float>(id)});
        const auto operation = upsert.operation();
        auto updating = data.update("c", operation, {}, memory);
        EXPECT_TRUE(co_await updating);
        acknowledged += batch;
      }
      while (!ended)
        co_await io::loop::current().yield();
    });
    EXPECT_TRUE(ended);
    EXPECT_GT(searched, 0U);
  }
}

}  // namespace
}  // namespace vexfs
