// SPDX-License-Identifier: Apache-2.0
// Graphs behind the database: searches while points come and go and are linked.
#include "core/database/linking.h"

#include <algorithm>
#include <random>

#include "core/base/limits.h"
#include "tests/core/database/graph_client.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

TEST(linking_test, points_are_found_at_every_moment_of_a_load_and_after_it) {
  for (const distance metric : {distance::euclid, distance::dot}) {
    for (const std::uint64_t seed : seeds(2)) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      io::simulated_storage disk(seed);
      world running(disk, 2, seed);
      running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
        auto creating = create(data, graph_config_of(metric));
        co_await creating;
        graph_client points(data, metric, seed);
        constexpr std::uint64_t step = 250;
        for (std::uint64_t id = 0; id < 6000; id += step) {
          auto inserting = points.upsert(id, id + step);
          co_await inserting;
          auto searching = points.recall(16, false);
          EXPECT_GE(co_await searching, 0.95) << "after " << id + step << " points";
        }
        auto exact = points.recall(16, true);
        EXPECT_EQ(co_await exact, 1.0);
        auto linking = wait_until_linked(data);
        co_await linking;
        auto asking = info_of(data);
        EXPECT_EQ((co_await asking).indexed_vectors_count, points.size());
        auto searching = points.recall(100, false);
        EXPECT_GE(co_await searching, 0.97);
        auto closing = close(data, 2);
        co_await closing;
      });
    }
  }
}

TEST(linking_test, nothing_that_was_deleted_is_answered_and_recall_stays_over_rounds_of_churn) {
  for (const std::uint64_t seed : seeds(2)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
      graph_client points(data, distance::euclid, seed);
      auto beginning = points.begin_linked(3000);
      co_await beginning;
      std::uint64_t next = 3000;
      for (int round = 0; round < 6; ++round) {
        auto removing = points.remove(points.some_ids(900));
        co_await removing;
        auto searching = points.recall(60, false);
        EXPECT_GE(co_await searching, 0.95) << "after the deletes of round " << round;
        // Half of them in the same turn, half when the dead have been taken out.
        auto first = points.upsert(next, next + 450);
        co_await first;
        auto relinking = wait_until_linked(data);
        co_await relinking;
        auto second = points.upsert(next + 450, next + 900);
        co_await second;
        next += 900;
        auto again = points.recall(60, false);
        EXPECT_GE(co_await again, 0.95) << "after round " << round;
        auto exact = points.recall(4, true);
        EXPECT_EQ(co_await exact, 1.0);
      }
      auto closing = close(data, 2);
      co_await closing;
    });
  }
}

TEST(linking_test, a_start_answers_from_its_log_at_once_and_links_afterwards) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  io::simulated_storage disk(seed);
  {
    world running(disk, 2, seed);
    running.run(0, [&](database& data) -> io::task<void> {
      graph_client filling(data, distance::dot, seed);
      auto beginning = filling.begin(3000);
      co_await beginning;
      auto closing = close(data, 2);
      co_await closing;
    });
  }
  world running(disk, 3, seed);
  ASSERT_EQ(running.failure, "");
  running.run(1, [&](database& data) -> io::task<void> {
    auto asking = info_of(data);
    EXPECT_EQ((co_await asking).status, collection_status::yellow);
    query_request request;
    const std::vector<float> values(dim, 1.0F);
    vector_value target;
    target.values = values;
    request.what = nearest_query{target, {}};
    arena memory;
    auto querying = data.query("c", {&request, 1}, memory);
    const auto answers = co_await querying;
    EXPECT_TRUE(answers);
    EXPECT_EQ(answers ? answers->front().size() : 0, 10U);
    auto linking = wait_until_linked(data);
    co_await linking;
    auto again = info_of(data);
    EXPECT_EQ((co_await again).indexed_vectors_count, 3000U);
    auto closing = close(data, 3);
    co_await closing;
  });
}

