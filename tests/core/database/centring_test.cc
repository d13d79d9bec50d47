// SPDX-License-Identifier: Apache-2.0
#include "core/database/centring.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <set>

#include "core/base/limits.h"
#include "core/database/collection_report.h"
#include "tests/core/database/world.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

constexpr std::uint32_t dim = 8;
constexpr std::uint32_t k = 10;

std::vector<float> rows_around(float center, float spread, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> rows(count * dim);
  for (float& value : rows)
    value = center + spread * normal(random);
  return rows;
}

TEST(centring_test, a_centre_is_the_mean_of_rows_that_lie_far_from_zero) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (const float size : {1e-30F, 1.0F, 1e25F}) {
    const auto rows = rows_around(20 * size, size, 200, seed);
    const auto found = better_centre(rows, dim, {}, centre_gain_min);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), dim);
    for (const float value : *found)
      EXPECT_NEAR(value, 20 * size, size / 2);
    // It stays, also for others of the kind, and goes where these do.
    EXPECT_FALSE(better_centre(rows, dim, *found, centre_gain_min));
    EXPECT_FALSE(
        better_centre(rows_around(20 * size, size, 200, seed + 1), dim, *found, centre_gain_min));
    const auto moved = better_centre(rows_around(-90 * size, size, 200, seed), dim, *found, 8);
    ASSERT_TRUE(moved);
    EXPECT_NEAR(moved->front(), -90 * size, size / 2);
  }
}

TEST(centring_test, a_centre_stays_for_other_samples_of_few_long_rows) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr std::uint32_t long_dim = 8192;
  const auto sample = [](float center, std::uint64_t of) {
    return rows_around(center, 1, centre_sample_rows_min * long_dim / dim, of);
  };
  const auto found = better_centre(sample(20, seed), long_dim, {}, centre_gain_min);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), long_dim);
  EXPECT_FALSE(better_centre(sample(20, seed + 1), long_dim, *found, centre_gain_min));
  EXPECT_TRUE(better_centre(sample(22, seed + 1), long_dim, *found, centre_gain_min));
}

TEST(centring_test, rows_around_zero_have_their_centre_there) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  const auto rows = rows_around(0.1F, 1, 200, seed);
  EXPECT_FALSE(better_centre(rows, dim, {}, centre_gain_min));
  // Also where those that came first lay elsewhere.
  const std::vector<float> earlier(dim, 1);
  const auto found = better_centre(rows, dim, earlier, centre_gain_min);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
  EXPECT_FALSE(better_centre(rows, dim, earlier, centre_gain_min_long));
}

TEST(centring_test, rows_that_a_centre_does_not_help_have_none) {
  EXPECT_FALSE(better_centre(std::vector<float>(64 * dim, 5), dim, {}, centre_gain_min));
  EXPECT_FALSE(better_centre(std::vector<float>(64 * dim, 0), dim, {}, centre_gain_min));
  constexpr float largest = std::numeric_limits<float>::max();
  std::vector<float> huge = rows_around(largest / 2, largest / 100, 64, 1);
  EXPECT_FALSE(better_centre(huge, dim, {}, centre_gain_min));
  // The largest centre that there is takes no row out of the numbers.
  EXPECT_EQ(largest + centre_value_max, largest);
  EXPECT_EQ(-largest - centre_value_max, -largest);
}

double distance_between(std::span<const float> left, std::span<const float> right,
                        distance metric) {
  double sum = 0;
  double squares = 0;
  for (std::uint32_t d = 0; d < dim; ++d) {
    const double difference = double{left[d]} - right[d];
    sum += std::abs(difference);
    squares += difference * difference;
  }
  return metric == distance::manhattan ? sum : std::sqrt(squares);
}

/// A client whose points lie far from zero, later ones perhaps farther, and the truth about them.
class far_client {
 public:
  explicit far_client(std::uint64_t seed, bool drifts = false, distance metric = distance::euclid)
      : random_(seed), drifts_(drifts), metric_(metric) {}

  static collection_config config(bool on_disk, distance metric = distance::euclid) {
    collection_config made = dense_config(dim, metric);
    made.vectors.params[""].on_disk = on_disk;
    made.optimizers_config.indexing_threshold = 15;  // kilobytes: 480 points
    made.hnsw_config.full_scan_threshold = 10;
    return made;
  }

  /// Where points drift, they are around another place each time that it is looked where they lie.
  std::vector<float> vector_of_age(std::uint64_t id) {
    const float places[] = {50, 2000, 30000};
    const std::size_t age = drifts_ ? (id >= 320) + (id >= 1100) : 1;
    std::vector<float> values(dim);
    for (float& value : values)
      value = places[age] + normal_(random_);
    return values;
  }

