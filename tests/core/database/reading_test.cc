// SPDX-License-Identifier: Apache-2.0
// Reads that take several turns while others write.
#include <algorithm>
#include <array>
#include <random>
#include <set>

#include "core/database/scroll.h"
#include "core/database/update_apply.h"
#include "tests/core/database/world.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

TEST(reading_test, a_scroll_ends_where_points_come_while_it_waits_for_the_guard) {
  const auto machine = make_embedded_device();
  io::simulated_cores cores(1, 31);
  io::simulated_storage disk;
  auto made = collection::create(1, "c", dense_config(2, distance::dot), 0, 1, *machine, disk);
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
    const auto page = co_await scrolling;
    found = page ? page->points.size() : 0;
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

TEST(reading_test, points_that_move_while_they_are_searched_for_are_found) {
  constexpr std::uint64_t point_count = 600;
  constexpr std::uint64_t groups = 6;
  for (const bool by_graph : {false, true}) {
    for (const std::uint64_t seed : seeds(8)) {
      SCOPED_TRACE("seed " + std::to_string(seed) + (by_graph ? " by graph" : " by scan"));
      io::simulated_storage disk(seed);
      world running(disk, 2, seed);
      running.run(0, [&](database& data) -> io::task<void> {
        collection_config config = dense_config(2, distance::euclid);
        if (by_graph) {
          config.optimizers_config.indexing_threshold = 1;
          config.hnsw_config.full_scan_threshold = 1;
        }
        auto creating = data.create_collection("c", config);
        EXPECT_TRUE(co_await creating);
        const auto vector_of = [](std::uint64_t id) {
          return std::vector<float>{static_cast<float>(id), static_cast<float>(id % 7)};
        };
        const auto write = [&](std::uint64_t first, std::uint64_t last) -> io::task<void> {
          upsert_builder upsert;
          for (std::uint64_t i = first; i < last; ++i) {
            const std::uint64_t id = i * 31 % point_count;
            upsert.add(id, vector_of(id), "{\"group\":" + std::to_string(id % groups) + "}");
          }
          const auto operation = upsert.operation();
          arena memory;
          auto updating = data.update("c", operation, {}, memory);
          EXPECT_TRUE(co_await updating);
        };
        auto filling = write(0, point_count);
        co_await filling;
        bool stop = false;
        bool ended = false;
        const auto keep_moving = [&]() -> io::detached {
          std::uint64_t first = 0;
          while (!stop) {
            auto writing = write(first, first + 48);
            co_await writing;
            first += 48;
          }
          ended = true;
        };
        keep_moving();
        std::mt19937_64 random(seed);
        for (int turn = 0; turn < 150; ++turn) {
          const std::uint64_t id = random() % point_count;
          const std::vector<float> target = vector_of(id);
          vector_value given;
          given.values = target;
          query_request query;
          query.what = nearest_query{given, {}};
          query.limit = std::array<std::uint64_t, 4>{1, 10, 90, 400}[random() % 4];
          arena memory;
          filter group;
          const auto conditions = memory.array<condition>(1);
          field_condition field;
          field.key = *parse_payload_path("group", memory);
          match_value same;
          same.value = static_cast<std::int64_t>(id % groups);
          field.matches = same;
          conditions[0] = field;
          group.must = conditions;
          const bool filtered = random() % 2 == 0;
          if (filtered) query.condition = &group;
          const auto searched =
              co_await io::call_on(1, [&] { return data.query("c", {&query, 1}, memory); });
          EXPECT_TRUE(searched);
          const auto found = searched->front();
          EXPECT_EQ(found.size(),
                    std::min(query.limit, filtered ? point_count / groups : point_count));
          EXPECT_EQ(found.empty() ? point_count : found.front().id.low, id);
          std::set<std::uint64_t> ids;
          for (const record& one : found)
            EXPECT_TRUE(ids.insert(one.id.low).second) << "answered twice: " << one.id.text();
        }
        stop = true;
        while (!ended)
          co_await io::loop::current().yield();
        auto closing = close(data, 2);
        co_await closing;
      });
    }
  }
}

}  // namespace
}  // namespace vexfs
