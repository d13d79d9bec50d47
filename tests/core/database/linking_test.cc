// SPDX-License-Identifier: Apache-2.0
// Graphs behind the database: searches while points come and go and are linked.
#include <algorithm>
#include <map>
#include <random>

#include "core/base/limits.h"
#include "tests/core/database/world.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

constexpr std::uint32_t dim = 16;
constexpr std::uint32_t k = 10;

/// A collection that has a graph from a few hundred points on, and is searched by it.
collection_config graph_config_of(distance metric) {
  collection_config config = dense_config(dim, metric);
  config.optimizers_config.indexing_threshold = 20;  // kilobytes: 320 points
  config.hnsw_config.full_scan_threshold = 10;
  return config;
}

/// What a client knows about its points, and the truth about its searches.
class client {
 public:
  client(database& data, distance metric, std::uint64_t seed, float spread = 1)
      : data_(data), metric_(metric), random_(seed) {
    for (auto& center : centers_)
      for (float& value : center)
        value = spread * normal_(random_);
  }

  /// In clustered order: neighbours come one after another.
  std::vector<float> vector_near(std::uint64_t cluster) {
    std::vector<float> values(dim);
    for (std::uint32_t d = 0; d < dim; ++d)
      values[d] = centers_[cluster % centers_.size()][d] + 0.4F * normal_(random_);
    return values;
  }

  io::task<void> upsert(std::uint64_t first, std::uint64_t last) {
    upsert_builder points;
    for (std::uint64_t id = first; id < last; ++id) {
      known_[id] = vector_near(id / 100);
      points.add(id, known_[id]);
    }
    const auto operation = points.operation();
    arena memory;
    auto updating = data_.update("c", operation, {}, memory);
    EXPECT_TRUE(co_await updating);
  }

  io::task<void> remove(std::vector<std::uint64_t> gone) {
    std::vector<point_id> ids;
    for (const std::uint64_t id : gone) {
      known_.erase(id);
      ids.push_back(point_id::from_number(id));
    }
    const update_operation removal = delete_points{{ids, nullptr}};
    arena memory;
    auto updating = data_.update("c", removal, {}, memory);
    EXPECT_TRUE(co_await updating);
  }

  /// The share of the true nearest that a batch of searches finds; every answer must be a point
  /// that is there, with its true score, in order.
  io::task<double> recall(std::uint32_t count, bool exact) {
    std::vector<std::vector<float>> targets;
    for (std::uint32_t i = 0; i < count; ++i)
      targets.push_back(vector_near(random_()));
    std::vector<query_request> requests(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      vector_value target;
      target.values = targets[i];
      requests[i].what = nearest_query{target, {}};
      requests[i].limit = k;
      requests[i].params.exact = exact;
    }
    arena memory;
    auto querying = data_.query("c", requests, memory);
    const auto answers = co_await querying;
    EXPECT_TRUE(answers);
    std::size_t hits = 0;
    std::size_t wanted = 0;
    for (std::uint32_t i = 0; answers && i < count; ++i) {
      const auto truth = nearest(targets[i]);
      wanted += truth.size();
      EXPECT_EQ((*answers)[i].size(), truth.size());
      for (const record& hit : (*answers)[i]) {
        const auto place = known_.find(hit.id.low);
        if (place == known_.end()) {
          ADD_FAILURE() << "answered a point that is not there: " << hit.id.text();
          continue;
        }
        const float score = score_between(targets[i], place->second);
        EXPECT_NEAR(hit.score, score, 1e-3F * std::max(1.0F, std::abs(score)));
        hits += static_cast<std::size_t>(std::ranges::count(truth, hit.id.low));
      }
    }
    co_return wanted == 0 ? 1.0 : static_cast<double>(hits) / static_cast<double>(wanted);
  }

