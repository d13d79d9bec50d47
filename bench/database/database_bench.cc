// SPDX-License-Identifier: Apache-2.0
// The parts of a search and of an upsert that are not HTTP: the device's scan, exact similarity,
// log records. One thread.
#include <cmath>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/database/log_record.h"
#include "core/database/rescore.h"
#include "core/database/scan_slices.h"
#include "core/database/wal.h"
#include "ioctl/embedded/embedded_device.h"

namespace vexfs {
namespace {

std::vector<float> gaussian(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values)
    value = normal(random);
  return values;
}

std::shared_ptr<vector_column> filled_column(device& machine, std::uint32_t rows, std::uint32_t dim,
                                             distance metric) {
  vector_params params;
  params.size = dim;
  params.metric = metric;
  auto column = *vector_column::create("", params, machine);
  const auto values = gaussian(std::size_t{rows} * dim, 1);
  for (std::uint32_t row = 0; row < rows; ++row) {
    arena memory;
    const slot_generation generation = 0;
    vector_value given;
    given.values = std::span(values).subspan(std::size_t{row} * dim, dim);
    const vector_value prepared = column->prepare(given, memory);
    if (!column->insert({&row, 1}, {&generation, 1}, {&prepared, 1}, memory)) std::abort();
  }
  return column;
}

/// The k nearest by comparing every row.
float kth_similarity(const vector_column& column, const float* target, std::uint32_t rows,
                     std::size_t k) {
  const similarity_fn similarity = similarity_for(column.metric(), column.type());
  std::vector<float> all(rows);
  for (std::uint32_t row = 0; row < rows; ++row)
    all[row] = similarity(target, column.row(row), column.dim());
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k - 1), all.end(),
                   std::greater<>{});
  return all[k - 1];
}

/// Candidates of int8 codes and their exact ranking: what search_nearest does between its guards.
void scan_batch_of_queries(benchmark::State& state) {
  const auto query_count = static_cast<std::uint32_t>(state.range(0));
  const auto dim = static_cast<std::uint32_t>(state.range(1));
  constexpr std::uint32_t rows = 10'000;
  constexpr std::uint32_t k = 10;
  const auto machine = make_embedded_device();
  const auto column = filled_column(*machine, rows, dim, distance::euclid);
  const auto targets = gaussian(std::size_t{query_count} * dim, 2);
  const std::vector<const std::uint64_t*> allowed(query_count, nullptr);
  arena memory;
  bool checked = false;
  for (auto unused : state) {
    memory.reset();
    scan_slices slices(
        {column.get(), column->codes().get(), k, rows, rows, targets, targets, allowed}, memory);
    for (std::uint32_t index = 0; index < slices.count(); ++index)
      slices.run(index);
    const auto best = slices.best(0, memory);
    benchmark::DoNotOptimize(best.data());
    if (!std::exchange(checked, true) &&
        best[k - 1].similarity != kth_similarity(*column, targets.data(), rows, k))
      state.SkipWithError("not the true k best");
  }
  state.SetItemsProcessed(state.iterations() * query_count);
  state.counters["products/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * query_count * rows * dim,
                         benchmark::Counter::kIsRate);
}
BENCHMARK(scan_batch_of_queries)->Args({1, 128})->Args({64, 128})->Args({1, 384})->Args({64, 384});

void exact_similarity(benchmark::State& state) {
  const auto dim = static_cast<std::uint32_t>(state.range(0));
  const auto query = gaussian(dim, 3);
  const auto row = gaussian(dim, 4);
  const similarity_fn similarity = similarity_for(distance::dot, datatype::float32);
  for (auto unused : state)
    benchmark::DoNotOptimize(
        similarity(query.data(), reinterpret_cast<const std::byte*>(row.data()), dim));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(exact_similarity)->Arg(128)->Arg(384)->Arg(1536);

/// One upsert of 100 points of 128 dimensions as bytes of the log.
void log_upsert(benchmark::State& state) {
  const auto values = gaussian(100 * 128, 5);
  std::vector<named_vector> vectors(100);
  std::vector<point_struct> points(100);
  for (std::size_t i = 0; i < points.size(); ++i) {
    vectors[i].value.values = std::span(values).subspan(i * 128, 128);
    points[i] = {point_id::from_number(i), {&vectors[i], 1}, R"({"city":"Berlin"})"};
  }
  std::string record;
  std::string segment;
  for (auto unused : state) {
    record.clear();
    segment.clear();
    encode_update(upsert_points{points, nullptr, update_mode::upsert}, record);
    append_record(segment, 0, {1, 1, record});
    benchmark::DoNotOptimize(segment.data());
  }
  state.SetItemsProcessed(state.iterations() * 100);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(segment.size()));
}
BENCHMARK(log_upsert);

}  // namespace
}  // namespace vexfs
