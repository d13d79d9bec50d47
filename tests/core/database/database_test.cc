// SPDX-License-Identifier: Apache-2.0
#include "core/database/database.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "tests/core/database/world.h"

namespace vexfs {
namespace {

constexpr std::uint32_t dim = 12;

struct model_point {
  std::vector<float> vector;
  std::string payload;
};
using model = std::map<std::uint64_t, model_point>;

float distance_between(const std::vector<float>& left, const std::vector<float>& right) {
  float sum = 0;
  for (std::size_t i = 0; i < left.size(); ++i)
    sum += (left[i] - right[i]) * (left[i] - right[i]);
  return std::sqrt(sum);
}

std::vector<float> random_vector(std::mt19937_64& random) {
  std::vector<float> values(dim);
  for (float& value : values)
    value = static_cast<float>(random() % 2001) / 100.0F - 10.0F;
  return values;
}

/// The database answers what a map of points with a full scan answers.
io::task<void> compare(database& data, const model& expected, std::mt19937_64& random) {
  arena memory;
  count_request count;
  auto counting = data.count("c", count, memory);
  const auto counted = co_await counting;
  EXPECT_TRUE(counted);
  EXPECT_EQ(*counted, expected.size());

  scroll_request scroll;
  scroll.limit = 1'000'000;
  scroll.with_vector.kind = vector_selector::form::all;
  auto scrolling = data.scroll("c", scroll, memory);
  const auto page = co_await scrolling;
  EXPECT_TRUE(page);
  EXPECT_EQ(page->points.size(), expected.size());
  auto place = expected.begin();
  for (const record& found : page->points) {
    EXPECT_EQ(found.id.low, place->first);
    EXPECT_EQ(*found.payload, place->second.payload);
    const auto values = found.vectors->front().value.values;
    EXPECT_TRUE(std::ranges::equal(values, place->second.vector));
    ++place;
  }

  const auto target = random_vector(random);
  query_request query;
  nearest_query nearest;
  vector_value given;
  given.values = target;
  nearest.target = given;
  query.what = nearest;
  query.limit = 7;
  const query_request requests[] = {query, query};
  auto searching = data.query("c", requests, memory);
  const auto answers = co_await searching;
  EXPECT_TRUE(answers);
  std::vector<float> truth;
  for (const auto& [id, point] : expected)
    truth.push_back(distance_between(target, point.vector));
  std::ranges::sort(truth);
  for (const auto& found : *answers) {
    EXPECT_EQ(found.size(), std::min<std::size_t>(7, truth.size()));
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i].score, truth[i], 1e-3);
      EXPECT_NEAR(found[i].score, distance_between(target, expected.at(found[i].id.low).vector),
                  1e-3);
    }
  }
}

/// One random write on the database and on the model.
io::task<void> write(database& data, model& expected, std::mt19937_64& random, bool wait) {
  arena memory;
  write_options options;
  options.wait = wait;
  update_operation operation;
  upsert_builder upsert;
  std::vector<point_id> ids;
  const std::string number = std::to_string(random() % 100);
  std::string payload = "{\"n\":" + number + "}";
  const std::uint64_t kind = random() % 10;
  if (kind < 6) {
    const std::uint64_t count = random() % 40 + 1;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t id = random() % 300;
      upsert.add(id, random_vector(random), payload);
      expected[id] = {*upsert.values.back(), payload};
    }
    operation = upsert.operation();
  } else {
    const std::uint64_t count = random() % 20 + 1;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t id = random() % 300;
      if (kind != 6 && !expected.contains(id)) continue;
      ids.push_back(point_id::from_number(id));
      if (kind == 6) expected.erase(id);
      if (kind == 7) expected[id].payload = payload;
      if (kind == 8) expected[id].payload.clear();
      if (kind == 9) expected[id].payload = payload;
    }
    if (kind == 6) operation = delete_points{{ids, nullptr}};
    if (kind == 7) operation = overwrite_payload{{ids, nullptr}, payload};
    if (kind == 8) operation = clear_payload{{ids, nullptr}};
    if (kind == 9) operation = set_payload{{ids, nullptr}, payload, std::nullopt};
  }
  auto updating = data.update("c", operation, options, memory);
  const auto updated = co_await updating;
  EXPECT_TRUE(updated) << updated.error().text;
}

