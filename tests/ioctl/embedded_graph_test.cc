// SPDX-License-Identifier: Apache-2.0
// A vector file with a graph, by the device's contract.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "ioctl/embedded/embedded_device.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

constexpr std::uint32_t dim = 24;
constexpr std::uint32_t k = 10;

std::vector<std::uint32_t> gaussian_bits(std::mt19937_64& random, std::uint32_t count) {
  std::normal_distribution<float> normal;
  std::vector<std::uint32_t> bits(std::size_t{count} * dim);
  for (std::uint32_t& one : bits)
    one = std::bit_cast<std::uint32_t>(normal(random));
  return bits;
}

void insert(vector_file& file, const std::vector<std::uint32_t>& bits, slot_index first,
            slot_index last, slot_generation generation = 0) {
  std::vector<slot_index> slots;
  for (slot_index slot = first; slot < last; ++slot)
    slots.push_back(slot);
  const std::vector<slot_generation> generations(slots.size(), generation);
  const auto inserted = file.insert(
      slots, generations,
      std::span(bits).subspan(std::size_t{first} * dim, std::size_t{last - first} * dim));
  ASSERT_TRUE(inserted) << inserted.error().text;
}

/// How a search of one query is asked for.
struct asked {
  std::span<const std::uint32_t> query;
  slot_index slot_limit = 0;
  const std::uint64_t* allowed = nullptr;
  std::uint32_t allowed_count = 0;  // as told
};

std::vector<candidate> search(const vector_file& file, const asked& how,
                              std::vector<double>* scores = nullptr) {
  std::vector<candidate> found(k);
  std::vector<std::int32_t> keys(scores ? k : 0);
  key_unit unit;
  std::uint32_t count = 0;
  search_command command;
  command.wanted = k;
  command.ef = 64;
  command.slot_limit = how.slot_limit;
  command.query_count = 1;
  command.query_bits = how.query;
  command.allowed = {&how.allowed, 1};
  command.allowed_counts = {&how.allowed_count, 1};
  command.candidates = found;
  command.candidate_counts = {&count, 1};
  command.keys = keys;
  command.units = {&unit, scores ? 1U : 0U};
  const auto searched = file.search(command);
  EXPECT_TRUE(searched);
  found.resize(count);
  const double worth = std::ldexp(unit.mantissa, unit.exponent);
  for (std::uint32_t i = 0; scores && i < count; ++i)
    scores->push_back(keys[i] * worth);
  return found;
}

std::vector<candidate> search(const vector_file& file, std::span<const std::uint32_t> query,
                              slot_index slot_limit, const std::uint64_t* allowed = nullptr,
                              std::uint32_t allowed_count = 0) {
  return search(file, asked{query, slot_limit, allowed, allowed_count});
}

void link_all(vector_file& file, std::uint32_t tail_limit) {
  while (!file.adopt(100, tail_limit) || file.graph()->tail_count > 0)
    (void)file.link(50, link_order::usual);
}

TEST(embedded_graph_test, rows_of_before_the_graph_join_it_and_every_kernel_answers_the_same) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr std::uint32_t row_count = 5000;
  std::vector<std::vector<candidate>> answers[3];
  int levels = 0;
  for (const simd_level level : {simd_level::scalar, simd_level::avx2, simd_level::avx512}) {
    if (level > detect_simd_level()) continue;
    std::mt19937_64 random(seed);
    const auto rows = gaussian_bits(random, row_count);
    const auto queries = gaussian_bits(random, 20);
    const auto machine = make_embedded_device(level);
    const auto file = machine->create({dim, distance::euclid});
    ASSERT_TRUE(file);
    insert(**file, rows, 0, 3000);
    (*file)->remove(std::vector<slot_index>{17, 18});
    EXPECT_FALSE((*file)->graph());
    ASSERT_TRUE((*file)->start_graph({16, 100, 256}));
    insert(**file, rows, 3000, 3100);
    (*file)->remove(std::vector<slot_index>{19});
    EXPECT_FALSE((*file)->graph()->complete);
    link_all(**file, 128);
    for (slot_index slot = 3100; slot < row_count; slot += 100) {
      insert(**file, rows, slot, slot + 100);
      while ((*file)->graph()->tail_count > 100)
        EXPECT_GT((*file)->link(50, link_order::usual), 0U);
    }
    const auto state = (*file)->graph();
    EXPECT_TRUE(state->complete);
    EXPECT_EQ(state->linked_count + state->tail_count, row_count - 3);
    for (std::uint32_t q = 0; q < 20; ++q)
      answers[levels].push_back(
          search(**file, std::span(queries).subspan(std::size_t{q} * dim, dim), row_count));
    ++levels;
  }
  for (int level = 1; level < levels; ++level)
    for (std::size_t q = 0; q < answers[0].size(); ++q) {
      ASSERT_EQ(answers[level][q].size(), k);
      for (std::size_t i = 0; i < k; ++i) {
        EXPECT_EQ(answers[level][q][i].slot, answers[0][q][i].slot);
        EXPECT_FALSE(answers[0][q][i].slot >= 17 && answers[0][q][i].slot <= 19);
      }
    }
}