  io::task<result<void>> create(database& data, bool on_disk) {
    auto creating = data.create_collection("c", config(on_disk, metric_));
    co_return co_await creating;
  }

  /// So many new points, and some old ones once more, which move to other slots.
  io::task<void> write(database& data, std::uint64_t count, bool with_old = true) {
    upsert_builder upsert;
    for (std::uint64_t i = 0; i < count; ++i) {
      vectors_.push_back(vector_of_age(vectors_.size()));
      upsert.add(vectors_.size() - 1, vectors_.back());
    }
    for (std::uint64_t i = 0; with_old && known_ > 0 && i < count / 8; ++i) {
      const std::uint64_t id = random_() % known_;
      upsert.add(id, vectors_[id]);
    }
    const auto operation = upsert.operation();
    arena memory;
    auto updating = data.update("c", operation, {}, memory);
    const auto updated = co_await updating;
    EXPECT_TRUE(updated);
    known_ = vectors_.size();
  }

  /// Searches near points of every age. What exact ones answer must be the truth of some moment
  /// while they ran. The share of the truth that the others find.
  io::task<double> search(database& data, std::uint32_t count, bool exact) {
    const std::uint64_t known_before = known_;
    std::vector<query_request> requests(count);
    std::vector<std::vector<float>> targets;
    for (query_request& request : requests) {
      targets.push_back(vectors_[random_() % known_before]);
      for (float& value : targets.back())
        value += normal_(random_) / 2;
      vector_value target;
      target.values = targets.back();
      request.what = nearest_query{target, {}};
      request.limit = k;
      request.params.exact = exact;
    }
    arena memory;
    auto querying = data.query("c", requests, memory);
    const auto answers = co_await querying;
    EXPECT_TRUE(answers);
    std::size_t hits = 0;
    for (std::uint32_t i = 0; answers && i < count; ++i) {
      std::set<std::uint64_t> found;
      double farthest = 0;
      EXPECT_EQ((*answers)[i].size(), k);
      for (const record& hit : (*answers)[i]) {
        EXPECT_TRUE(found.insert(hit.id.low).second) << "twice: " << hit.id.low;
        EXPECT_LT(hit.id.low, vectors_.size());
        if (hit.id.low >= vectors_.size()) continue;
        const double score = distance_between(targets[i], vectors_[hit.id.low], metric_);
        EXPECT_NEAR(hit.score, score, 1e-5 * score);
        farthest = std::max(farthest, score);
      }
      std::vector<double> truth;
      for (std::uint64_t id = 0; id < known_before; ++id) {
        truth.push_back(distance_between(targets[i], vectors_[id], metric_));
        if (exact && truth.back() < farthest * (1 - 1e-5)) {
          EXPECT_TRUE(found.contains(id)) << "lost: " << id;
        }
      }
      std::ranges::nth_element(truth, truth.begin() + k - 1);
      for (const std::uint64_t id : found)
        hits += distance_between(targets[i], vectors_[id], metric_) <= truth[k - 1] * (1 + 1e-5);
    }
    co_return static_cast<double>(hits) / (k * count);
  }

  [[nodiscard]] std::uint64_t known() const { return known_; }

 private:
  std::mt19937_64 random_;
  const bool drifts_;
  const distance metric_;
  std::normal_distribution<float> normal_;
  std::vector<std::vector<float>> vectors_;
  std::uint64_t known_ = 0;  // acknowledged
};

io::task<double> centre_of(database& data) {
  arena memory;
  auto reporting = data.report("c", memory);
  const auto reports = co_await reporting;
  EXPECT_TRUE(reports);
  co_return reports ? reports->front().centre_from_zero.value_or(0) : -1;
}

TEST(centring_test, no_point_is_lost_or_doubled_while_codes_are_taken_around_other_centres) {
  for (const auto& [on_disk, metric] :
       {std::pair{false, distance::euclid}, std::pair{true, distance::euclid},
        std::pair{false, distance::manhattan}}) {
    for (const std::uint64_t seed : seeds(2)) {
      SCOPED_TRACE("seed " + std::to_string(seed) + (on_disk ? " on disk" : "") +
                   (metric == distance::manhattan ? " Manhattan" : ""));
      io::simulated_storage disk(seed);
      world running(disk, 2, seed);
      running.run(static_cast<std::uint32_t>(seed % 2), [&](database& data) -> io::task<void> {
        far_client points(seed, true, metric);
        auto creating = points.create(data, on_disk);
        EXPECT_TRUE(co_await creating);
        auto beginning = points.write(data, 100);
        co_await beginning;
        bool stop = false;
        int searchers = 0;
        const auto keep_searching = [&](bool exact) -> io::detached {
          ++searchers;
          while (!stop) {
            auto searching = points.search(data, 2, exact);
            co_await searching;
            co_await io::loop::current().sleep_until(io::loop::current().now() +
                                                     std::chrono::microseconds(200));
          }
          --searchers;
        };
        for (const bool exact : {true, false})
          keep_searching(exact);
        std::set<double> centres;
        while (points.known() < 4500) {
          auto writing = points.write(data, 100);
          co_await writing;
          if (points.known() % 500 != 0) continue;
          auto asking = centre_of(data);
          centres.insert(co_await asking);
        }
        stop = true;
        while (searchers > 0)
          co_await io::loop::current().sleep_until(io::loop::current().now() +
                                                   std::chrono::milliseconds(1));
        // Of each time that it was looked.
        EXPECT_EQ(centres.size(), 3U);
      });
      running.close();
    }
  }
}

