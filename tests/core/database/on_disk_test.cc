// SPDX-License-Identifier: Apache-2.0
// Originals of dense vectors on the disk: the same answers as from memory, or none.
#include <algorithm>
#include <array>
#include <random>
#include <sstream>

#include "core/database/collection_report.h"
#include "tests/core/database/world.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

constexpr std::uint32_t dim = 16;
constexpr std::uint64_t point_count = 400;
constexpr std::array<std::string_view, 4> names{"whole", "half", "byte", "several"};

/// Vectors of every datatype, one with a graph, and a multivector.
collection_config config_of(bool on_disk) {
  collection_config config;
  const auto add = [&](std::string_view name, distance metric, datatype type) -> vector_params& {
    vector_params& params = config.vectors.params[std::string(name)];
    params.size = dim;
    params.metric = metric;
    params.type = type;
    params.on_disk = on_disk;
    return params;
  };
  add("whole", distance::cosine, datatype::float32);
  add("half", distance::euclid, datatype::float16);
  add("byte", distance::cosine, datatype::uint8);
  add("several", distance::dot, datatype::float32).multivector.emplace();
  config.optimizers_config.indexing_threshold = 10;  // kilobytes: 160 points
  config.hnsw_config.full_scan_threshold = 5;
  return config;
}

void print(std::ostream& out, std::span<const record> records) {
  for (const record& one : records) {
    out << ' ' << one.id.low << ':' << one.score;
    if (!one.vectors) continue;
    for (const named_vector& vector : *one.vectors) {
      out << ' ' << vector.name << '[';
      for (const float value : vector.value.values)
        out << value << ',';
      out << ']';
    }
  }
  out << '\n';
}

/// Which of several points with the last one's score are among the best is for their slots to say.
void print_best(std::ostream& out, std::span<const record> records) {
  std::size_t certain = records.size();
  while (certain > 0 && records[certain - 1].score == records.back().score)
    --certain;
  out << records.size() << ' ';
  print(out, records.first(certain));
}

template <class T>
void print_failure(std::ostream& out, const result<T>& answer) {
  out << "failed: " << answer.error().text << '\n';
}

/// A random client of two collections, "memory" and "disk", that are told the same.
class client {
 public:
  explicit client(std::uint64_t seed) : random_(seed) {}