TEST(embedded_graph_test, a_full_tail_has_room_for_what_comes_while_a_search_looks_at_it) {
  std::mt19937_64 random(1);
  constexpr std::uint32_t tail_max = 64;
  const auto device = make_embedded_device();
  auto opened = device->create({dim, distance::euclid});
  ASSERT_TRUE(opened);
  vector_file& file = **opened;
  ASSERT_TRUE(file.start_graph({.tail_max = tail_max}));
  // A search that began with a full tail finds each of these places as it was.
  insert(file, gaussian_bits(random, 2 * tail_max), 0, 2 * tail_max);
  EXPECT_EQ(file.graph()->tail_count, 2 * tail_max);
}

TEST(embedded_graph_test, a_slot_is_not_free_before_the_graph_has_let_it_go) {
  std::mt19937_64 random(1);
  constexpr std::uint32_t row_count = 1000;
  const auto rows = gaussian_bits(random, row_count);
  const auto machine = make_embedded_device();
  const auto file = machine->create({dim, distance::dot});
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->start_graph({16, 100, 2048}));
  insert(**file, rows, 0, row_count);
  link_all(**file, 1024);
  (*file)->remove(std::vector<slot_index>{5});
  EXPECT_FALSE((*file)->is_free(5));
  const slot_index dead = 5;
  const slot_generation next = 1;
  EXPECT_FALSE((*file)->insert({&dead, 1}, {&next, 1}, std::span(rows).first(dim)));
  for (const candidate& one : search(**file, std::span(rows).subspan(5 * dim, dim), row_count))
    EXPECT_NE(one.slot, 5U);
  std::vector<slot_index> more;
  for (slot_index slot = 100; slot < 300; ++slot)
    more.push_back(slot);
  (*file)->remove(more);
  while ((*file)->link(50, link_order::usual) > 0) {
  }
  EXPECT_EQ((*file)->graph()->dead_count, 0U);
  EXPECT_TRUE((*file)->is_free(5));
  EXPECT_TRUE((*file)->insert({&dead, 1}, {&next, 1}, std::span(rows).subspan(5 * dim, dim)));
  const auto found = search(**file, std::span(rows).subspan(5 * dim, dim), row_count);
  EXPECT_TRUE(std::ranges::any_of(
      found, [](const candidate& one) { return one.slot == 5 && one.generation == 1; }));
}

TEST(embedded_graph_test, a_filter_holds_whatever_its_count_claims) {
  std::mt19937_64 random(2);
  constexpr std::uint32_t row_count = 2000;
  const auto rows = gaussian_bits(random, row_count);
  const auto machine = make_embedded_device();
  const auto file = machine->create({dim, distance::euclid});
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->start_graph({16, 100, 2048}));
  insert(**file, rows, 0, row_count);
  link_all(**file, 1024);
  for (const std::uint32_t one_in : {2U, 10U, 100U}) {
    std::vector<std::uint64_t> bits(row_count / 64 + 1);
    std::uint32_t count = 0;
    for (slot_index slot = 0; slot < row_count; slot += one_in, ++count)
      bits[slot / 64] |= 1ULL << (slot % 64);
    for (const std::uint32_t claimed : {0U, 1U, count, row_count, UINT32_MAX}) {
      const auto found =
          search(**file, std::span(rows).subspan(7 * dim, dim), row_count, bits.data(), claimed);
      EXPECT_FALSE(found.empty());
      for (const candidate& one : found)
        EXPECT_EQ(one.slot % one_in, 0U);
    }
  }
}