TEST(database_test, random_writes_answer_as_a_map_of_points_does_and_come_back_after_a_kill) {
  const std::uint64_t seed = 7001;
  for (std::uint32_t cores : {1U, 2U, 3U}) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " cores " + std::to_string(cores));
    std::mt19937_64 random(seed + cores);
    io::simulated_storage disk(seed);
    model expected;
    bool created = false;
    for (int life = 0; life < 4; ++life) {
      // The number of cores may change from one start to the next.
      world running(disk, cores + static_cast<std::uint32_t>(life % 2),
                    seed + static_cast<std::uint64_t>(life));
      ASSERT_EQ(running.failure, "");
      if (!std::exchange(created, true)) {
        running.run(0, [](database& data) -> io::task<void> {
          auto creating = data.create_collection("c", dense_config(dim, distance::euclid));
          EXPECT_TRUE(co_await creating);
        });
      }
      for (int step = 0; step < 60; ++step) {
        running.run(static_cast<std::uint32_t>(random()), [&](database& data) -> io::task<void> {
          auto writing = write(data, expected, random, step % 3 == 0);
          co_await writing;
        });
        if (step % 10 == 0)
          running.run(static_cast<std::uint32_t>(random()), [&](database& data) -> io::task<void> {
            auto comparing = compare(data, expected, random);
            co_await comparing;
          });
      }
      disk.kill();
    }
  }
}

TEST(database_test, a_name_is_seen_by_every_core_once_its_creation_is_answered) {
  io::simulated_storage disk;
  world running(disk, 3, 11);
  for (int i = 0; i < 20; ++i) {
    const std::string name = "c" + std::to_string(i);
    running.run(static_cast<std::uint32_t>(i), [&](database& data) -> io::task<void> {
      auto creating = data.create_collection(name, dense_config(4, distance::dot));
      EXPECT_TRUE(co_await creating);
    });
    for (std::uint32_t core = 0; core < 3; ++core)
      running.run(core, [&](database& data) -> io::task<void> {
        EXPECT_TRUE(data.exists(name));
        co_return;
      });
  }
}

TEST(database_test, a_second_collection_of_a_name_is_refused_and_a_missing_one_is_named) {
  io::simulated_storage disk;
  world running(disk, 2, 12);
  running.run(0, [](database& data) -> io::task<void> {
    auto first = data.create_collection("c", dense_config(4, distance::dot));
    EXPECT_TRUE(co_await first);
    auto second = data.create_collection("c", dense_config(4, distance::dot));
    const auto refused = co_await second;
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::already_exists);
    EXPECT_EQ(refused.error().text, "Collection `c` already exists!");
    arena memory;
    const count_request all;
    auto counting = data.count("d", all, memory);
    const auto missing = co_await counting;
    EXPECT_EQ(missing.error().text, "Collection `d` doesn't exist!");
    auto removing = data.delete_collection("c");
    EXPECT_TRUE(*(co_await removing));
    auto again = data.delete_collection("c");
    EXPECT_FALSE(*(co_await again));
  });
}

TEST(database_test, one_bad_vector_refuses_the_whole_upsert) {
  io::simulated_storage disk;
  world running(disk, 2, 13);
  running.run(0, [](database& data) -> io::task<void> {
    auto creating = data.create_collection("c", dense_config(3, distance::dot));
    EXPECT_TRUE(co_await creating);
    arena memory;
    upsert_builder upsert;
    upsert.add(1, {1, 2, 3});
    upsert.add(2, {1, 2});
    const auto operation = upsert.operation();
    auto updating = data.update("c", operation, {}, memory);
    const auto refused = co_await updating;
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.error().text, "Vector dimension error: expected dim: 3, got 2");
    const count_request all;
    auto counting = data.count("c", all, memory);
    EXPECT_EQ(*(co_await counting), 0U);
  });
}

TEST(database_test, aliases_lead_to_their_collection_and_go_with_it) {
  io::simulated_storage disk;
  world running(disk, 2, 14);
  running.run(1, [](database& data) -> io::task<void> {
    auto creating = data.create_collection("c", dense_config(3, distance::dot));
    EXPECT_TRUE(co_await creating);
    auto naming = data.change_aliases({create_alias{"c", "other"}});
    EXPECT_TRUE(co_await naming);
    EXPECT_TRUE(data.exists("other"));
    auto renaming = data.change_aliases({rename_alias{"none", "x"}});
    const auto refused = co_await renaming;
    EXPECT_EQ(refused.error().text, "Alias none does not exists!");
    auto removing = data.delete_collection("c");
    EXPECT_TRUE(*(co_await removing));
    EXPECT_FALSE(data.exists("other"));
    EXPECT_TRUE(data.aliases().empty());
  });
}

