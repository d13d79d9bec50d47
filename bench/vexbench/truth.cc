// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/truth.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "bench/vexbench/file_bytes.h"
#include "bench/vexbench/vector_file.h"

namespace vexfs::bench {
namespace {

// Candidates kept beyond the wanted ones: float32 may swap a few at the end.
constexpr std::uint32_t spare_count = 32;

std::string_view bytes_of(const matrix& of) {
  return {reinterpret_cast<const char*>(of.values.data()), of.values.size() * sizeof(float)};
}

void scale_to_unit(std::span<float> row) {
  double squares = 0;
  for (const float value : row)
    squares += double{value} * value;
  if (squares == 0) return;
  const double factor = 1 / std::sqrt(squares);
  for (float& value : row)
    value = static_cast<float>(value * factor);
}

}  // namespace

exact_search::exact_search(const matrix& base, metric which) : base_(base), which_(which) {
  if (which_ != metric::cosine) return;
  unit_rows_ = base;
  for (std::uint32_t row = 0; row < unit_rows_.rows; ++row)
    scale_to_unit(unit_rows_.row(row));
}

neighbours exact_search::nearest(std::span<const float> query, std::uint32_t count,
                                 const std::function<bool(std::uint32_t)>& allowed) const {
  const matrix& scanned = which_ == metric::cosine ? unit_rows_ : base_;
  // A heap with the farthest kept row at its front.
  std::vector<std::pair<float, std::uint32_t>> kept;
  const std::size_t kept_max = std::size_t{count} + spare_count;
  for (std::uint32_t row = 0; row < scanned.rows; ++row) {
    if (allowed && !allowed(row)) continue;
    const float distance = fast_distance(which_, query, scanned.row(row));
    if (kept.size() == kept_max) {
      if (distance >= kept.front().first) continue;
      std::ranges::pop_heap(kept);
      kept.pop_back();
    }
    kept.emplace_back(distance, row);
    std::ranges::push_heap(kept);
  }
  std::vector<std::pair<double, std::uint32_t>> ranked;
  for (const auto& [distance, row] : kept)
    ranked.emplace_back(distance_to(query, row), row);
  std::ranges::sort(ranked);
  ranked.resize(std::min<std::size_t>(ranked.size(), count));
  neighbours found;
  for (const auto& [distance, row] : ranked) {
    found.rows.push_back(row);
    found.distances.push_back(distance);
  }
  return found;
}

void in_parallel(std::uint32_t count, std::uint32_t threads,
                 const std::function<void(std::uint32_t)>& work) {
  std::atomic<std::uint32_t> next{0};
  const auto take_all = [&] {
    for (std::uint32_t index = next++; index < count; index = next++)
      work(index);
  };
  std::vector<std::jthread> helpers;
  for (std::uint32_t helper = 1; helper < std::min(threads, count); ++helper)
    helpers.emplace_back(take_all);
  take_all();
}

truth compute_truth(const exact_search& search, const matrix& queries, std::uint32_t count,
                    std::uint32_t threads, const std::string& cache_folder) {
  truth made;
  std::uint64_t hash = content_hash(bytes_of(search.base()));
  hash = content_hash(bytes_of(queries), hash ^ search.base().columns);
  const std::string file = fmt::format("{}/truth-{:016x}-{}-{}.ibin", cache_folder, hash,
                                       name_of(search.which()), count);
  if (auto cached = read_indices(file);
      cached && cached->rows == queries.rows && cached->columns == count) {
    made.rows = std::move(*cached);
    made.was_cached = true;
    made.file = file;
    return made;
  }
  made.rows = index_matrix(queries.rows, count);
  std::ranges::fill(made.rows.values, UINT32_MAX);
  in_parallel(queries.rows, threads, [&](std::uint32_t query) {
    const neighbours found = search.nearest(queries.row(query), count);
    std::ranges::copy(found.rows, made.rows.row(query).begin());
  });
  // The folder may be read-only: the truth is as good without a file.
  std::error_code ignored;
  std::filesystem::create_directories(cache_folder, ignored);
  if (write_indices(file, made.rows)) made.file = file;
  return made;
}

}  // namespace vexfs::bench