  [[nodiscard]] std::size_t size() const { return known_.size(); }
  [[nodiscard]] std::vector<std::uint64_t> some_ids(std::size_t count) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, vector] : known_)
      ids.push_back(id);
    std::ranges::shuffle(ids, random_);
    ids.resize(std::min(count, ids.size()));
    return ids;
  }

 private:
  float score_between(const std::vector<float>& left, const std::vector<float>& right) const {
    double sum = 0;
    for (std::uint32_t d = 0; d < dim; ++d) {
      const double difference = double{left[d]} - right[d];
      sum += metric_ == distance::euclid ? difference * difference : double{left[d]} * right[d];
    }
    return static_cast<float>(metric_ == distance::euclid ? std::sqrt(sum) : sum);
  }
  std::vector<std::uint64_t> nearest(const std::vector<float>& target) const {
    std::vector<std::pair<float, std::uint64_t>> all;
    for (const auto& [id, vector] : known_) {
      const float score = score_between(target, vector);
      all.emplace_back(metric_ == distance::euclid ? score : -score, id);
    }
    std::ranges::sort(all);
    all.resize(std::min<std::size_t>(all.size(), k));
    std::vector<std::uint64_t> ids;
    for (const auto& [score, id] : all)
      ids.push_back(id);
    return ids;
  }

  database& data_;
  const distance metric_;
  std::mt19937_64 random_;
  std::normal_distribution<float> normal_;
  std::array<std::array<float, dim>, 23> centers_{};
  std::map<std::uint64_t, std::vector<float>> known_;
};

io::task<void> create(database& data, collection_config config) {
  auto creating = data.create_collection("c", std::move(config));
  EXPECT_TRUE(co_await creating);
}

io::task<collection_info> info_of(database& data) {
  auto asking = data.info("c");
  auto info = co_await asking;
  EXPECT_TRUE(info);
  co_return info ? *info : collection_info{};
}

/// Until everything is linked; cores that wait for it are idle.
io::task<void> wait_until_linked(database& data) {
  for (int waits = 0; waits < 100'000; ++waits) {
    auto asking = info_of(data);
    if ((co_await asking).status == collection_status::green) co_return;
    co_await io::loop::current().sleep_until(io::loop::current().now() +
                                             std::chrono::milliseconds(1));
  }
  ADD_FAILURE() << "linking does not end";
}

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

io::task<void> close(database& data, std::uint32_t core_count) {
  for (std::uint32_t core = 0; core < core_count; ++core)
    EXPECT_TRUE(co_await io::call_on(core, [&] { return data.close(); }));
}

TEST(linking_test, points_are_found_at_every_moment_of_a_load_and_after_it) {
  for (const distance metric : {distance::euclid, distance::dot}) {
    for (const std::uint64_t seed : seeds(2)) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      io::simulated_storage disk(seed);
      world running(disk, 2, seed);
      running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
        auto creating = create(data, graph_config_of(metric));
        co_await creating;
        client points(data, metric, seed);
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
      auto creating = create(data, graph_config_of(distance::euclid));
      co_await creating;
      client points(data, distance::euclid, seed);
      auto inserting = points.upsert(0, 3000);
      co_await inserting;
      auto linking = wait_until_linked(data);
      co_await linking;
      std::uint64_t next = 3000;
      for (int round = 0; round < 6; ++round) {
        auto removing = points.remove(points.some_ids(900));
        co_await removing;
        auto searching = points.recall(16, false);
        EXPECT_GE(co_await searching, 0.95) << "after the deletes of round " << round;
        // Half of them in the same turn, half when the dead have been taken out.
        auto first = points.upsert(next, next + 450);
        co_await first;
        auto relinking = wait_until_linked(data);
        co_await relinking;
        auto second = points.upsert(next + 450, next + 900);
        co_await second;
        next += 900;
        auto again = points.recall(16, false);
        EXPECT_GE(co_await again, 0.95) << "after round " << round;
        auto exact = points.recall(4, true);
        EXPECT_EQ(co_await exact, 1.0);
      }
      auto closing = close(data, 2);
      co_await closing;
    });
  }
}