/// Minus the inner product, or half of the squared distance without the query's own square, and by
/// how much codes may miss it.
struct true_score {
  true_score(distance metric, std::span<const std::uint32_t> query,
             std::span<const std::uint32_t> row) {
    double product = 0;
    double squares[2] = {};
    double largest[2] = {};
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double values[2] = {std::bit_cast<float>(query[i]), std::bit_cast<float>(row[i])};
      product += values[0] * values[1];
      for (int of = 0; of < 2; ++of) {
        squares[of] += values[of] * values[of];
        largest[of] = std::max(largest[of], std::abs(values[of]));
      }
    }
    score = (metric == distance::euclid ? squares[1] / 2 : 0) - product;
    // Half a step an element, of the row and of the query; and what a key rounds off.
    const double steps = std::sqrt(static_cast<double>(row.size())) / 254;
    error =
        steps * (largest[1] * std::sqrt(squares[0]) + largest[0] * std::sqrt(squares[1])) * 1.02 +
        squares[1] * 1e-5;
  }
  double score;
  double error;
};

TEST(embedded_graph_test, a_key_times_its_unit_is_the_score_as_near_as_codes_are_to_vectors) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::uint32_t row_count = 6000;
  constexpr std::uint32_t linked_count = 5900;  // the others wait in the tail
  const auto rows = gaussian_bits(random, row_count);
  auto queries = gaussian_bits(random, 11);
  std::fill_n(queries.begin(), dim, 0U);
  std::vector<std::uint64_t> odd(row_count / 64 + 1, 0xaaaaaaaaaaaaaaaaULL);
  for (const distance metric : {distance::dot, distance::euclid}) {
    const auto machine = make_embedded_device();
    const auto file = machine->create({dim, metric});
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->start_graph({16, 100, 8192}));
    insert(**file, rows, 0, linked_count);
    link_all(**file, 8192);
    insert(**file, rows, linked_count, row_count);
    for (std::size_t at = 0; at < queries.size(); at += dim) {
      const auto query = std::span(queries).subspan(at, dim);
      // A walk; a scan of what passes; walks by hops as for more than are scanned, near what passes
      // and far from it.
      for (const asked& how : {asked{query, row_count}, asked{query, row_count, odd.data(), 1},
                               asked{query, row_count, odd.data(), 9000},
                               asked{query, row_count, odd.data(), UINT32_MAX}}) {
        std::vector<double> scores;
        const auto found = search(**file, how, &scores);
        ASSERT_EQ(found.size(), k);
        EXPECT_TRUE(std::ranges::is_sorted(scores));
        for (std::uint32_t i = 0; i < k; ++i) {
          const true_score truth(metric, query,
                                 std::span(rows).subspan(std::size_t{found[i].slot} * dim, dim));
          EXPECT_NEAR(scores[i], truth.score, truth.error)
              << (metric == distance::dot ? "dot" : "euclid") << ", query " << at / dim << ", told "
              << how.allowed_count;
        }
      }
    }
  }
}

