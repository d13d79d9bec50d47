// SPDX-License-Identifier: Apache-2.0
// Decoding of the hot bodies, by the fast path and by the tree. Both are compared before anything
// is timed. Bodies are those of a Python client: numbers as it prints floats widened to doubles.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "net/json/cursor.h"
#include "net/json/document.h"
#include "net/rest/decode/decode_query.h"
#include "net/rest/decode/decode_update.h"

namespace {

using namespace vexfs;

enum class digits { of_double, of_float };

std::string vector_text(std::mt19937_64& random, std::size_t dim,
                        digits printed = digits::of_double) {
  const char* const format = printed == digits::of_double ? ", %.17g" : ", %.8g";
  std::string out = "[";
  for (std::size_t i = 0; i < dim; ++i) {
    const auto value = static_cast<float>(std::generate_canonical<double, 53>(random) * 2 - 1);
    char text[40];
    std::snprintf(text, sizeof text, format, static_cast<double>(value));
    out += text + (i > 0 ? 0 : 2);
  }
  return out + "]";
}

std::string query_body(std::uint64_t seed, std::size_t dim) {
  std::mt19937_64 random(seed);
  return R"({"query": )" + vector_text(random, dim) +
         R"(, "limit": 10, "with_payload": true, "params": {"hnsw_ef": 128}})";
}

std::string upsert_body(std::uint64_t seed, std::size_t count, std::size_t dim) {
  std::mt19937_64 random(seed);
  std::string out = R"({"points": [)";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ", ";
    out += R"({"id": )" + std::to_string(i) + R"(, "vector": )" + vector_text(random, dim) +
           R"(, "payload": {"city": "Berlin", "price": 11.5, "tags": ["a", "b"], "n": )" +
           std::to_string(random() % 1000) + "}}";
  }
  return out + "]}";
}

/// Bodies differ from round to round, or the branch predictor learns them.
constexpr std::size_t body_count = 16;

template <class Make>
std::vector<std::string> bodies(Make&& make) {
  std::vector<std::string> made;
  for (std::uint64_t seed = 0; seed < body_count; ++seed)
    made.push_back(make(seed));
  return made;
}

template <class Decode>
void run(benchmark::State& state, const std::vector<std::string>& texts, Decode decode) {
  arena memory;
  std::size_t i = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    memory.reset();
    const auto decoded = decode(texts[i], memory);
    if (!decoded) std::abort();
    benchmark::DoNotOptimize(&*decoded);
    bytes += texts[i].size();
    i = (i + 1) % body_count;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void query_fast(benchmark::State& state) {
  const auto dim = static_cast<std::size_t>(state.range(0));
  run(state, bodies([&](std::uint64_t seed) { return query_body(seed, dim); }), rest::decode_query);
}
void query_tree(benchmark::State& state) {
  const auto dim = static_cast<std::size_t>(state.range(0));
  run(state, bodies([&](std::uint64_t seed) { return query_body(seed, dim); }),
      rest::decode_query_document);
}
void floats_only(benchmark::State& state, digits printed) {
  const auto dim = static_cast<std::size_t>(state.range(0));
  const auto texts = bodies([&](std::uint64_t seed) {
    std::mt19937_64 random(seed);
    return vector_text(random, dim, printed);
  });
  std::vector<float> out;
  std::size_t i = 0;
  for (auto _ : state) {
    json::cursor in(texts[i]);
    if (!in.floats(out, dim)) std::abort();
    benchmark::DoNotOptimize(out.data());
    i = (i + 1) % body_count;
  }
}
void upsert_fast(benchmark::State& state) {
  run(state, bodies([](std::uint64_t seed) { return upsert_body(seed, 100, 128); }),
      rest::decode_upsert);
}
void upsert_tree(benchmark::State& state) {
  run(state, bodies([](std::uint64_t seed) { return upsert_body(seed, 100, 128); }),
      rest::decode_upsert_document);
}

BENCHMARK(query_fast)->Arg(128)->Arg(1536);
BENCHMARK(query_tree)->Arg(128)->Arg(1536);
BENCHMARK_CAPTURE(floats_only, of_double, digits::of_double)->Arg(1536);
BENCHMARK_CAPTURE(floats_only, of_float, digits::of_float)->Arg(1536);
BENCHMARK(upsert_fast);
BENCHMARK(upsert_tree);

std::span<const float> vector_of(std::span<const query_request> requests) {
  return std::get<vector_value>(std::get<nearest_query>(requests.front().what).target).values;
}

/// A fast wrong answer is none.
bool both_agree() {
  arena memory;
  const std::string query = query_body(1, 1536);
  const auto fast = rest::decode_query(query, memory);
  const auto slow = rest::decode_query_document(query, memory);
  const std::string points = upsert_body(1, 100, 128);
  const auto fast_points = rest::decode_upsert(points, memory);
  const auto slow_points = rest::decode_upsert_document(points, memory);
  if (!fast || !slow || !fast_points || !slow_points) return false;
  const auto& one = std::get<upsert_points>(*fast_points).points;
  const auto& other = std::get<upsert_points>(*slow_points).points;
  return std::ranges::equal(vector_of(*fast), vector_of(*slow)) &&
         std::ranges::equal(one, other, [](const point_struct& a, const point_struct& b) {
           return a.payload == b.payload &&
                  std::ranges::equal(a.vectors[0].value.values, b.vectors[0].value.values);
         });
}

}  // namespace

int main(int count, char** arguments) {
  if (!both_agree()) {
    std::fputs("the fast path and the tree disagree\n", stderr);
    return 1;
  }
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
