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
// Rows that stay in the second-level cache while that many questions are asked of them.
constexpr std::uint32_t block_bytes = 128 << 10;
constexpr std::uint32_t together_count = 16;

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

std::vector<neighbours> exact_search::nearest(std::span<const question> questions,
                                              std::uint32_t count) const {
  const matrix& scanned = which_ == metric::cosine ? unit_rows_ : base_;
  // For each question a heap with the farthest kept row at its front.
  std::vector<std::vector<std::pair<float, std::uint32_t>>> heaps(questions.size());
  const std::size_t kept_max = std::size_t{count} + spare_count;
  const std::uint32_t block_rows = std::max(1U, block_bytes / (4 * std::max(1U, scanned.columns)));
  for (std::uint32_t begin = 0; begin < scanned.rows; begin += block_rows) {
    const std::uint32_t end = std::min(scanned.rows - begin, block_rows) + begin;
    for (std::size_t index = 0; index < questions.size(); ++index) {
      const question& asked = questions[index];
      auto& kept = heaps[index];
      for (std::uint32_t row = begin; row < end; ++row) {
        const float distance = fast_distance(which_, asked.query, scanned.row(row));
        if (kept.size() == kept_max && distance >= kept.front().first) continue;
        if (asked.allowed && !asked.allowed(row)) continue;
        if (kept.size() == kept_max) {
          std::ranges::pop_heap(kept);
          kept.pop_back();
        }
        kept.emplace_back(distance, row);
        std::ranges::push_heap(kept);
      }
    }
  }
  std::vector<neighbours> found(questions.size());
  for (std::size_t index = 0; index < questions.size(); ++index) {
    std::vector<std::pair<double, std::uint32_t>> ranked;
    for (const auto& [distance, row] : heaps[index])
      ranked.emplace_back(distance_to(questions[index].query, row), row);
    std::ranges::sort(ranked);
    ranked.resize(std::min<std::size_t>(ranked.size(), count));
    for (const auto& [distance, row] : ranked) {
      found[index].rows.push_back(row);
      found[index].distances.push_back(distance);
    }
  }
  return found;
}

std::vector<neighbours> nearest_in_parallel(
    const exact_search& search, std::uint32_t question_count, std::uint32_t count,
    std::uint32_t threads, const std::function<question(std::uint32_t)>& question_of) {
  std::vector<neighbours> found(question_count);
  in_parallel((question_count + together_count - 1) / together_count, threads,
              [&](std::uint32_t group) {
                std::vector<question> asked;
                const std::uint32_t first = group * together_count;
                for (std::uint32_t index = first;
                     index < std::min(question_count, first + together_count); ++index)
                  asked.push_back(question_of(index));
                std::ranges::move(search.nearest(asked, count), found.begin() + first);
              });
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

namespace {

index_matrix computed_rows(const exact_search& search, const matrix& queries, std::uint32_t count,
                           std::uint32_t threads) {
  index_matrix rows(queries.rows, count);
  std::ranges::fill(rows.values, UINT32_MAX);
  const std::vector<neighbours> found =
      nearest_in_parallel(search, queries.rows, count, threads,
                          [&](std::uint32_t query) { return question{queries.row(query)}; });
  for (std::uint32_t query = 0; query < queries.rows; ++query)
    std::ranges::copy(found[query].rows, rows.row(query).begin());
  return rows;
}

}  // namespace

truth compute_truth(const exact_search& search, const matrix& queries, std::uint32_t count,
                    std::uint32_t threads, const std::string& cache_folder) {
  truth made;
  if (cache_folder.empty()) {
    made.rows = computed_rows(search, queries, count, threads);
    return made;
  }
  std::uint64_t hash = content_hash(bytes_of(search.base()));
  hash = content_hash(bytes_of(queries), hash ^ search.base().columns);
  const std::string file = fmt::format("{}/truth-{:016x}-{}-{}.ibin", cache_folder, hash,
                                       name_of(search.which()), count);
  if (auto cached = read_indices(file); cached && cached->rows == queries.rows &&
                                        cached->columns == count &&
                                        std::ranges::all_of(cached->values, [&](std::uint32_t row) {
                                          return row < search.base().rows || row == UINT32_MAX;
                                        })) {
    made.rows = std::move(*cached);
    made.was_cached = true;
    made.file = file;
    return made;
  }
  made.rows = computed_rows(search, queries, count, threads);
  // The folder may be read-only: the truth is as good without a file.
  std::error_code ignored;
  std::filesystem::create_directories(cache_folder, ignored);
  if (write_indices(file, made.rows)) made.file = file;
  return made;
}

}  // namespace vexfs::bench
