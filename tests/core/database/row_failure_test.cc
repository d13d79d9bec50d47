// SPDX-License-Identifier: Apache-2.0
// Originals of dense vectors on the disk, whatever the disk does and whoever reads meanwhile.
#include <algorithm>
#include <random>
#include <set>

#include "core/database/collection_report.h"
#include "tests/core/database/world.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

constexpr std::uint32_t dim = 16;

/// A collection whose point n begins with n, so that an answer shows whose vector it carries.
collection_config numbered_config(bool with_graph = true) {
  collection_config config = dense_config(dim, distance::dot);
  config.vectors.params[""].on_disk = true;
  config.optimizers_config.indexing_threshold = with_graph ? 10 : 0;
  config.hnsw_config.full_scan_threshold = 5;
  return config;
}

io::task<result<update_result>> write_numbered(database& data, std::uint64_t first,
                                               std::uint64_t last, std::mt19937_64& random) {
  upsert_builder upsert;
  for (std::uint64_t id = first; id < last; ++id) {
    std::vector<float> values(dim);
    for (float& value : values)
      value = static_cast<float>(random() % 1000) / 1000;
    values[0] = static_cast<float>(id);
    upsert.add(id, std::move(values));
  }
  const auto operation = upsert.operation();
  arena memory;
  auto updating = data.update("c", operation, {true}, memory);
  co_return co_await updating;
}

io::task<void> begin_numbered(database& data, std::uint64_t count, std::mt19937_64& random,
                              collection_config config = numbered_config()) {
  auto creating = data.create_collection("c", std::move(config));
  EXPECT_TRUE(co_await creating);
  auto writing = write_numbered(data, 0, count, random);
  EXPECT_TRUE(co_await writing);
}

std::vector<query_request> numbered_queries(std::mt19937_64& random, arena& memory) {
  std::vector<query_request> requests(4);
  for (query_request& request : requests) {
    vector_value target;
    const auto values = memory.array<float>(dim);
    for (float& value : values)
      value = static_cast<float>(random() % 1000) / 1000;
    target.values = values;
    request.what = nearest_query{target, std::nullopt};
    request.with_vector.kind = vector_selector::form::all;
  }
  requests[1].params.exact = true;
  return requests;
}

void expect_own_vectors(std::span<const record> records, const query_request& request) {
  const auto& target = std::get<vector_value>(std::get<nearest_query>(request.what).target);
  for (const record& one : records) {
    ASSERT_EQ(one.vectors->size(), 1U);
    const auto values = one.vectors->front().value.values;
    EXPECT_EQ(values[0], static_cast<float>(one.id.low));
    float score = 0;
    for (std::uint32_t d = 0; d < dim; ++d)
      score += values[d] * target.values[d];
    EXPECT_NEAR(one.score, score, 1e-3);
  }
}

TEST(row_failure_test, a_slot_is_not_written_again_while_its_row_is_read) {
  for (const std::uint64_t seed : seeds(2)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    std::mt19937_64 random(seed);
    running.run(0, [&](database& data) -> io::task<void> {
      auto beginning = begin_numbered(data, 300, random, numbered_config(seed % 2 == 0));
      co_await beginning;
    });
    bool enough = false;
    bool ended = false;
    std::uint64_t written = 0;
    const auto write = [&](database& data) -> io::detached {
      while (!enough) {
        const std::uint64_t first = random() % 280;
        auto writing = write_numbered(data, first, first + 20, random);
        EXPECT_TRUE(co_await writing);
        ++written;
      }
      ended = true;
    };
    running.run(1, [&](database& data) -> io::task<void> {
      write(data);
      constexpr int rounds_max = 1000;
      int round = 0;
      for (; round < 4 || (written <= 50 && round < rounds_max); ++round) {
        arena memory;
        const auto requests = numbered_queries(random, memory);
        auto searching = data.query("c", requests, memory);
        const auto found = co_await searching;
        EXPECT_TRUE(found);
        for (std::size_t i = 0; found && i < requests.size(); ++i) {
          EXPECT_FALSE((*found)[i].empty());
          expect_own_vectors((*found)[i], requests[i]);
        }
        std::vector<point_id> ids;
        for (std::uint64_t id = 0; id < 300; id += 2)
          ids.push_back(point_id::from_number(id));
        std::ranges::shuffle(ids, random);
        retrieve_request wanted{ids, {}, {}};
        wanted.with_vector.kind = vector_selector::form::all;
        auto retrieving = data.retrieve("c", wanted, memory);
        const auto retrieved = co_await retrieving;
        EXPECT_TRUE(retrieved);
        if (!retrieved) continue;
        EXPECT_EQ(retrieved->size(), ids.size());
        for (const record& one : *retrieved)
          EXPECT_EQ(one.vectors->front().value.values[0], static_cast<float>(one.id.low));
      }
      EXPECT_LT(round, rounds_max) << "no more than " << written << " writes";
      enough = true;
      while (!ended)
        co_await io::loop::current().yield();
    });
    running.close();
  }
}