TEST(embedded_graph_test, writing_linking_and_searching_go_on_at_the_same_time) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  // Three chunks, so that workers meet slots that came after their memory was measured.
  constexpr std::uint32_t row_count = 3 * 4096;
  const auto rows = gaussian_bits(random, row_count);
  const auto machine = make_embedded_device();
  const auto made = machine->create({dim, distance::euclid});
  ASSERT_TRUE(made);
  vector_file& file = **made;
  insert(file, rows, 0, 1000);
  ASSERT_TRUE(file.start_graph({8, 32, 1024}));
  std::atomic<bool> ended{false};
  std::vector<std::thread> others;
  for (int worker = 0; worker < 2; ++worker)
    others.emplace_back([&] {
      while (!ended)
        (void)file.link(8, link_order::usual);
    });
  std::atomic<std::uint32_t> limit{1000};
  for (int reader = 0; reader < 2; ++reader)
    others.emplace_back([&, reader] {
      std::mt19937_64 own(seed + static_cast<std::uint64_t>(reader));
      while (!ended) {
        const auto query = std::span(rows).subspan(own() % row_count * std::size_t{dim}, dim);
        for (const candidate& one : search(file, query, limit))
          EXPECT_LT(one.slot, row_count);
      }
    });
  slot_index next = 1000;
  std::vector<slot_index> dead;
  while (next < row_count) {
    (void)file.adopt(50, 512);
    if (file.graph()->tail_count > 900) continue;
    const slot_index last = std::min(next + 64, row_count);
    insert(file, rows, next, last);
    next = last;
    limit = next;
    for (int i = 0; i < 16; ++i) {
      const auto slot = static_cast<slot_index>(random() % next);
      file.remove({&slot, 1});
      dead.push_back(slot);
    }
    // Those that the graph has let go come back.
    while (!dead.empty() && file.is_free(dead.back()) && file.graph()->tail_count < 1000) {
      const slot_index slot = dead.back();
      dead.pop_back();
      const slot_generation generation = 1;
      const auto again = file.insert({&slot, 1}, {&generation, 1},
                                     std::span(rows).subspan(std::size_t{slot} * dim, dim));
      EXPECT_TRUE(again) << again.error().text;
    }
  }
  ended = true;
  for (std::thread& other : others)
    other.join();
  link_all(file, 512);
  EXPECT_TRUE(file.graph()->complete);
}

/// The share of some rows that a search for their own vector answers.
double found_share(const vector_file& file, const std::vector<std::uint32_t>& rows,
                   slot_index row_count) {
  std::uint32_t hits = 0;
  std::uint32_t asked = 0;
  for (slot_index slot = 0; slot < row_count; slot += 7, ++asked) {
    const auto found =
        search(file, std::span(rows).subspan(std::size_t{slot} * dim, dim), row_count);
    hits += std::ranges::count(found, slot, &candidate::slot) > 0;
  }
  return static_cast<double>(hits) / asked;
}

TEST(embedded_graph_test, a_graph_takes_the_place_of_another_when_it_holds_every_row) {
  std::mt19937_64 random(3);
  constexpr std::uint32_t row_count = 5000;  // in two chunks, of which the second comes meanwhile
  constexpr graph_config sparse{4, 32, 512};
  constexpr graph_config dense{16, 100, 512};
  const auto rows = gaussian_bits(random, row_count);
  const auto machine = make_embedded_device();
  const auto made = machine->create({dim, distance::euclid});
  ASSERT_TRUE(made);
  vector_file& file = **made;
  insert(file, rows, 0, 4000);
  ASSERT_TRUE(file.start_graph(sparse));
  link_all(file, 256);
  const std::size_t bytes_before = file.memory_bytes();
  ASSERT_TRUE(file.start_graph(dense));
  EXPECT_GT(file.memory_bytes(), bytes_before);
  ASSERT_TRUE(file.next_graph());
  EXPECT_EQ(file.next_graph()->config, dense);
  bool replaced = false;
  for (slot_index next = 4000; !replaced;) {
    if (next < row_count && file.graph()->tail_count < 400 && file.next_graph()->tail_count < 400) {
      insert(file, rows, next, next + 50);
      file.remove(std::vector<slot_index>{next - 4000, next + 3});
      next += 50;
    }
    EXPECT_EQ(file.graph()->config, sparse);
    EXPECT_TRUE(file.graph()->complete);
    EXPECT_EQ(search(file, std::span(rows).first(dim), next).size(), k);
    (void)file.link(50, link_order::usual);
    replaced = file.adopt(100, 256);
  }
  EXPECT_EQ(file.graph()->config, dense);
  EXPECT_FALSE(file.next_graph());
  link_all(file, 256);
  EXPECT_EQ(file.graph()->linked_count, row_count - 40);
  EXPECT_GE(found_share(file, rows, row_count), 0.97);
  // What it takes alone.
  const auto other = machine->create({dim, distance::euclid});
  ASSERT_TRUE(other);
  insert(**other, rows, 0, row_count);
  ASSERT_TRUE((*other)->start_graph(dense));
  link_all(**other, 256);
  EXPECT_LE(file.memory_bytes(), (*other)->memory_bytes() * 102 / 100);

  // One that is begun again before it is complete, and one whose predecessor was not complete.
  ASSERT_TRUE(file.start_graph(sparse));
  ASSERT_TRUE(file.start_graph({8, 32, 512}));
  EXPECT_EQ(file.graph()->config, dense);
  file.drop_graph();
  EXPECT_FALSE(file.graph() || file.next_graph());
  EXPECT_TRUE(file.is_free(0));
  ASSERT_TRUE(file.start_graph(sparse));
  ASSERT_TRUE(file.start_graph(dense));
  EXPECT_EQ(file.graph()->config, dense);
  EXPECT_FALSE(file.next_graph());
  link_all(file, 256);
  EXPECT_GE(found_share(file, rows, row_count), 0.97);
}