TEST(centring_test, a_start_finds_the_centre_of_before_on_any_number_of_cores) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  io::simulated_storage disk(seed);
  far_client points(seed);
  double centre = 0;
  for (const std::uint32_t cores : {2U, 1U, 2U}) {
    world running(disk, cores, seed + cores);
    EXPECT_EQ(running.failure, "");
    running.run(0, [&](database& data) -> io::task<void> {
      if (centre == 0) {
        auto creating = points.create(data, false);
        EXPECT_TRUE(co_await creating);
        for (int i = 0; i < 20; ++i) {
          auto writing = points.write(data, 100);
          co_await writing;
        }
        auto asking = centre_of(data);
        centre = co_await asking;
        EXPECT_GT(centre, 100);
      }
      auto asking = centre_of(data);
      EXPECT_EQ(co_await asking, centre);
      for (const bool exact : {true, false}) {
        auto searching = points.search(data, 50, exact);
        EXPECT_GE(co_await searching, exact ? 1 : 0.9);
      }
    });
    running.close();
  }
}

TEST(centring_test, codes_move_with_points_that_take_the_place_of_deleted_ones) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  io::simulated_storage disk(seed);
  world running(disk, 2, seed);
  running.run(0, [&](database& data) -> io::task<void> {
    auto creating = data.create_collection("c", far_client::config(false));
    EXPECT_TRUE(co_await creating);
    for (const float place : {1000.0F, 0.0F, -300.0F}) {
      // As many that it would not be looked at them for their number.
      std::vector<point_id> ids;
      const auto rows = rows_around(place, 1, 1500, seed);
      for (std::uint64_t id = 0; id < 1500; id += 100) {
        upsert_builder upsert;
        for (std::uint64_t i = id; i < id + 100; ++i) {
          const auto row = std::span(rows).subspan(i * dim, dim);
          upsert.add(i, {row.begin(), row.end()});
          ids.push_back(point_id::from_number(i));
        }
        const auto operation = upsert.operation();
        arena memory;
        auto updating = data.update("c", operation, {}, memory);
        EXPECT_TRUE(co_await updating);
      }
      auto asking = centre_of(data);
      EXPECT_NEAR(co_await asking, std::abs(place) * std::sqrt(dim), 1);
      const update_operation removal = delete_points{{ids, nullptr}};
      arena memory;
      auto updating = data.update("c", removal, {}, memory);
      EXPECT_TRUE(co_await updating);
    }
  });
  running.close();
}

/// A device whose memory ends: of the files that are created, all but some take only so many rows.
class short_device final : public device {
 public:
  static constexpr std::uint32_t enough = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> rows_max;  // of the next files; 0: it is not even created

  result<std::unique_ptr<vector_file>> create(const vector_file_config& config) override {
    ++created;
    std::uint32_t most = enough;
    if (!rows_max.empty()) {
      most = rows_max.front();
      rows_max.erase(rows_max.begin());
    }
    if (most == 0) return fail(errc::insufficient_storage, "out of memory");
    VEXFS_TRY(auto whole, whole_->create(config));
    if (most == enough) return whole;
    return std::unique_ptr<vector_file>(new short_file(std::move(whole), most));
  }
  int created = 0;