TEST(row_failure_test, a_collection_may_be_dropped_while_its_rows_are_read) {
  for (const std::uint64_t seed : seeds(8)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    std::mt19937_64 random(seed);
    bool ended = false;
    running.run(0, [&](database& data) -> io::task<void> {
      auto beginning = begin_numbered(data, 300, random);
      co_await beginning;
    });
    arena memory;
    const auto requests = numbered_queries(random, memory);
    const auto search = [&](database& data) -> io::detached {
      auto searching = data.query("c", requests, memory);
      const auto found = co_await searching;
      EXPECT_TRUE(found);
      if (found) expect_own_vectors(found->front(), requests.front());
      ended = true;
    };
    running.run(1, [&](database& data) -> io::task<void> {
      search(data);
      EXPECT_FALSE(ended);
      auto deleting = data.delete_collection("c");
      EXPECT_TRUE(co_await deleting);
      while (!ended)
        co_await io::loop::current().yield();
    });
    EXPECT_TRUE(disk.list("rows")->empty());
    running.close();
  }
}

TEST(row_failure_test, a_damaged_row_is_an_error_and_good_again_after_a_restart) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  io::simulated_storage disk(seed);
  std::mt19937_64 random(seed);
  const auto read_all = [](world& running) {
    std::size_t good = 0;
    running.run(1, [&](database& data) -> io::task<void> {
      for (std::uint64_t id = 0; id < 100; ++id) {
        arena memory;
        const point_id wanted = point_id::from_number(id);
        retrieve_request request{{&wanted, 1}, {}, {}};
        request.with_vector.kind = vector_selector::form::all;
        auto retrieving = data.retrieve("c", request, memory);
        const auto found = co_await retrieving;
        if (!found) {
          EXPECT_NE(found.error().text.find("damaged"), std::string::npos);
          continue;
        }
        ++good;
        EXPECT_EQ(found->front().vectors->front().value.values[0], static_cast<float>(id));
      }
    });
    return good;
  };
  {
    world running(disk, 2, seed);
    running.run(0, [&](database& data) -> io::task<void> {
      auto beginning = begin_numbered(data, 100, random);
      co_await beginning;
    });
    EXPECT_EQ(read_all(running), 100U);
    const std::string path = "rows/" + disk.list("rows")->front();
    // A record is a row of 64 bytes, and 4 of checksum.
    EXPECT_TRUE(disk.flip_bit(path, (80 * 7 + random() % 64) * 8 + random() % 8));
    EXPECT_TRUE(disk.flip_bit(path, (80 * 42 + 64 + random() % 4) * 8 + random() % 8));
    EXPECT_EQ(read_all(running), 98U);
    running.close();
    disk.kill();
  }
  world again(disk, 2, seed + 1);
  EXPECT_EQ(read_all(again), 100U);
  again.close();
}