TEST(linking_test, settings_say_whether_there_is_a_graph_and_may_say_so_later) {
  struct setting {
    const char* what;
    void (*without)(collection_config&);
    void (*with)(collection_change&);
  };
  const setting settings[] = {
      {"m", [](collection_config& config) { config.hnsw_config.m = 0; },
       [](collection_change& change) { change.hnsw_config.emplace().m = 8; }},
      {"no threshold",
       [](collection_config& config) { config.optimizers_config.indexing_threshold = 0; },
       [](collection_change& change) {
         change.optimizers_config.emplace().indexing_threshold = 20;
       }},
      {"a high threshold",
       [](collection_config& config) { config.optimizers_config.indexing_threshold = 1'000'000; },
       [](collection_change& change) {
         change.optimizers_config.emplace().indexing_threshold = 20;
       }},
  };
  for (const setting& one : settings) {
    SCOPED_TRACE(one.what);
    io::simulated_storage disk(1);
    world running(disk, 1, 1);
    running.run(0, [&](database& data) -> io::task<void> {
      collection_config config = graph_config_of(distance::euclid);
      one.without(config);
      auto creating = create(data, std::move(config));
      co_await creating;
      graph_client points(data, distance::euclid, 1);
      auto inserting = points.upsert(0, 1500);
      co_await inserting;
      auto asking = info_of(data);
      const collection_info before = co_await asking;
      EXPECT_EQ(before.indexed_vectors_count, 0U);
      EXPECT_EQ(before.status, collection_status::green);
      auto exact = points.recall(8, false);
      EXPECT_EQ(co_await exact, 1.0);
      collection_change change;
      one.with(change);
      auto changing = data.change_collection("c", change);
      EXPECT_TRUE(co_await changing);
      auto linking = wait_until_linked(data);
      co_await linking;
      auto again = info_of(data);
      EXPECT_EQ((co_await again).indexed_vectors_count, 1500U);
      auto searching = points.recall(50, false);
      EXPECT_GE(co_await searching, 0.95);
      auto closing = close(data, 1);
      co_await closing;
    });
  }
}

/// How many are told apart goes with where the clusters lie: the number here is that of these
/// seeds, measured by this test, and has to follow where it becomes better.
TEST(linking_test, neighbours_are_told_apart_where_they_differ_little_for_their_length) {
  double sum = 0;
  for (const std::uint64_t seed : {1, 2, 3}) {
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(0, [&](database& data) -> io::task<void> {
      graph_client points(data, distance::euclid, seed, 3);
      auto beginning = points.begin_linked(4000);
      co_await beginning;
      auto searching = points.recall(100, false);
      sum += co_await searching;
      auto closing = close(data, 2);
      co_await closing;
    });
  }
  EXPECT_NEAR(sum / 3, 0.984, 0.003);
}