 private:
  class short_file final : public vector_file {
   public:
    short_file(std::unique_ptr<vector_file> whole, std::uint32_t most)
        : whole_(std::move(whole)), left_(most) {}
    result<void> insert(std::span<const slot_index> slots,
                        std::span<const slot_generation> generations,
                        std::span<const std::uint32_t> bits) override {
      if (slots.size() > left_) return fail(errc::insufficient_storage, "out of memory");
      left_ -= static_cast<std::uint32_t>(slots.size());
      return whole_->insert(slots, generations, bits);
    }
    void remove(std::span<const slot_index> slots) override { whole_->remove(slots); }
    bool is_free(slot_index slot) const override { return whole_->is_free(slot); }
    result<void> scan(const scan_command& command) const override { return whole_->scan(command); }
    result<void> start_graph(const graph_config& config) override {
      return whole_->start_graph(config);
    }
    void drop_graph() override { whole_->drop_graph(); }
    bool adopt(std::uint32_t rows, std::uint32_t tail) override {
      return whole_->adopt(rows, tail);
    }
    std::optional<graph_state> graph() const override { return whole_->graph(); }
    std::optional<graph_state> next_graph() const override { return whole_->next_graph(); }
    std::uint32_t link(std::uint32_t items, link_order order) override {
      return whole_->link(items, order);
    }
    result<void> search(const search_command& command) const override {
      return whole_->search(command);
    }
    vector_storage storage() const override { return whole_->storage(); }
    std::size_t memory_bytes() const override { return whole_->memory_bytes(); }

   private:
    const std::unique_ptr<vector_file> whole_;
    std::uint32_t left_;
  };
  const std::unique_ptr<device> whole_ = make_embedded_device();
};

TEST(centring_test, codes_stay_as_they_are_where_there_is_no_memory_for_others) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (const std::uint32_t rows : {0U, 1U, 200U}) {
    SCOPED_TRACE("room for " + std::to_string(rows));
    io::simulated_storage disk(seed);
    auto made = std::make_unique<short_device>();
    short_device& machine = *made;
    machine.rows_max = {short_device::enough, rows, rows};
    world running(disk, 2, seed, std::move(made));
    running.run(0, [&](database& data) -> io::task<void> {
      far_client points(seed);
      auto creating = points.create(data, false);
      EXPECT_TRUE(co_await creating);
      double centre = 0;
      while (points.known() < 4200) {
        auto writing = points.write(data, 100);
        co_await writing;
        auto searching = points.search(data, 4, true);
        EXPECT_EQ(co_await searching, 1);
        auto asking = centre_of(data);
        centre = co_await asking;
        // The third time that it is looked there is memory.
        EXPECT_EQ(centre > 0, machine.created == 4);
      }
      EXPECT_GT(centre, 0);
    });
    running.close();
  }
}

TEST(centring_test, codes_stay_as_they_are_where_an_original_cannot_be_read) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  // It is looked twice. The second sample is about every fourth slot, with the first one and
  // without the second one.
  for (const int damaged : {-1, 0, 1}) {
    SCOPED_TRACE("damaged slot " + std::to_string(damaged));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    running.run(0, [&](database& data) -> io::task<void> {
      far_client points(seed);
      auto creating = points.create(data, true);
      EXPECT_TRUE(co_await creating);
      auto beginning = points.write(data, 200);
      co_await beginning;
      if (damaged >= 0) {
        // A record is a row of 32 bytes and its checksum, padded to 48.
        const auto byte = static_cast<std::uint64_t>(damaged) * 48 + 8;
        EXPECT_TRUE(disk.flip_bit("rows/" + disk.list("rows")->front(), byte * 8));
      }
      auto writing = points.write(data, 1800, false);
      co_await writing;
      auto asking = centre_of(data);
      EXPECT_EQ(co_await asking > 0, damaged < 0);
    });
    running.close();
  }
}

TEST(centring_test, a_column_that_few_points_have_is_looked_at) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  io::simulated_storage disk(seed);
  world running(disk, 2, seed);
  running.run(0, [&](database& data) -> io::task<void> {
    collection_config config = far_client::config(false);
    config.vectors.single = false;
    config.vectors.params["rare"] = config.vectors.params[""];
    auto creating = data.create_collection("c", config);
    EXPECT_TRUE(co_await creating);
    const auto rows = rows_around(500, 1, 12'000, seed);
    for (std::uint64_t first = 0; first < 12'000; first += 400) {
      upsert_builder upsert;
      for (std::uint64_t id = first; id < first + 400; ++id) {
        const auto row = std::span(rows).subspan(id * dim, dim);
        upsert.add(id, {row.begin(), row.end()});
        // The first half of the points has none.
        if (id >= 6000 && id % 20 == 0) upsert.vectors.back()->name = "rare";
      }
      const auto operation = upsert.operation();
      arena memory;
      auto updating = data.update("c", operation, {}, memory);
      EXPECT_TRUE(co_await updating);
    }
    arena memory;
    auto reporting = data.report("c", memory);
    const auto reports = co_await reporting;
    EXPECT_TRUE(reports);
    EXPECT_EQ(reports->size(), 2U);
    for (const vector_report& report : *reports)
      EXPECT_NEAR(report.centre_from_zero.value_or(0), 500 * std::sqrt(dim), 1) << report.name;
  });
  running.close();
}

}  // namespace
}  // namespace vexfs