TEST(row_failure_test, a_damaged_row_that_should_move_refuses_the_update_and_nothing_else) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  io::simulated_storage disk(seed);
  std::mt19937_64 random(seed);
  world running(disk, 2, seed);
  constexpr std::uint64_t damaged = 42;
  collection_config config = numbered_config();
  config.vectors.params["b"] = config.vectors.params[""];
  config.vectors.params["b"].on_disk = false;
  config.vectors.single = false;
  const auto update = [&](database& data, std::uint64_t id,
                          std::string_view name) -> io::task<std::string> {
    std::vector<float> values(dim, 1);
    values[0] = static_cast<float>(id);
    vector_value value;
    value.values = values;
    const named_vector given{name, value};
    const point_vectors point{point_id::from_number(id), {&given, 1}};
    const update_operation operation = update_vectors{{&point, 1}, nullptr};
    arena memory;
    auto updating = data.update("c", operation, {true}, memory);
    const auto updated = co_await updating;
    co_return updated ? "" : updated.error().text;
  };
  running.run(0, [&](database& data) -> io::task<void> {
    auto beginning = begin_numbered(data, 100, random, config);
    co_await beginning;
  });
  const std::string path = "rows/" + disk.list("rows")->front();
  EXPECT_TRUE(disk.flip_bit(path, (80 * damaged + random() % 64) * 8 + random() % 8));
  running.run(0, [&](database& data) -> io::task<void> {
    auto refused = update(data, damaged, "b");
    EXPECT_NE((co_await refused).find("damaged"), std::string::npos);
    // Others go on, and so does the point, when its row is given anew.
    for (const auto& [id, name] : {std::pair{damaged + 1, "b"}, {damaged, ""}, {damaged, "b"}}) {
      auto taken = update(data, id, name);
      EXPECT_EQ(co_await taken, "") << id << name;
    }
  });
  running.close();
}

/// Every point of "c" by its vectors, which have to be its own; and whether another is taken.
struct state_of_points {
  std::set<std::uint64_t> ids;
  std::string refusal;
};

state_of_points look_at(world& running, std::mt19937_64& random) {
  state_of_points state;
  running.run(1, [&](database& data) -> io::task<void> {
    arena memory;
    scroll_request all;
    all.limit = 1000;
    all.with_vector.kind = vector_selector::form::all;
    auto scrolling = data.scroll("c", all, memory);
    const auto found = co_await scrolling;
    EXPECT_TRUE(found);
    if (!found) co_return;
    for (const record& one : found->points) {
      state.ids.insert(one.id.low);
      EXPECT_EQ(one.vectors->front().value.values[0], static_cast<float>(one.id.low));
    }
    const auto requests = numbered_queries(random, memory);
    auto searching = data.query("c", requests, memory);
    const auto answers = co_await searching;
    EXPECT_TRUE(answers);
    if (answers) expect_own_vectors(answers->front(), requests.front());
    auto writing = write_numbered(data, 500, 501, random);
    const auto written = co_await writing;
    if (!written) state.refusal = written.error().text;
  });
  return state;
}

