// SPDX-License-Identifier: Apache-2.0
// The distance kernels of each SIMD level, one thread, beside what limits them in the same moment:
// the multiplications that the level's instructions can do in registers, and the bytes of the same
// rows that a loop can read which does nothing else.
//
// Counters: products/s, `limit` in the same unit, and of_limit, the first in parts of the second.
#include <algorithm>
#include <bit>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <immintrin.h>

#include "bench/engine/built_index.h"

namespace vexfs::bench {
namespace {

constexpr std::uint32_t block_rows = VEXFS_BLOCK_ROWS;

/// Runs of a loop for a few milliseconds of this thread's time, and the fastest of several: what
/// limits a kernel is the machine at its best.
template <typename Loop>
double best_rate(double work, Loop loop) {
  const int repeats = work < 1e6 ? 100 : 1;  // the clock costs as much as a small loop
  const double run = std::getenv("VEXFS_BENCH_SMOKE") ? 0.0005 : 0.01;
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const double start = thread_seconds();
    double done = 0;
    double seconds = 0;
    do {
      for (int i = 0; i < repeats; ++i)
        loop();
      done += work * repeats;
      seconds = thread_seconds() - start;
    } while (seconds < run);
    best = std::max(best, done / seconds);
  }
  return best;
}

// Twelve chains hide the latency of an instruction. Assembly, so that none is optimised away.
// NOLINTBEGIN(hicpp-no-assembler)
#define CHAINS(OF) OF(0) OF(1) OF(2) OF(3) OF(4) OF(5) OF(6) OF(7) OF(8) OF(9) OF(10) OF(11)

__attribute__((target("avx512f,avx512vnni"))) void multiply_words_avx512() {
  for (int i = 0; i < 1000; ++i) {
#define STEP(N) asm volatile("vpdpwssd %%zmm12, %%zmm13, %%zmm" #N ::: "xmm" #N);
    CHAINS(STEP)
#undef STEP
  }
}

__attribute__((target("avx512f,avx512vnni"))) void multiply_bytes_avx512() {
  for (int i = 0; i < 1000; ++i) {
#define STEP(N) asm volatile("vpdpbusd %%zmm12, %%zmm13, %%zmm" #N ::: "xmm" #N);
    CHAINS(STEP)
#undef STEP
  }
}

__attribute__((target("avx2"))) void multiply_words_avx2() {
  for (int i = 0; i < 1000; ++i) {
#define STEP(N)                                  \
  asm volatile(                                  \
      "vpmaddwd %%ymm12, %%ymm13, %%ymm14\n\t"   \
      "vpaddd %%ymm14, %%ymm" #N ", %%ymm" #N :: \
          : "xmm14", "xmm" #N);
    CHAINS(STEP)
#undef STEP
  }
}

// The query's signs go to the row, so that its magnitudes can be the unsigned factor.
__attribute__((target("avx2"))) void multiply_bytes_avx2() {
  for (int i = 0; i < 1000; ++i) {
#define STEP(N)                                  \
  asm volatile(                                  \
      "vpsignb %%ymm12, %%ymm13, %%ymm14\n\t"    \
      "vpmaddubsw %%ymm14, %%ymm12, %%ymm14\n\t" \
      "vpmaddwd %%ymm13, %%ymm14, %%ymm14\n\t"   \
      "vpaddd %%ymm14, %%ymm" #N ", %%ymm" #N :: \
          : "xmm14", "xmm" #N);
    CHAINS(STEP)
#undef STEP
  }
}
#undef CHAINS
// NOLINTEND(hicpp-no-assembler)

/// Products a second of the instructions that a level multiplies with.
double multiply_limit(simd_level level, bool by_bytes) {
  constexpr double chain_steps = 1000 * 12;
  if (level == simd_level::avx2)
    return by_bytes ? best_rate(chain_steps * 32, multiply_bytes_avx2)
                    : best_rate(chain_steps * 16, multiply_words_avx2);
  return by_bytes ? best_rate(chain_steps * 64, multiply_bytes_avx512)
                  : best_rate(chain_steps * 32, multiply_words_avx512);
}

__attribute__((target("avx512f"))) void read_avx512(const std::byte* from, std::size_t bytes) {
  __m512i sums[4] = {};
  for (std::size_t at = 0; at < bytes; at += 256)
    for (int i = 0; i < 4; ++i)
      sums[i] = _mm512_or_si512(sums[i], _mm512_loadu_si512(from + at + i * 64));
  benchmark::DoNotOptimize(sums);
}

__attribute__((target("avx2"))) void read_avx2(const std::byte* from, std::size_t bytes) {
  __m256i sums[8] = {};
  for (std::size_t at = 0; at < bytes; at += 256)
    for (int i = 0; i < 8; ++i)
      sums[i] = _mm256_or_si256(
          sums[i], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + at + i * 32)));
  benchmark::DoNotOptimize(sums);
}

/// Bytes a second that can be read of this memory from end to end.
double read_limit(simd_level level, const std::byte* from, std::size_t bytes) {
  return best_rate(static_cast<double>(bytes), [&] {
    level == simd_level::avx2 ? read_avx2(from, bytes) : read_avx512(from, bytes);
  });
}

/// All of them at the machine's best: rates of the kernel and of its limit are of the same moments.
void report(benchmark::State& state, double rate, double limit) {
  state.counters["products/s"] = rate;
  state.counters["limit"] = limit;
  state.counters["of_limit"] = rate / limit;
}

/// int8 codes in blocks against int16 queries: what the exact scan multiplies.
void scan_rows(benchmark::State& state, simd_level level, std::uint32_t dim,
               std::uint32_t query_count, std::uint32_t row_count) {
  std::mt19937_64 random(1);
  const std::size_t bytes = std::size_t{row_count} * dim;
  auto* const rows = static_cast<std::int8_t*>(std::aligned_alloc(64, bytes));
  auto* const queries = static_cast<std::int16_t*>(
      std::aligned_alloc(64, std::size_t{query_count} * dim * sizeof(std::int16_t)));
  std::generate_n(rows, bytes, [&] { return static_cast<std::int8_t>(random() % 255 - 127); });
  std::generate_n(queries, std::size_t{query_count} * dim,
                  [&] { return static_cast<std::int16_t>(random() % 4095 - 2047); });
  std::vector<std::int32_t> sums(std::size_t{query_count} * block_rows);
  const vexfs_dot_fn dot = kernels_for(level).scan->dot;
  const auto scan = [&] {
    for (std::uint32_t row = 0; row < row_count; row += block_rows) {
      dot(rows + std::size_t{row} * dim, block_rows, queries, query_count, dim, sums.data());
      benchmark::DoNotOptimize(sums.data());
    }
  };
  for (auto unused : state)
    scan();
  const std::uint32_t last = row_count - 1;
  for (std::uint32_t query = 0; query < query_count; ++query)
    if (sums[query * block_rows + last % block_rows] !=
        std::inner_product(rows + std::size_t{last} * dim, rows + std::size_t{last + 1} * dim,
                           queries + std::size_t{query} * dim, 0))
      state.SkipWithError("not the sum of the products");
  const double products = static_cast<double>(bytes) * query_count;
  const double reading = read_limit(level, reinterpret_cast<const std::byte*>(rows), bytes);
  report(state, best_rate(products, scan),
         std::min(multiply_limit(level, false), reading * query_count));
  std::free(queries);
  std::free(rows);
}

/// Rows as a graph holds them.
struct graph_rows {
  graph_rows(simd_level level, std::uint32_t dim, std::uint32_t count) {
    const engine_kernels kernels = kernels_for(level);
    vexfs_graph_config config{};
    config.width = 32;
    config.links_new = 24;
    config.links_kept = 28;
    config.ef_construct = 64;
    config.tail_max = std::bit_ceil(count);
    file = vexfs_vector_file_create(dim, VEXFS_METRIC_EUCLID, kernels.scan);
    if (!file || vexfs_graph_create(file, &config, kernels.graph, &graph) != 0) std::abort();
    std::mt19937_64 random(1);
    std::vector<float> values(std::size_t{dim} * 64);
    for (float& value : values)
      value = static_cast<float>(static_cast<double>(random() % 2000) / 1000 - 1);
    for (std::uint32_t slot = 0; slot < count; ++slot)
      if (vexfs_graph_insert(graph, slot, 0,
                             reinterpret_cast<const std::uint32_t*>(
                                 &values[std::size_t{dim} * (slot * 13 % 64)])) != 0)
        std::abort();
    code = static_cast<std::int8_t*>(std::aligned_alloc(64, graph->row_bytes));
    if (kernels.graph->code_query(graph, reinterpret_cast<const std::uint32_t*>(values.data()),
                                  code, nullptr, &query) != 0)
      std::abort();
    vexfs_query_unit_euclid(&query, graph->square_max);
  }
  ~graph_rows() {
    std::free(code);
    vexfs_graph_destroy(graph);
    vexfs_vector_file_destroy(file);
  }
  graph_rows(const graph_rows&) = delete;

