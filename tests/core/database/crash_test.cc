// SPDX-License-Identifier: Apache-2.0
// What a power cut, a failing disk and a full disk leave of acknowledged writes.
#include <random>
#include <set>

#include "tests/core/database/world.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

io::task<result<update_result>> put(database& data, std::uint64_t id, bool wait) {
  arena memory;
  upsert_builder upsert;
  upsert.add(id, {static_cast<float>(id), 1});
  const auto operation = upsert.operation();
  write_options options;
  options.wait = wait;
  auto updating = data.update("c", operation, options, memory);
  co_return co_await updating;
}

std::set<std::uint64_t> stored_ids(world& running) {
  std::set<std::uint64_t> ids;
  running.run(0, [&](database& data) -> io::task<void> {
    if (!data.exists("c")) co_return;
    arena memory;
    scroll_request request;
    request.limit = 100'000;
    auto scrolling = data.scroll("c", request, memory);
    const auto page = co_await scrolling;
    EXPECT_TRUE(page);
    for (const record& found : page->points)
      ids.insert(found.id.low);
  });
  return ids;
}

void create(world& running, bool& created) {
  running.run(0, [&](database& data) -> io::task<void> {
    auto creating = data.create_collection("c", dense_config(2, distance::dot));
    created = (co_await creating).has_value();
  });
}

TEST(crash_test, after_a_power_cut_every_write_with_wait_is_there_and_the_rest_is_a_prefix) {
  for (const std::uint64_t seed : seeds(40)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    io::simulated_storage disk(seed);
    std::uint64_t waited = 0;
    std::uint64_t last = 0;
    {
      world running(disk, 2, seed);
      bool created = false;
      create(running, created);
      ASSERT_TRUE(created);
      const std::uint64_t count = random() % 60 + 1;
      for (std::uint64_t id = 1; id <= count; ++id) {
        const bool wait = random() % 5 == 0;
        running.run(static_cast<std::uint32_t>(random()), [&](database& data) -> io::task<void> {
          auto putting = put(data, id, wait);
          EXPECT_TRUE(co_await putting);
        });
        last = id;
        if (wait) waited = id;
      }
      disk.crash(seed * 31);
    }
    world again(disk, 1 + static_cast<std::uint32_t>(seed % 3), seed + 1);
    ASSERT_EQ(again.failure, "");
    const auto ids = stored_ids(again);
    EXPECT_GE(ids.size(), waited);
    EXPECT_LE(ids.size(), last);
    std::uint64_t expected = 1;
    for (const std::uint64_t id : ids)
      EXPECT_EQ(id, expected++) << "a hole";
  }
}

TEST(crash_test, a_power_cut_takes_no_more_than_the_last_second_of_writes_without_wait) {
  for (const std::uint64_t seed : seeds(20)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    {
      world running(disk, 2, seed);
      bool created = false;
      create(running, created);
      ASSERT_TRUE(created);
      for (std::uint64_t id = 1; id <= 20; ++id)
        running.run(0, [&](database& data) -> io::task<void> {
          auto putting = put(data, id, false);
          EXPECT_TRUE(co_await putting);
          io::loop& here = io::loop::current();
          co_await here.sleep_until(here.now() + std::chrono::milliseconds(100));
        });
      running.run(0, [&](database&) -> io::task<void> {
        io::loop& here = io::loop::current();
        co_await here.sleep_until(here.now() + std::chrono::milliseconds(1100));
      });
      disk.crash(seed);
    }
    world again(disk, 2, seed);
    ASSERT_EQ(again.failure, "");
    EXPECT_EQ(stored_ids(again).size(), 20U);
  }
}

TEST(crash_test, whichever_call_of_the_disk_fails_nothing_acknowledged_is_lost) {
  const std::uint64_t seed = 3;
  const auto scenario = [&](io::simulated_storage& disk, std::set<std::uint64_t>& acknowledged) {
    world running(disk, 2, seed);
    if (!running.failure.empty()) return;
    bool created = false;
    create(running, created);
    if (!created) return;
    for (std::uint64_t id = 1; id <= 8; ++id) {
      running.run(static_cast<std::uint32_t>(id), [&](database& data) -> io::task<void> {
        auto putting = put(data, id, true);
        if (co_await putting) acknowledged.insert(id);
      });
    }
  };
  io::simulated_storage clean(seed);
  std::set<std::uint64_t> all;
  scenario(clean, all);
  ASSERT_EQ(all.size(), 8U);
  for (std::uint64_t call = 1; call <= clean.call_count(); ++call) {
    for (const errc code : {errc::service, errc::insufficient_storage}) {
      SCOPED_TRACE("call " + std::to_string(call));
      io::simulated_storage disk(seed);
      disk.fail_call(call, code);
      std::set<std::uint64_t> acknowledged;
      scenario(disk, acknowledged);
      disk.crash(call);
      world again(disk, 2, seed + 1);
      ASSERT_EQ(again.failure, "");
      const auto ids = stored_ids(again);
      for (const std::uint64_t id : acknowledged)
        EXPECT_TRUE(ids.contains(id)) << id;
    }
  }
}