TEST(row_failure_test, a_write_that_fails_loses_nothing_and_is_told) {
  std::uint64_t refused = 0;
  std::uint64_t closed = 0;
  bool more = true;
  for (std::uint64_t call = 1; more; ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    std::mt19937_64 random(call);
    io::simulated_storage disk(call);
    bool taken = false;
    {
      world running(disk, 2, call);
      running.run(0, [&](database& data) -> io::task<void> {
        auto beginning = begin_numbered(data, 100, random);
        co_await beginning;
        const std::uint64_t calls_before = disk.call_count();
        disk.fail_call(call, errc::service);
        auto failing = write_numbered(data, 90, 200, random);
        taken = (co_await failing).has_value();
        more = disk.call_count() - calls_before >= call;
        disk.fail_call(1'000'000'000, errc::service);  // none of what follows
      });
      const state_of_points state = look_at(running, random);
      refused += taken ? 0 : 1;
      if (!state.refusal.empty()) {
        ++closed;
        EXPECT_NE(state.refusal.find("simulated disk"), std::string::npos) << state.refusal;
      }
      EXPECT_GE(state.ids.size(), taken ? 200U : 100U);
      running.close();
      disk.kill();
    }
    world again(disk, 2, call + 1);
    EXPECT_EQ(again.failure, "");
    const state_of_points state = look_at(again, random);
    EXPECT_EQ(state.refusal, "");
    EXPECT_GE(state.ids.size(), taken ? 200U : 100U);
    again.close();
  }
  EXPECT_GT(refused, 2U);
  EXPECT_GT(closed, 0U);
}

TEST(row_failure_test, a_full_disk_refuses_points_and_takes_them_when_there_is_room_again) {
  std::uint64_t refused_for_rows = 0;
  for (const std::uint64_t seed : seeds(8)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    std::uint64_t stored = 0;
    running.run(0, [&](database& data) -> io::task<void> {
      auto creating = data.create_collection("c", numbered_config());
      EXPECT_TRUE(co_await creating);
      disk.set_capacity_bytes(20'000 + random() % 40'000);
      for (;;) {
        auto writing = write_numbered(data, stored, stored + 10, random);
        const auto written = co_await writing;
        if (!written) {
          EXPECT_EQ(written.error().code, errc::insufficient_storage) << written.error().text;
          refused_for_rows += written.error().text.find("rows/") != std::string::npos ? 1 : 0;
          break;
        }
        stored += 10;
      }
      arena memory;
      const point_id gone = point_id::from_number(3);
      const update_operation removal = delete_points{{{&gone, 1}, nullptr}};
      if (disk.free_bytes().value() > 1000) {
        auto removing = data.update("c", removal, {true}, memory);
        EXPECT_TRUE(co_await removing);
      }
      disk.set_capacity_bytes(UINT64_MAX);
      auto removing = data.update("c", removal, {true}, memory);
      EXPECT_TRUE(co_await removing);
      auto writing = write_numbered(data, stored, stored + 10, random);
      EXPECT_TRUE(co_await writing);
      stored += 10;
    });
    EXPECT_GT(stored, 20U);
    const state_of_points state = look_at(running, random);
    EXPECT_EQ(state.refusal, "");
    EXPECT_EQ(state.ids.size(), stored - 1);
    running.close();
  }
  EXPECT_GT(refused_for_rows, 0U);
}

TEST(row_failure_test, a_change_of_where_originals_are_holds_from_the_next_start_on) {
  std::mt19937_64 random(5);
  io::simulated_storage disk(5);
  const auto is_on_disk = [](world& running) {
    bool on_disk = false;
    running.run(1, [&](database& data) -> io::task<void> {
      arena memory;
      auto reporting = data.report("c", memory);
      const auto reports = co_await reporting;
      EXPECT_TRUE(reports);
      on_disk = reports && reports->front().on_disk;
    });
    return on_disk;
  };
  bool on_disk = true;
  for (std::uint64_t life = 0; life < 3; ++life) {
    world running(disk, 2, life);
    running.run(0, [&](database& data) -> io::task<void> {
      if (life == 0) {
        auto beginning = begin_numbered(data, 100, random);
        co_await beginning;
      }
    });
    EXPECT_EQ(is_on_disk(running), on_disk);
    EXPECT_EQ(disk.list("rows")->size(), on_disk ? 1U : 0U);
    running.run(0, [&](database& data) -> io::task<void> {
      collection_change change;
      change.vectors[""].on_disk = !on_disk;
      auto changing = data.change_collection("c", change);
      EXPECT_TRUE(co_await changing);
    });
    EXPECT_EQ(is_on_disk(running), on_disk);
    EXPECT_GE(look_at(running, random).ids.size(), 100U);
    running.close();
    on_disk = !on_disk;
  }
}

}  // namespace
}  // namespace vexfs