  std::vector<float> random_values(std::uint32_t count, bool bytes) {
    std::vector<float> values(count);
    for (float& value : values)
      value = bytes ? static_cast<float>(random_() % 256)
                    : static_cast<float>(random_() % 100'001) / 50'000 - 1;
    return values;
  }

  vector_value random_vector(std::string_view name) {
    vector_value value;
    if (name == "several") {
      value.kind = vector_kind::multi;
      value.row_count = 1 + static_cast<std::uint32_t>(random_() % 3);
    }
    const auto values = random_values(value.row_count * dim, name == "byte");
    value.values = memory_.copy(std::span<const float>(values));
    return value;
  }

  /// Some of the names, or all.
  std::span<const named_vector> random_vectors(bool all) {
    const auto vectors = memory_.array<named_vector>(names.size());
    std::size_t count = 0;
    for (const std::string_view name : names)
      if (all || random_() % 2 == 0) vectors[count++] = {name, random_vector(name)};
    return vectors.first(count);
  }

  std::span<const point_id> random_ids(std::size_t count) {
    const auto ids = memory_.array<point_id>(count);
    for (point_id& id : ids)
      id = point_id::from_number(random_() % point_count);
    return ids;
  }

  update_operation upsert(std::uint64_t first, std::uint64_t last) {
    const auto points = memory_.array<point_struct>(last - first);
    for (std::uint64_t id = first; id < last; ++id)
      points[id - first] = {
          point_id::from_number(id), random_vectors(random_() % 8 != 0),
          memory_.copy(std::string_view("{\"n\":" + std::to_string(id % 7) + "}"))};
    return upsert_points{points, nullptr, update_mode::upsert};
  }

  update_operation random_update() {
    switch (random_() % 4) {
      case 0: {
        const std::uint64_t first = random_() % point_count;
        return upsert(first, std::min(first + 1 + random_() % 20, point_count));
      }
      case 1: {
        const auto ids = random_ids(1 + random_() % 5);
        const auto points = memory_.array<point_vectors>(ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i)
          points[i] = {ids[i], random_vectors(false)};
        return update_vectors{points, nullptr};
      }
      case 2:
        return delete_vectors{{random_ids(1 + random_() % 5), nullptr},
                              std::span(names).subspan(random_() % names.size(), 1)};
      default:
        return delete_points{{random_ids(1 + random_() % 10), nullptr}};
    }
  }

  /// Tells both collections; ids that are not there fail in both.
  io::task<void> tell(database& data, const update_operation& operation) {
    arena memory;
    auto first = data.update("memory", operation, {}, memory);
    const auto in_memory = co_await first;
    auto second = data.update("disk", operation, {}, memory);
    const auto on_disk = co_await second;
    EXPECT_EQ(in_memory.has_value(), on_disk.has_value()) << (on_disk ? "" : on_disk.error().text);
  }

  /// Everything that reads vectors, with arguments drawn by a seed.
  io::task<std::string> ask(database& data, std::string_view collection, std::uint64_t seed) {
    random_.seed(seed);
    std::ostringstream out;
    arena memory;
    vector_selector all_vectors;
    all_vectors.kind = vector_selector::form::all;

    retrieve_request wanted{random_ids(80), {}, all_vectors};
    auto retrieving = data.retrieve(collection, wanted, memory);
    const auto retrieved = co_await retrieving;
    if (retrieved)
      print(out << "points", *retrieved);
    else
      print_failure(out, retrieved);

    scroll_request page;
    page.limit = 70;
    page.offset = point_id::from_number(random_() % point_count);
    page.with_vector = all_vectors;
    auto scrolling = data.scroll(collection, page, memory);
    const auto scrolled = co_await scrolling;
    if (scrolled)
      print(out << "scroll", scrolled->points);
    else
      print_failure(out, scrolled);

    for (const std::string_view name : names) {
      auto asking = ask_about(data, collection, name, memory, out);
      co_await asking;
    }
    co_return out.str();
  }

  arena& memory() { return memory_; }
  std::uint64_t draw() { return random_(); }

 private:
  io::task<void> ask_about(database& data, std::string_view collection, std::string_view name,
                           arena& memory, std::ostringstream& out) {
    std::array<condition, 1> conditions{};
    field_condition some;
    some.key = *parse_payload_path("n", memory);
    some.range = number_range{4, std::nullopt, std::nullopt, std::nullopt};
    conditions[0] = some;
    const filter about_half{conditions, {}, {}, std::nullopt};
    std::array<condition, 1> few_conditions{};
    has_id_condition listed;
    listed.ids = random_ids(12);
    few_conditions[0] = listed;
    const filter few{few_conditions, {}, {}, std::nullopt};

    std::vector<query_request> requests(12);
    for (query_request& request : requests) {
      request.using_vector = name;
      request.limit = 5 + random_() % 20;
      request.params.hnsw_ef = 512;  // all points: no two graphs are the same
      request.what = nearest_query{random_vector(name), std::nullopt};
    }
    requests[0].with_vector.kind = vector_selector::form::all;
    requests[1].condition = &about_half;
    requests[2].condition = &few;
    requests[3].params.exact = true;
    requests[3].limit = point_count;  // more than a slice has room for
    requests[4].params.exact = true;
    requests[4].condition = &about_half;
    requests[5].offset = 3;
    const auto examples = memory.array<vector_input>(6);
    for (vector_input& example : examples)
      example = random_vector(name);
    std::array<recommend_query, 3> recommends;
    for (std::size_t i = 0; i < recommends.size(); ++i) {
      recommends[i].positive = examples.first(3);
      recommends[i].negative = examples.subspan(3);
      recommends[i].how = static_cast<recommend_query::strategy>(i);
      requests[6 + i].what = recommends[i];
    }
    const std::array pairs{context_pair{examples[0], examples[1]},
                           context_pair{examples[2], examples[3]}};
    requests[9].what = discover_query{examples[4], pairs};
    requests[10].what = nearest_query{random_vector(name), mmr_params{0.4F, 30}};
    const std::array inner{requests[0], requests[1]};
    requests[11].prefetch = inner;
    auto searching = data.query(collection, requests, memory);
    const auto found = co_await searching;
    if (found)
      for (const auto records : *found)
        print_best(out << name, records);
    else
      print_failure(out, found);

    // By the ids of points, which need not have the vector.
    for (std::size_t i = 0; i < examples.size(); ++i)
      examples[i] = point_id::from_number(random_() % point_count);
    for (const std::size_t i : {6U, 7U, 9U, 10U}) {
      query_request by_id = requests[i];
      if (i == 9)
        by_id.what = discover_query{examples[4], std::span(pairs).first(1)};
      else if (i == 10)
        by_id.what = nearest_query{examples[5], std::nullopt};
      auto asking = data.query(collection, {&by_id, 1}, memory);
      const auto answer = co_await asking;
      if (answer)
        print_best(out << name, answer->front());
      else
        print_failure(out, answer);
    }

    group_request groups;
    groups.search = requests[0];
    groups.group_by = *parse_payload_path("n", memory);
    auto grouping = data.query_groups(collection, groups, memory);
    const auto grouped = co_await grouping;
    if (grouped)
      for (const point_group& group : *grouped)
        print_best(out << name << " group", group.hits);
    else
      print_failure(out, grouped);

    matrix_request matrix;
    matrix.sample = point_count;  // all: no sample is drawn
    matrix.using_vector = name;
    auto comparing = data.distance_matrix(collection, matrix, memory);
    const auto compared = co_await comparing;
    if (!compared) {
      print_failure(out, compared);
      co_return;
    }
    for (const auto row : compared->rows) {
      for (const auto& cell : row)
        out << cell.column << '=' << cell.score << ' ';
      out << '\n';
    }
  }

  std::mt19937_64 random_;
  arena memory_;
};

io::task<void> create_both(database& data) {
  auto first = data.create_collection("memory", config_of(false));
  EXPECT_TRUE(co_await first);
  auto second = data.create_collection("disk", config_of(true));
  EXPECT_TRUE(co_await second);
}

TEST(on_disk_test, a_column_in_a_file_answers_as_one_in_memory_also_after_a_restart) {
  for (const std::uint64_t seed : seeds(2)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    client user(seed);
    std::uint64_t question = seed * 1000;
    const auto compare = [&](database& data) -> io::task<void> {
      ++question;
      auto first = user.ask(data, "memory", question);
      const std::string in_memory = co_await first;
      auto second = user.ask(data, "disk", question);
      const std::string on_disk = co_await second;
      EXPECT_EQ(in_memory, on_disk);
      EXPECT_GT(in_memory.size(), 10'000U);
    };
    for (int life = 0; life < 2; ++life) {
      world running(disk, 2, seed + static_cast<std::uint64_t>(life));
      ASSERT_EQ(running.failure, "");
      if (life == 0) {
        running.run(0, [&](database& data) -> io::task<void> {
          auto creating = create_both(data);
          co_await creating;
          for (std::uint64_t first = 0; first < point_count; first += 100) {
            const auto operation = user.upsert(first, first + 100);
            auto telling = user.tell(data, operation);
            co_await telling;
          }
        });
      }
      for (std::uint32_t round = 0; round < 4; ++round) {
        running.run(round, compare);
        running.run(round, [&](database& data) -> io::task<void> {
          for (int i = 0; i < 25; ++i) {
            const auto operation = user.random_update();
            auto telling = user.tell(data, operation);
            co_await telling;
          }
        });
      }
      running.run(1, compare);
      // One file for each dense column, whatever the last life left.
      EXPECT_EQ(disk.list("rows")->size(), 3U);
      running.close();
      if (life == 0) {
        disk.kill();
        EXPECT_TRUE(disk.open("rows/1-0", io::open_mode::create_or_open));
        EXPECT_TRUE(disk.open("rows/99-9", io::open_mode::create_or_open));
      }
    }
  }
}

TEST(on_disk_test, a_read_that_fails_fails_its_request_and_no_other) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  io::simulated_storage disk(seed);
  world running(disk, 2, seed);
  client user(seed);
  running.run(0, [&](database& data) -> io::task<void> {
    auto creating = create_both(data);
    co_await creating;
    const auto operation = user.upsert(0, point_count);
    auto telling = user.tell(data, operation);
    co_await telling;
  });
  const auto ask = [&](std::string_view collection) {
    std::string answer;
    running.run(1, [&](database& data) -> io::task<void> {
      auto asking = user.ask(data, collection, seed);
      answer = co_await asking;
    });
    return answer;
  };
  const std::uint64_t calls_before = disk.call_count();
  const std::string expected = ask("disk");
  const std::uint64_t calls = disk.call_count() - calls_before;
  EXPECT_EQ(expected, ask("memory"));
  EXPECT_GT(calls, 1000U);
  std::mt19937_64 random(seed);
  std::uint64_t failures = 0;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const std::uint64_t call = 1 + random() % calls;
    SCOPED_TRACE("call " + std::to_string(call));
    disk.fail_call(call, errc::service);
    const std::string answer = ask("disk");
    std::istringstream found(answer);
    std::istringstream right(expected);
    // Of the answers one is the failure, in the place of some lines.
    std::vector<std::string> lines;
    for (std::string line; std::getline(right, line);)
      lines.push_back(line);
    std::uint64_t failed = 0;
    for (std::string line; std::getline(found, line);) {
      if (line.starts_with("failed: simulated disk"))
        ++failed;
      else
        EXPECT_NE(std::ranges::find(lines, line), lines.end()) << line.substr(0, 200);
    }
    failures += failed;
    EXPECT_LE(failed, 1U);
    EXPECT_EQ(ask("disk"), expected);
  }
  EXPECT_EQ(failures, 10U);
  running.close();
}

}  // namespace
}  // namespace vexfs