TEST(database_test, a_value_too_large_for_float16_is_stored_as_the_largest_half) {
  io::simulated_storage disk;
  world running(disk, 2, 15);
  running.run(0, [](database& data) -> io::task<void> {
    auto config = dense_config(2, distance::dot);
    config.vectors.params[""].type = datatype::float16;
    auto creating = data.create_collection("c", config);
    EXPECT_TRUE(co_await creating);
    arena memory;
    upsert_builder upsert;
    upsert.add(1, {1e30F, -65'530.0F});
    const auto operation = upsert.operation();
    auto updating = data.update("c", operation, {}, memory);
    const auto updated = co_await updating;
    EXPECT_TRUE(updated) << updated.error().text;
    upsert_builder next;
    next.add(2, {1, 2});
    const auto second = next.operation();
    auto again = data.update("c", second, {}, memory);
    EXPECT_TRUE(co_await again);
    const point_id ids[] = {point_id::from_number(1)};
    retrieve_request request;
    request.ids = ids;
    request.with_vector.kind = vector_selector::form::all;
    auto retrieving = data.retrieve("c", request, memory);
    const auto found = co_await retrieving;
    EXPECT_EQ(found->size(), 1U);
    const float largest[] = {65'504.0F, -65'504.0F};
    EXPECT_TRUE(
        std::ranges::equal(found->front().vectors->front().value.values, std::span(largest)));
  });
}

TEST(database_test, what_info_answers_changes_only_together_with_its_version) {
  io::simulated_storage disk;
  world running(disk, 2, 16);
  running.run(0, [](database& data) -> io::task<void> {
    auto creating = data.create_collection("c", dense_config(2, distance::dot));
    EXPECT_TRUE(co_await creating);
    bool ended = false;
    arena memory;
    upsert_builder upsert;
    upsert.add(1, {1, 2});
    const auto operation = upsert.operation();
    const auto write = [&]() -> io::detached {
      write_options options;
      options.wait = true;
      auto updating = data.update("c", operation, options, memory);
      EXPECT_TRUE(co_await updating);
      ended = true;
    };
    write();
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> answers;
    const auto look = [&]() -> io::task<void> {
      const std::uint64_t version = *data.info_version("c");
      auto asking = data.info("c");
      const auto info = co_await asking;
      const std::pair answer{info->points_count, info->update_queue_length};
      const auto [place, added] = answers.emplace(version, answer);
      EXPECT_EQ(place->second, answer) << "version " << version;
    };
    while (!ended) {
      auto looking = look();
      co_await looking;
      co_await io::loop::current().yield();
    }
    auto looking = look();
    co_await looking;
    EXPECT_EQ(answers.rbegin()->second, std::pair(std::uint64_t{1}, std::uint64_t{0}));
  });
}

TEST(database_test, points_whose_score_is_no_number_come_last) {
  io::simulated_storage disk;
  world running(disk, 2, 17);
  running.run(0, [](database& data) -> io::task<void> {
    auto creating = data.create_collection("c", dense_config(16, distance::dot));
    EXPECT_TRUE(co_await creating);
    arena memory;
    upsert_builder upsert;
    for (std::uint64_t id = 0; id < 300; ++id) {
      std::vector<float> values(16);
      values[0] = static_cast<float>(id + 1) / 1000.0F;
      // Products of these are infinite, with both signs.
      if (id % 3 != 0)
        for (std::size_t d = 0; d < 16; ++d)
          values[d] = d < 8 ? 3e38F : -3e38F;
      upsert.add(id, std::move(values));
    }
    const auto operation = upsert.operation();
    auto updating = data.update("c", operation, {}, memory);
    EXPECT_TRUE(co_await updating);
    const std::vector<float> target(16, 1e30F);
    vector_value given;
    given.values = target;
    nearest_query nearest;
    nearest.target = given;
    query_request query;
    query.what = nearest;
    query.limit = 200;
    auto searching = data.query("c", {&query, 1}, memory);
    const auto answers = co_await searching;
    EXPECT_TRUE(answers);
    const auto found = answers->front();
    EXPECT_EQ(found.size(), 200U);
    std::vector<std::uint64_t> ids;
    std::vector<std::uint64_t> expected;
    for (std::size_t i = 0; i < 100; ++i) {
      ids.push_back(found[i].id.low);
      expected.push_back(297 - 3 * i);
    }
    EXPECT_EQ(ids, expected);
  });
}

}  // namespace
}  // namespace vexfs
