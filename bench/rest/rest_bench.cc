// SPDX-License-Identifier: Apache-2.0
// Request bodies to requests, and results to bodies.
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "net/rest/decode/decode_query.h"
#include "net/rest/decode/decode_update.h"
#include "net/rest/encode.h"

namespace vexfs::rest {
namespace {

std::string vector_text(std::mt19937_64& random, std::size_t dim) {
  std::string text = "[";
  for (std::size_t i = 0; i < dim; ++i) {
    if (i > 0) text += ',';
    text += std::to_string(static_cast<double>(random() % 2'000'001) / 1e6 - 1.0);
  }
  return text + "]";
}

void decode_one_query(benchmark::State& state) {
  std::mt19937_64 random(1);
  const std::string body =
      "{\"query\":" + vector_text(random, static_cast<std::size_t>(state.range(0))) +
      ",\"limit\":10,\"with_payload\":true}";
  arena memory;
  for (auto unused : state) {
    memory.reset();
    const auto decoded = decode_query(body, memory);
    if (!decoded) state.SkipWithError("the body does not decode");
    benchmark::DoNotOptimize(decoded->data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(decode_one_query)->Arg(128)->Arg(1536);

void decode_upsert_of_100(benchmark::State& state) {
  std::mt19937_64 random(2);
  std::string body = "{\"points\":[";
  for (int i = 0; i < 100; ++i)
    body += (i > 0 ? ",{\"id\":" : "{\"id\":") + std::to_string(i) +
            ",\"vector\":" + vector_text(random, 128) + ",\"payload\":{\"city\":\"Berlin\"}}";
  body += "]}";
  arena memory;
  for (auto unused : state) {
    memory.reset();
    const auto decoded = decode_upsert(body, memory);
    if (!decoded) state.SkipWithError("the body does not decode");
    benchmark::DoNotOptimize(&*decoded);
  }
  state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(decode_upsert_of_100);

void encode_records(benchmark::State& state) {
  std::vector<record> records(static_cast<std::size_t>(state.range(0)));
  for (std::size_t i = 0; i < records.size(); ++i) {
    records[i].id = point_id::from_number(i * 7919);
    records[i].version = i;
    records[i].score = 1.0F / static_cast<float>(i + 1);
    records[i].payload = R"({"city":"Berlin","people":3.7})";
  }
  std::string out;
  for (auto unused : state) {
    out.clear();
    append_records(out, records, true);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(encode_records)->Arg(10)->Arg(640);

}  // namespace
}  // namespace vexfs::rest