TEST(crash_test, a_full_disk_refuses_writes_and_reads_go_on) {
  io::simulated_storage disk(5);
  world running(disk, 2, 5);
  bool created = false;
  create(running, created);
  ASSERT_TRUE(created);
  disk.set_capacity_bytes(4096);
  std::uint64_t stored = 0;
  bool refused = false;
  for (std::uint64_t id = 1; id <= 200 && !refused; ++id) {
    running.run(0, [&](database& data) -> io::task<void> {
      auto putting = put(data, id, false);
      const auto outcome = co_await putting;
      if (outcome) {
        stored = id;
        co_return;
      }
      refused = true;
      EXPECT_EQ(outcome.error().code, errc::insufficient_storage);
    });
  }
  EXPECT_TRUE(refused);
  EXPECT_EQ(stored_ids(running).size(), stored);
  // Room again: writes go on, and what was refused has left nothing behind.
  disk.set_capacity_bytes(UINT64_MAX);
  running.run(1, [&](database& data) -> io::task<void> {
    auto putting = put(data, 1000, true);
    EXPECT_TRUE(co_await putting);
  });
  disk.crash(1);
  world again(disk, 2, 6);
  ASSERT_EQ(again.failure, "");
  const auto ids = stored_ids(again);
  EXPECT_EQ(ids.size(), stored + 1);
  EXPECT_TRUE(ids.contains(1000));
}

TEST(crash_test, what_a_full_disk_refused_does_not_come_back_after_a_kill) {
  io::simulated_storage disk(8);
  world running(disk, 1, 8);
  bool created = false;
  create(running, created);
  ASSERT_TRUE(created);
  // Room for the first of two records that go out in one write.
  disk.set_capacity_bytes(1 << 20);
  disk.set_capacity_bytes((1 << 20) - *disk.free_bytes() + 150);
  running.run(0, [&](database& data) -> io::task<void> {
    int refused = 0;
    const auto insert = [&](std::uint64_t id, std::string payload) -> io::detached {
      arena memory;
      upsert_builder upsert;
      upsert.add(id, {1, 2}, std::move(payload));
      const auto operation = upsert.operation();
      auto updating = data.update("c", operation, {}, memory);
      const auto outcome = co_await updating;
      EXPECT_FALSE(outcome);
      ++refused;
    };
    insert(1, "");
    insert(2, "{\"p\":\"" + std::string(5000, 'p') + "\"}");
    while (refused < 2)
      co_await io::loop::current().yield();
  });
  disk.kill();
  disk.set_capacity_bytes(UINT64_MAX);
  world again(disk, 1, 9);
  ASSERT_EQ(again.failure, "");
  EXPECT_TRUE(stored_ids(again).empty());
}

TEST(crash_test, damage_in_the_log_stops_the_collections_that_it_can_have_hit_and_no_others) {
  io::simulated_storage disk(10);
  const auto write_to = [](world& running, const std::string& name) {
    bool written = false;
    running.run(0, [&](database& data) -> io::task<void> {
      arena memory;
      upsert_builder upsert;
      upsert.add(1, {1, 2});
      const auto operation = upsert.operation();
      auto updating = data.update(name, operation, {.wait = true}, memory);
      written = (co_await updating).has_value();
    });
    return written;
  };
  const auto create_named = [](world& running, const std::string& name) {
    running.run(0, [&](database& data) -> io::task<void> {
      auto creating = data.create_collection(name, dense_config(2, distance::dot));
      EXPECT_TRUE(co_await creating);
    });
  };
  {
    // Of two cores: "first" has the log of core 1, "second" that of core 0.
    world running(disk, 2, 10);
    for (const char* name : {"first", "second"}) {
      create_named(running, name);
      for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(write_to(running, name));
    }
    disk.kill();
  }
  ASSERT_TRUE(disk.flip_bit("wal/1-00000000000000000001.log", 8 * 30));
  {
    world running(disk, 3, 11);
    ASSERT_EQ(running.failure, "");
    EXPECT_FALSE(write_to(running, "first"));
    EXPECT_TRUE(write_to(running, "second"));
    create_named(running, "third");
    disk.kill();
  }
  world running(disk, 1, 12);
  ASSERT_EQ(running.failure, "");
  EXPECT_FALSE(write_to(running, "first"));
  EXPECT_TRUE(write_to(running, "second"));
  EXPECT_TRUE(write_to(running, "third"));
}

}  // namespace
}  // namespace vexfs