TEST(linking_test, other_settings_make_another_graph_while_the_old_one_answers) {
  struct setting {
    const char* what;
    void (*change)(collection_change&);
  };
  const setting settings[] = {
      {"m", [](collection_change& change) { change.hnsw_config.emplace().m = 24; }},
      {"ef_construct",
       [](collection_change& change) { change.hnsw_config.emplace().ef_construct = 40; }},
      {"m of the vector",
       [](collection_change& change) { change.vectors[""].hnsw_config.emplace().m = 6; }},
  };
  for (const setting& one : settings) {
    for (const std::uint64_t seed : seeds(2)) {
      SCOPED_TRACE(std::string(one.what) + " seed " + std::to_string(seed));
      io::simulated_storage disk(seed);
      world running(disk, 2, seed);
      running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
        graph_client points(data, distance::euclid, seed);
        auto beginning = points.begin_linked(3000);
        co_await beginning;
        arena memory;
        auto reporting = data.report("c", memory);
        const auto before = co_await reporting;
        EXPECT_TRUE(before);
        collection_change change;
        one.change(change);
        auto changing = data.change_collection("c", change);
        EXPECT_TRUE(co_await changing);
        auto asking = info_of(data);
        EXPECT_EQ((co_await asking).status, collection_status::yellow);
        // Writes and deletes meanwhile.
        for (std::uint64_t id = 3000; id < 4500; id += 250) {
          auto removing = points.remove(points.some_ids(100));
          co_await removing;
          auto more = points.upsert(id, id + 250);
          co_await more;
          auto searching = points.recall(16, false);
          EXPECT_GE(co_await searching, 0.95) << "after " << id + 250 << " points";
          auto counting = info_of(data);
          EXPECT_GT((co_await counting).indexed_vectors_count, 0U);
        }
        auto relinking = wait_until_linked(data);
        co_await relinking;
        auto again = info_of(data);
        EXPECT_EQ((co_await again).indexed_vectors_count, points.size());
        auto searching = points.recall(100, false);
        EXPECT_GE(co_await searching, 0.95);
        auto reporting_again = data.report("c", memory);
        const auto after = co_await reporting_again;
        EXPECT_TRUE(after);
        EXPECT_NE(before->front().graph->config, after->front().graph->config);

        collection_change none;
        none.vectors[""].hnsw_config.emplace().m = 0;
        auto dropping = data.change_collection("c", none);
        EXPECT_TRUE(co_await dropping);
        auto waiting = wait_until_linked(data);
        co_await waiting;
        auto last = info_of(data);
        EXPECT_EQ((co_await last).indexed_vectors_count, 0U);
        auto exact = points.recall(16, false);
        EXPECT_EQ(co_await exact, 1.0);
        auto closing = close(data, 2);
        co_await closing;
      });
    }
  }
}

/// Points with so many values that the tail of their graph is as short as one may be.
constexpr std::uint32_t long_dim = tail_code_bytes_max / tail_rows_min;

io::task<void> load_long(database& data, std::uint64_t first, std::uint64_t last,
                         std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  for (std::uint64_t id = first; id < last; id += 50) {
    upsert_builder points;
    for (std::uint64_t one = id; one < id + 50; ++one) {
      std::vector<float> values(long_dim);
      std::ranges::generate(values, [&] { return normal(random); });
      points.add(one, std::move(values));
    }
    const auto operation = points.operation();
    arena memory;
    auto updating = data.update("c", operation, {}, memory);
    EXPECT_TRUE(co_await updating);
  }
}

TEST(linking_test, vectors_of_before_a_graph_have_joined_it_when_as_many_others_have_come) {
  struct setting {
    const char* what;
    std::uint64_t threshold;  // while the vectors of before come
    void (*change)(collection_change&);
    std::uint32_t ef_construct;  // of the graph that they join
  };
  const setting settings[] = {
      {"the first graph", 0,
       [](collection_change& change) {
         change.optimizers_config.emplace().indexing_threshold = 20;
       },
       16},
      {"another graph", 20,
       [](collection_change& change) { change.hnsw_config.emplace().ef_construct = 24; }, 24},
  };
  constexpr std::uint64_t count = 1200;
  for (const setting& one : settings) {
    for (const std::uint64_t seed : seeds(2)) {
      SCOPED_TRACE(std::string(one.what) + " seed " + std::to_string(seed));
      io::simulated_storage disk(seed);
      world running(disk, 2, seed);
      running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
        collection_config config = dense_config(long_dim, distance::dot);
        config.hnsw_config.m = 4;
        config.hnsw_config.ef_construct = 16;
        config.optimizers_config.indexing_threshold = one.threshold;
        auto creating = create(data, std::move(config));
        co_await creating;
        auto filling = load_long(data, 0, count, seed);
        co_await filling;
        auto linking = wait_until_linked(data);
        co_await linking;
        collection_change change;
        one.change(change);
        auto changing = data.change_collection("c", change);
        EXPECT_TRUE(co_await changing);
        // Two clients: behind each write waits another one.
        std::uint32_t ended = 0;
        const auto keep_loading = [&](std::uint64_t first, std::uint64_t last) -> io::detached {
          auto loading = load_long(data, first, last, seed + first);
          co_await loading;
          ++ended;
        };
        keep_loading(count, count + count / 2);
        keep_loading(count + count / 2, 2 * count);
        while (ended < 2)
          co_await io::loop::current().yield();
        arena memory;
        auto reporting = data.report("c", memory);
        const auto report = co_await reporting;
        EXPECT_TRUE(report && report->front().graph);
        if (report && report->front().graph) {
          const graph_state& graph = *report->front().graph;
          EXPECT_TRUE(graph.complete);
          EXPECT_EQ(graph.config.ef_construct, one.ef_construct);
          EXPECT_LE(graph.tail_count, tail_limit(long_dim));
        }
        auto closing = close(data, 2);
        co_await closing;
      });
    }
  }
}