  vexfs_vector_file* file = nullptr;
  vexfs_graph* graph = nullptr;
  std::int8_t* code = nullptr;
  vexfs_query query{};
};

void ask_for(const vexfs_graph* graph, const std::uint32_t* slots, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::int8_t* const row = vexfs_code_at(graph, slots[i]);
    for (std::uint32_t at = 0; at < graph->row_bytes; at += 64)
      __builtin_prefetch(row + at);
    __builtin_prefetch(vexfs_scale_at(graph, slots[i]));
  }
}

/// Keys of one query to rows anywhere, which are asked for 32 rows ahead as walks do; the limit
/// reads the same lines in the same order, asked for likewise.
void walk_rows(benchmark::State& state, simd_level level, std::uint32_t dim,
               std::uint32_t row_count) {
  constexpr std::uint32_t wave = 32;
  const graph_rows rows(level, dim, row_count);
  std::vector<std::uint32_t> slots(row_count + wave);
  std::iota(slots.begin(), slots.begin() + row_count, 0);
  std::mt19937_64 random(1);
  std::shuffle(slots.begin(), slots.begin() + row_count, random);
  std::copy_n(slots.begin(), wave, slots.begin() + row_count);
  std::int32_t keys[wave];
  const auto read_all = [&](auto&& use) {
    for (std::uint32_t at = 0; at < row_count; at += wave) {
      ask_for(rows.graph, &slots[at + wave], wave);
      use(&slots[at]);
    }
  };
  const auto walk = [&] {
    read_all([&](const std::uint32_t* taken) {
      kernels_for(level).graph->keys(rows.graph, &rows.query, taken, wave, keys);
      benchmark::DoNotOptimize(keys);
    });
  };
  for (auto unused : state)
    walk();
  const std::uint32_t last = slots[row_count - 1];
  const std::int32_t product = std::inner_product(rows.code, rows.code + rows.graph->row_bytes,
                                                  vexfs_code_at(rows.graph, last), 0);
  if (keys[wave - 1] != vexfs_key_of(&rows.query, product, *vexfs_scale_at(rows.graph, last)))
    state.SkipWithError("not the row's key");
  const double products = static_cast<double>(row_count) * dim;
  const double reading = best_rate(products, [&] {
    read_all([&](const std::uint32_t* taken) {
      std::int64_t sum = 0;
      for (std::uint32_t i = 0; i < wave; ++i) {
        const std::int8_t* const row = vexfs_code_at(rows.graph, taken[i]);
        for (std::uint32_t at = 0; at < rows.graph->row_bytes; at += 64)
          sum += row[at];
        sum += vexfs_scale_at(rows.graph, taken[i])->step;
      }
      benchmark::DoNotOptimize(sum);
    });
  });
  report(state, best_rate(products, walk), std::min(multiply_limit(level, true), reading));
}