TEST(linking_test, memory_does_not_grow_over_rounds_of_churn_without_a_pause) {
  constexpr std::uint64_t count = 3000;
  for (const std::uint64_t seed : seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
      auto creating = create(data, graph_config_of(distance::euclid));
      co_await creating;
      client points(data, distance::euclid, seed);
      auto inserting = points.upsert(0, count);
      co_await inserting;
      auto linking = wait_until_linked(data);
      co_await linking;
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

TEST(linking_test, deletes_do_not_wait_for_what_has_died) {
  io::simulated_storage disk(1);
  world running(disk, 1, 1);
  running.run(0, [&](database& data) -> io::task<void> {
    auto creating = create(data, graph_config_of(distance::euclid));
    co_await creating;
    client points(data, distance::euclid, 1);
    auto inserting = points.upsert(0, 3000);
    co_await inserting;
    auto linking = wait_until_linked(data);
    co_await linking;
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

TEST(linking_test, a_write_that_waits_for_slots_is_answered_though_its_collection_goes) {
  std::uint32_t waiting_count = 0;
  for (const std::uint64_t seed : seeds(8)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
      auto creating = create(data, graph_config_of(distance::dot));
      co_await creating;
      client points(data, distance::dot, seed);
      auto inserting = points.upsert(0, 3000);
      co_await inserting;
      auto linking = wait_until_linked(data);
      co_await linking;
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
      for (int waits = 0; waits < 10'000 && !answered; ++waits)
        co_await io::loop::current().sleep_until(io::loop::current().now() +
                                                 std::chrono::milliseconds(1));
      EXPECT_TRUE(answered);
    });
  }
  EXPECT_GT(waiting_count, 0U);
}

TEST(linking_test, a_start_answers_from_its_log_at_once_and_links_afterwards) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  io::simulated_storage disk(seed);
  {
    world running(disk, 2, seed);
    running.run(0, [&](database& data) -> io::task<void> {
      auto creating = create(data, graph_config_of(distance::dot));
      co_await creating;
      client filling(data, distance::dot, seed);
      auto inserting = filling.upsert(0, 3000);
      co_await inserting;
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
      client points(data, distance::euclid, 1);
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

TEST(linking_test, neighbours_are_told_apart_where_they_differ_little_for_their_length) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  io::simulated_storage disk(seed);
  world running(disk, 2, seed);
  running.run(0, [&](database& data) -> io::task<void> {
    auto creating = create(data, graph_config_of(distance::euclid));
    co_await creating;
    client points(data, distance::euclid, seed, 3);
    auto inserting = points.upsert(0, 4000);
    co_await inserting;
    auto linking = wait_until_linked(data);
    co_await linking;
    auto searching = points.recall(100, false);
    EXPECT_GE(co_await searching, 0.95);
    auto closing = close(data, 2);
    co_await closing;
  });
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
        auto creating = create(data, graph_config_of(distance::euclid));
        co_await creating;
        client points(data, distance::euclid, seed);
        auto inserting = points.upsert(0, 3000);
        co_await inserting;
        auto linking = wait_until_linked(data);
        co_await linking;
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

TEST(linking_test, a_graph_is_dropped_and_made_again_under_searches) {
  for (const std::uint64_t seed : seeds(4)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(0, [&](database& data) -> io::task<void> {
      auto creating = create(data, graph_config_of(distance::dot));
      co_await creating;
      client points(data, distance::dot, seed);
      auto inserting = points.upsert(0, 1500);
      co_await inserting;
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
      while (!ended)
        co_await io::loop::current().sleep_until(io::loop::current().now() +
                                                 std::chrono::milliseconds(1));
      auto closing = close(data, 2);
      co_await closing;
    });
  }
}

TEST(linking_test, a_collection_goes_though_no_core_is_ever_idle) {
  io::simulated_storage disk(1);
  world running(disk, 2, 1);
  running.run(0, [&](database& data) -> io::task<void> {
    auto creating = create(data, graph_config_of(distance::dot));
    co_await creating;
    client points(data, distance::dot, 1);
    auto inserting = points.upsert(0, 3000);
    co_await inserting;
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
        auto creating = create(data, graph_config_of(distance::dot));
        co_await creating;
        client points(data, distance::dot, seed);
        auto inserting = points.upsert(0, 1000);
        co_await inserting;
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