TEST(linking_test, a_graph_is_dropped_and_made_again_under_searches) {
  for (const std::uint64_t seed : seeds(4)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(0, [&](database& data) -> io::task<void> {
      graph_client points(data, distance::dot, seed);
      auto beginning = points.begin(1500);
      co_await beginning;
      bool stop = false;
      bool ended = false;
      const auto keep_changing = [&]() -> io::detached {
        std::mt19937_64 random(seed);
        while (!stop) {
          collection_change change;
          change.hnsw_config.emplace().m = random() % 3 * 8;
          auto changing = data.change_collection("c", change);
          EXPECT_TRUE(co_await changing);
          if (random() % 2 == 0) {
            auto linking = wait_until_linked(data);
            co_await linking;
          }
        }
        ended = true;
      };
      keep_changing();
      for (int turn = 0; turn < 60; ++turn) {
        auto searching = points.recall(8, false);
        EXPECT_GE(co_await searching, 0.9);
      }
      stop = true;
      while (!ended) {
        auto waiting = wait_a_little();
        co_await waiting;
      }
      auto closing = close(data, 2);
      co_await closing;
    });
  }
}

TEST(linking_test, a_collection_goes_though_no_core_is_ever_idle) {
  io::simulated_storage disk(1);
  world running(disk, 2, 1);
  running.run(0, [&](database& data) -> io::task<void> {
    graph_client points(data, distance::dot, 1);
    auto beginning = points.begin(3000);
    co_await beginning;
    bool stop = false;
    std::uint32_t running_count = 0;
    const auto keep_busy = [&](std::uint32_t core) -> io::detached {
      ++running_count;
      co_await io::call_on(core, [&]() -> io::task<bool> {
        while (!stop)
          co_await io::loop::current().yield();
        co_return true;
      });
      --running_count;
    };
    for (const std::uint32_t core : {0U, 1U})
      keep_busy(core);
    const io::clock_time before = io::loop::current().now();
    auto deleting = data.delete_collection("c");
    EXPECT_TRUE(co_await deleting);
    EXPECT_LT(io::loop::current().now() - before, std::chrono::milliseconds(100));
    stop = true;
    while (running_count > 0)
      co_await io::loop::current().yield();
  });
}

TEST(linking_test, a_collection_that_is_deleted_while_it_is_linked_is_gone) {
  for (const std::uint64_t seed : seeds(4)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(0, [&](database& data) -> io::task<void> {
      for (int round = 0; round < 3; ++round) {
        graph_client points(data, distance::dot, seed);
        auto beginning = points.begin(1000);
        co_await beginning;
        auto deleting = data.delete_collection("c");
        const auto deleted = co_await deleting;
        EXPECT_TRUE(deleted && *deleted);
        EXPECT_FALSE(data.exists("c"));
      }
    });
  }
}

}  // namespace
}  // namespace vexfs
