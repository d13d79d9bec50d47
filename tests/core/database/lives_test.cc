// SPDX-License-Identifier: Apache-2.0
// The whole database on simulated cores and a simulated disk, through power cuts and kills: what
// was acknowledged is there again, and what is there is the state after some operation, without
// holes.
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/arena.h"
#include "core/database/database.h"
#include "core/io/simulated_cores.h"
#include "core/io/simulated_storage.h"
#include "ioctl/embedded/embedded_device.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

using point_map = std::map<std::uint64_t, std::string>;  // point number -> payload

collection_config plain_config() {
  collection_config config;
  config.vectors.single = true;
  config.vectors.params[""].size = 4;
  config.vectors.params[""].metric = distance::dot;
  return config;
}

std::string difference(const point_map& found, const point_map& expected) {
  std::string text;
  const auto brief = [](const std::string& payload) { return payload.substr(0, 40); };
  for (const auto& [number, payload] : found) {
    const auto other = expected.find(number);
    if (other == expected.end())
      text += "unexpected " + std::to_string(number) + " " + brief(payload) + "\n";
    else if (other->second != payload)
      text += "differs " + std::to_string(number) + " " + brief(payload) + ", not " +
              brief(other->second) + "\n";
  }
  for (const auto& [number, payload] : expected)
    if (!found.contains(number))
      text += "missing " + std::to_string(number) + " " + brief(payload) + "\n";
  return text;
}

/// One client's operations in order, and how far they are known to be safe.
class history {
 public:
  explicit history(std::uint64_t seed) : random_(seed) {}

  /// Applies a drawn operation to the database and to the model.
  io::task<void> operate(database& data) {
    arena memory;
    point_map next = states_.back();
    update_operation operation;
    const std::size_t count = 1 + random_() % 5;
    if (random_() % 4 == 0) {
      const auto ids = memory.array<point_id>(count);
      for (point_id& id : ids) {
        const std::uint64_t number = random_() % 30;
        id = point_id::from_number(number);
        next.erase(number);
      }
      operation = delete_points{.selector = {.ids = ids, .condition = nullptr}};
    } else {
      const auto points = memory.array<point_struct>(count);
      for (point_struct& point : points) {
        const std::uint64_t number = random_() % 30;
        const auto values = memory.array<float>(4);
        for (float& value : values)
          value = static_cast<float>(random_() % 100);
        const auto vectors = memory.array<named_vector>(1);
        vectors[0].value.values = values;
        const std::size_t padding = random_() % 8 == 0 ? random_() % 5000 : 0;
        const std::string payload = "{\"n\":" + std::to_string(++writes_) + ",\"pad\":\"" +
                                    std::string(padding, 'p') + "\"}";
        point = {point_id::from_number(number), vectors, memory.copy(payload)};
        next[number] = payload;
      }
      operation = upsert_points{.points = points, .update_filter = nullptr};
    }
    // Known to the model before it is known to be done: it may survive without an answer.
    states_.push_back(std::move(next));
    const std::size_t index = states_.size() - 1;
    const bool wait = random_() % 3 == 0;
    auto updating = data.update("c", operation, write_options{.wait = wait}, memory);
    const auto updated = co_await updating;
    if (!updated) co_return;
    acknowledged_ = index;
    if (wait) durable_ = index;
  }

  /// The database's points must be the state after an operation that is not older than `known`.
  io::task<void> check(database& data, bool killed) {
    arena memory;
    scroll_request all;
    all.limit = 1000;
    auto scrolling = data.scroll("c", all, memory);
    const auto scrolled = co_await scrolling;
    EXPECT_TRUE(scrolled) << scrolled.error().text;
    if (!scrolled) co_return;
    point_map found;
    for (const record& point : scrolled->points)
      found[point.id.low] = std::string(point.payload.value_or("{}"));
    const std::size_t known = killed ? acknowledged_ : durable_;
    std::optional<std::size_t> reached;
    for (std::size_t index = states_.size(); index-- > known && !reached;)
      if (states_[index] == found) reached = index;
    EXPECT_TRUE(reached) << found.size() << " points are no state from operation " << known
                         << " to " << states_.size() - 1 << "\n"
                         << difference(found, states_[known]);
    // What was lost never happened.
    states_.resize(reached.value_or(known) + 1);
    acknowledged_ = states_.size() - 1;
    // A power cut leaves only what is on the medium. A kill says nothing about it: what is there
    // now may still be lost, but not before anything later.
    if (!killed) durable_ = acknowledged_;
  }

  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_;
  std::vector<point_map> states_{{}};  // after each operation
  std::uint64_t writes_ = 0;
  std::size_t acknowledged_ = 0;
  std::size_t durable_ = 0;
};

io::task<result<void>> recover_all(database& data, std::uint32_t core_count) {
  for (std::uint32_t core = 0; core < core_count; ++core) {
    const auto recovered = co_await io::call_on(core, [&data] { return data.recover(); });
    if (!recovered) co_return recovered;
  }
  co_return result<void>{};
}

void live_and_die(std::uint64_t seed) {
  history told(seed);
  io::simulated_storage disk(seed);
  bool created = false;
  bool killed = false;
  for (int life = 0; life < 4; ++life) {
    SCOPED_TRACE("life " + std::to_string(life));
    const auto core_count = static_cast<std::uint32_t>(1 + told.random()() % 3);
    io::simulated_cores cores(core_count, seed * 10 + static_cast<std::uint64_t>(life));
    const auto machine = make_embedded_device();
    auto opened = database::open(disk, *machine, {}, core_count);
    ASSERT_TRUE(opened) << opened.error().text;
    database& data = **opened;

    const auto begin = [&]() -> io::task<void> {
      auto recovering = recover_all(data, core_count);
      const auto recovered = co_await recovering;
      EXPECT_TRUE(recovered) << recovered.error().text;
      if (created) {
        auto checking = told.check(data, killed);
        co_await checking;
      } else {
        auto making = data.create_collection("c", plain_config());
        const auto made = co_await making;
        EXPECT_TRUE(made) << made.error().text;
        created = true;
      }
    };
    ASSERT_TRUE(cores.run(0, begin));
    if (testing::Test::HasFailure()) return;

    bool stopping = false;
    const auto client = [&]() -> io::task<void> {
      while (!stopping) {
        auto operating = told.operate(data);
        co_await operating;
      }
    };
    bool ended = false;
    const auto go = [&]() -> io::detached {
      auto running = client();
      co_await running;
      ended = true;
    };
    const auto start = [&]() -> io::task<void> {
      go();
      co_return;
    };
    ASSERT_TRUE(cores.run(0, start));
    for (std::uint64_t turns = told.random()() % 400; turns > 0; --turns)
      cores.step();
    stopping = true;
    killed = told.random()() % 2 == 0;
    if (killed)
      disk.kill();
    else
      disk.crash(told.random()());
    // What is in flight ends with errors; the last life's frames are gone before its database.
    ASSERT_TRUE(cores.run_until_idle(100'000));
    ASSERT_TRUE(ended);
  }
}

TEST(lives_test, acknowledged_writes_survive_power_cuts_and_kills_without_holes) {
  for (const std::uint64_t seed : seeds(60)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    live_and_die(seed);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace vexfs
