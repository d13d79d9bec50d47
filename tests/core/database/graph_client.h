// SPDX-License-Identifier: Apache-2.0
// A client of a collection with a graph.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <vector>

#include "tests/core/database/world.h"

namespace vexfs {

inline constexpr std::uint32_t dim = 16;
inline constexpr std::uint32_t k = 10;

/// A collection that has a graph from a few hundred points on, and is searched by it.
inline collection_config graph_config_of(distance metric) {
  collection_config config = dense_config(dim, metric);
  config.optimizers_config.indexing_threshold = 20;  // kilobytes: 320 points
  config.hnsw_config.full_scan_threshold = 10;
  return config;
}

inline io::task<void> create(database& data, collection_config config) {
  auto creating = data.create_collection("c", std::move(config));
  EXPECT_TRUE(co_await creating);
}

inline io::task<collection_info> info_of(database& data) {
  auto asking = data.info("c");
  auto info = co_await asking;
  EXPECT_TRUE(info);
  co_return info ? *info : collection_info{};
}

/// A moment in which the core is idle.
inline io::task<void> wait_a_little() {
  co_await io::loop::current().sleep_until(io::loop::current().now() +
                                           std::chrono::milliseconds(1));
}

/// Until everything is linked; cores that wait for it are idle.
inline io::task<void> wait_until_linked(database& data) {
  for (int waits = 0; waits < 100'000; ++waits) {
    auto asking = info_of(data);
    if ((co_await asking).status == collection_status::green) co_return;
    auto waiting = wait_a_little();
    co_await waiting;
  }
  ADD_FAILURE() << "linking does not end";
}

/// What a client knows about its points, and the truth about its searches.
class graph_client {
 public:
  graph_client(database& data, distance metric, std::uint64_t seed, float spread = 1)
      : data_(data), metric_(metric), random_(seed) {
    for (auto& center : centers_)
      for (float& value : center)
        value = spread * normal_(random_);
  }

  /// Makes the collection, with so many points.
  io::task<void> begin(std::uint64_t count) {
    auto creating = create(data_, graph_config_of(metric_));
    co_await creating;
    auto inserting = upsert(0, count);
    co_await inserting;
  }

  io::task<void> begin_linked(std::uint64_t count) {
    auto beginning = begin(count);
    co_await beginning;
    auto linking = wait_until_linked(data_);
    co_await linking;
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
      const auto [best_count, enough] = best_of(targets[i]);
      wanted += best_count;
      EXPECT_EQ((*answers)[i].size(), best_count);
      for (const record& hit : (*answers)[i]) {
        const auto place = known_.find(hit.id.low);
        if (place == known_.end()) {
          ADD_FAILURE() << "answered a point that is not there: " << hit.id.text();
          continue;
        }
        const double score = score_between(targets[i], place->second);
        EXPECT_NEAR(hit.score, score, 1e-3 * std::max(1.0, std::abs(score)));
        hits += metric_ == distance::euclid ? score <= enough : score >= enough;
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
  double score_between(const std::vector<float>& left, const std::vector<float>& right) const {
    double sum = 0;
    for (std::uint32_t d = 0; d < dim; ++d) {
      const double difference = double{left[d]} - right[d];
      sum += metric_ == distance::euclid ? difference * difference : double{left[d]} * right[d];
    }
    return metric_ == distance::euclid ? std::sqrt(sum) : sum;
  }
  /// How many the best k are, and the score that is as good as the last one's for a float.
  std::pair<std::size_t, double> best_of(const std::vector<float>& target) const {
    std::vector<double> scores;
    for (const auto& [id, vector] : known_)
      scores.push_back(score_between(target, vector));
    const std::size_t count = std::min<std::size_t>(scores.size(), k);
    if (count == 0) return {0, 0};
    const bool is_distance = metric_ == distance::euclid;
    const auto last = scores.begin() + static_cast<std::ptrdiff_t>(count - 1);
    std::ranges::nth_element(scores, last, [&](double left, double right) {
      return is_distance ? left < right : left > right;
    });
    const double rounding = 1e-6 * std::abs(*last);
    return {count, is_distance ? *last + rounding : *last - rounding};
  }

  database& data_;
  const distance metric_;
  std::mt19937_64 random_;
  std::normal_distribution<float> normal_;
  std::array<std::array<float, dim>, 23> centers_{};
  std::map<std::uint64_t, std::vector<float>> known_;
};

}  // namespace vexfs
