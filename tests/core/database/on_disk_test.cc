// SPDX-License-Identifier: Apache-2.0
// Originals of dense vectors on the disk: the same answers as from memory, whatever the disk does.
#include <algorithm>
#include <array>
#include <random>
#include <set>
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

/// Ends what goes on in the background. Logs may have failed before.
void close(world& running) {
  running.run(0, [](database& data) -> io::task<void> {
    for (std::uint32_t core = 0; core < 2; ++core) [[maybe_unused]]
      const auto closed = co_await io::call_on(core, [&] { return data.close(); });
  });
}

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
      close(running);
      if (life == 0) {
        disk.kill();
        EXPECT_TRUE(disk.open("rows/1-0", io::open_mode::create_or_open));
        EXPECT_TRUE(disk.open("rows/99-9", io::open_mode::create_or_open));
      }
    }
  }
}

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

TEST(on_disk_test, a_slot_is_not_written_again_while_its_row_is_read) {
  for (const std::uint64_t seed : seeds(2)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    std::mt19937_64 random(seed);
    running.run(0, [&](database& data) -> io::task<void> {
      auto creating = data.create_collection("c", numbered_config(seed % 2 == 0));
      EXPECT_TRUE(co_await creating);
      auto writing = write_numbered(data, 0, 300, random);
      EXPECT_TRUE(co_await writing);
    });
    bool enough = false;
    bool ended = false;
    std::uint64_t written = 0;
    const auto write = [&](database& data) -> io::detached {
      for (; !enough; ++written) {
        const std::uint64_t first = random() % 280;
        auto writing = write_numbered(data, first, first + 20, random);
        EXPECT_TRUE(co_await writing);
      }
      ended = true;
    };
    running.run(1, [&](database& data) -> io::task<void> {
      write(data);
      for (int round = 0; round < 4; ++round) {
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
      enough = true;
      while (!ended)
        co_await io::loop::current().yield();
    });
    EXPECT_GT(written, 50U);
    close(running);
  }
}

TEST(on_disk_test, a_collection_may_be_dropped_while_its_rows_are_read) {
  for (const std::uint64_t seed : seeds(8)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::simulated_storage disk(seed);
    world running(disk, 2, seed);
    std::mt19937_64 random(seed);
    bool ended = false;
    running.run(0, [&](database& data) -> io::task<void> {
      auto creating = data.create_collection("c", numbered_config());
      EXPECT_TRUE(co_await creating);
      auto writing = write_numbered(data, 0, 300, random);
      EXPECT_TRUE(co_await writing);
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
    close(running);
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
  close(running);
}

TEST(on_disk_test, a_damaged_row_is_an_error_and_good_again_after_a_restart) {
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
      auto creating = data.create_collection("c", numbered_config());
      EXPECT_TRUE(co_await creating);
      auto writing = write_numbered(data, 0, 100, random);
      EXPECT_TRUE(co_await writing);
    });
    EXPECT_EQ(read_all(running), 100U);
    const std::string path = "rows/" + disk.list("rows")->front();
    // A record is a row of 64 bytes, and 4 of checksum.
    EXPECT_TRUE(disk.flip_bit(path, (80 * 7 + random() % 64) * 8 + random() % 8));
    EXPECT_TRUE(disk.flip_bit(path, (80 * 42 + 64 + random() % 4) * 8 + random() % 8));
    EXPECT_EQ(read_all(running), 98U);
    close(running);
    disk.kill();
  }
  world again(disk, 2, seed + 1);
  EXPECT_EQ(read_all(again), 100U);
  close(again);
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

TEST(on_disk_test, a_write_that_fails_loses_nothing_and_is_told) {
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
        auto creating = data.create_collection("c", numbered_config());
        EXPECT_TRUE(co_await creating);
        auto writing = write_numbered(data, 0, 100, random);
        EXPECT_TRUE(co_await writing);
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
      close(running);
      disk.kill();
    }
    world again(disk, 2, call + 1);
    EXPECT_EQ(again.failure, "");
    const state_of_points state = look_at(again, random);
    EXPECT_EQ(state.refusal, "");
    EXPECT_GE(state.ids.size(), taken ? 200U : 100U);
    close(again);
  }
  EXPECT_GT(refused, 2U);
  EXPECT_GT(closed, 0U);
}

TEST(on_disk_test, a_full_disk_refuses_points_and_takes_them_when_there_is_room_again) {
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
    close(running);
  }
  EXPECT_GT(refused_for_rows, 0U);
}

TEST(on_disk_test, a_change_of_where_originals_are_holds_from_the_next_start_on) {
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
        auto creating = data.create_collection("c", numbered_config());
        EXPECT_TRUE(co_await creating);
        auto writing = write_numbered(data, 0, 100, random);
        EXPECT_TRUE(co_await writing);
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
    close(running);
    on_disk = !on_disk;
  }
}

}  // namespace
}  // namespace vexfs