TEST(embedded_graph_test, all_have_joined_when_as_many_others_have_come_though_nothing_is_linked) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::uint32_t before = 200;  // of a chunk with room for many more
  const auto rows = gaussian_bits(random, 2 * before);
  const auto machine = make_embedded_device();
  const auto made = machine->create({dim, distance::euclid});
  ASSERT_TRUE(made);
  vector_file& file = **made;
  insert(file, rows, 0, before);
  ASSERT_TRUE(file.start_graph({4, 16, 512}));
  for (std::uint32_t come = 0; come < before; come += 50) {
    EXPECT_FALSE(file.graph()->complete);
    (void)file.adopt(200, file.graph()->tail_count + 50);
    insert(file, rows, before + come, before + come + 50);
    EXPECT_EQ(file.graph()->tail_count, 2 * (come + 50));
  }
  EXPECT_TRUE(file.graph()->complete);
}

TEST(embedded_graph_test, graphs_are_replaced_and_dropped_while_they_are_searched_and_linked) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::uint32_t row_count = 2000;
  const auto rows = gaussian_bits(random, row_count);
  const auto machine = make_embedded_device();
  const auto made = machine->create({dim, distance::dot});
  ASSERT_TRUE(made);
  vector_file& file = **made;
  insert(file, rows, 0, row_count);
  std::atomic<bool> ended{false};
  std::atomic<std::uint32_t> searches{0};
  std::vector<std::thread> others;
  others.emplace_back([&] {
    while (!ended)
      (void)file.link(8, link_order::usual);
  });
  for (int reader = 0; reader < 2; ++reader)
    others.emplace_back([&] {
      std::vector<candidate> found(k);
      std::uint32_t count = 0;
      const std::uint64_t* allowed = nullptr;
      const std::uint32_t allowed_count = 0;
      search_command command;
      command.wanted = k;
      command.ef = 32;
      command.slot_limit = row_count;
      command.query_count = 1;
      command.query_bits = std::span(rows).first(dim);
      command.allowed = {&allowed, 1};
      command.allowed_counts = {&allowed_count, 1};
      command.candidates = found;
      command.candidate_counts = {&count, 1};
      while (!ended) {
        (void)file.memory_bytes();
        (void)file.next_graph();
        const auto graph = file.graph();
        if (!graph || !graph->complete) continue;
        const auto searched = file.search(command);
        if (!searched) {
          EXPECT_EQ(searched.error().code, errc::not_found);
          continue;
        }
        // Of a graph that has just been dropped and begun again there may be less.
        for (std::uint32_t i = 0; i < count; ++i)
          EXPECT_LT(found[i].slot, row_count);
        ++searches;
      }
    });
  for (std::uint32_t round = 0; round < 12 || searches < 100; ++round) {
    auto started = file.start_graph({4 + round % 3, 16, 1024});
    while (!started && started.error().code == errc::unavailable)
      started = file.start_graph({4 + round % 3, 16, 1024});
    ASSERT_TRUE(started);
    if (round % 4 == 3) {
      file.drop_graph();
      continue;
    }
    const std::uint32_t last = round % 3 == 0 ? row_count : 500;  // given up half-way, or not
    for (std::uint32_t adopted = 0; adopted < last; adopted += 50) {
      const auto slot = static_cast<slot_index>(random() % row_count);
      file.remove({&slot, 1});
      if (file.adopt(50, 512)) break;
    }
    while (round % 3 == 0 && !file.adopt(50, 512))
      std::this_thread::yield();
  }
  ended = true;
  for (std::thread& other : others)
    other.join();
  file.drop_graph();
  const slot_index slot = 0;
  EXPECT_TRUE(file.is_free(slot));
}

}  // namespace
}  // namespace vexfs