void register_all() {
  const bool smoke = std::getenv("VEXFS_BENCH_SMOKE") != nullptr;
  const std::uint32_t many = smoke ? 4096 : 1U << 18;
  for (const simd_level level : {simd_level::avx2, simd_level::avx512}) {
    if (level > detect_simd_level()) continue;
    const std::string of(name_of(level));
    for (const std::uint32_t dim : {128U, 384U, 1536U})
      for (const std::uint32_t rows : {block_rows, many})
        for (const std::uint32_t queries : {1U, 4U, 64U})
          benchmark::RegisterBenchmark(
              ("scan_rows/" + of + "/dim:" + std::to_string(dim) +
               "/queries:" + std::to_string(queries) + "/rows:" + std::to_string(rows))
                  .c_str(),
              scan_rows, level, dim, queries, rows);
    for (const std::uint32_t dim : {128U, 384U, 1536U})
      for (const std::uint32_t rows : {256U, many / 4})
        benchmark::RegisterBenchmark(
            ("walk_rows/" + of + "/dim:" + std::to_string(dim) + "/rows:" + std::to_string(rows))
                .c_str(),
            walk_rows, level, dim, rows);
  }
}

}  // namespace
}  // namespace vexfs::bench

int main(int argc, char** argv) {
  vexfs::bench::register_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
