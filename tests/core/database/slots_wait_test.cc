// SPDX-License-Identifier: Apache-2.0
// Slots that a graph holds are bounded: writes wait for some to come back.
#include <algorithm>
#include <random>

#include "core/base/limits.h"
#include "tests/core/database/graph_client.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

/// Slots that the graph holds: of points, and of what was removed and has not been given back.
io::task<std::uint64_t> held_slots(database& data) {
  arena memory;
  auto reporting = data.report("c", memory);
  const auto report = co_await reporting;
  EXPECT_TRUE(report && report->front().graph);
  if (!report || !report->front().graph) co_return 0;
  const graph_state& graph = *report->front().graph;
  co_return std::uint64_t{graph.linked_count} + graph.dead_count + graph.tail_count;
}

/// How many a collection may hold that had so many points at most.
constexpr std::uint64_t slots_max(std::uint64_t points) {
  return points + points / slot_spare_one_in + slot_spare_min;
}

TEST(slots_wait_test, memory_does_not_grow_over_rounds_of_churn_without_a_pause) {
  constexpr std::uint64_t count = 3000;
  for (const std::uint64_t seed : seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
      graph_client points(data, distance::euclid, seed);
      auto beginning = points.begin_linked(count);
      co_await beginning;
      std::uint64_t most_held = 0;
      std::uint64_t next = count;
      for (int round = 0; round < 8; ++round) {
        // Points that go and others that come, or new vectors for those that are there.
        std::uint64_t first = next;
        if (round % 2 == 0) {
          auto removing = points.remove(points.some_ids(1000));
          co_await removing;
        } else {
          first -= 1000;
        }
        for (std::uint64_t id = first; id < first + 1000; id += 100) {
          auto writing = points.upsert(id, id + 100);
          co_await writing;
          auto counting = held_slots(data);
          most_held = std::max(most_held, co_await counting);
        }
        next = first + 1000;
        auto searching = points.recall(8, false);
        EXPECT_GE(co_await searching, 0.95) << "after round " << round;
      }
      EXPECT_EQ(points.size(), count);
      EXPECT_LE(most_held, slots_max(count));
      auto closing = close(data, 2);
      co_await closing;
    });
  }
}

TEST(slots_wait_test, deletes_do_not_wait_for_what_has_died) {
  io::simulated_storage disk(1);
  world running(disk, 1, 1);
  running.run(0, [&](database& data) -> io::task<void> {
    graph_client points(data, distance::euclid, 1);
    auto beginning = points.begin_linked(3000);
    co_await beginning;
    for (int round = 0; round < 6; ++round) {
      auto removing = points.remove(points.some_ids(500));
      co_await removing;
    }
    EXPECT_EQ(points.size(), 0U);
    auto counting = held_slots(data);
    EXPECT_GT(co_await counting, 1500U);
    auto closing = close(data, 1);
    co_await closing;
  });
}

TEST(slots_wait_test, a_write_that_waits_for_slots_is_answered_though_its_collection_goes) {
  std::uint32_t waiting_count = 0;
  for (const std::uint64_t seed : seeds(8)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
      graph_client points(data, distance::dot, seed);
      auto beginning = points.begin_linked(3000);
      co_await beginning;
      bool answered = false;
      const auto write = [&]() -> io::detached {
        auto writing = points.upsert(0, 3000);
        co_await writing;
        answered = true;
      };
      write();
      // After a third of its groups it has used up the spare slots.
      const std::uint64_t turns = 3000 / apply_group_points + seed % 100;
      for (std::uint64_t turn = 0; turn < turns; ++turn)
        co_await io::loop::current().yield();
      waiting_count += !answered;
      if (seed % 2 == 0) {
        auto deleting = data.delete_collection("c");
        EXPECT_TRUE(co_await deleting);
      } else {
        auto closing = close(data, 2);
        co_await closing;
      }
      for (int waits = 0; waits < 10'000 && !answered; ++waits) {
        auto waiting = wait_a_little();
        co_await waiting;
      }
      EXPECT_TRUE(answered);
    });
  }
  EXPECT_GT(waiting_count, 0U);
}

}  // namespace
}  // namespace vexfs
