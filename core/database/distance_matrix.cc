// SPDX-License-Identifier: Apache-2.0
// The distance matrix: random points, and for each the nearest among them.
#include <algorithm>
#include <bit>
#include <vector>

#include "core/base/limits.h"
#include "core/database/database.h"
#include "core/database/rescore.h"
#include "core/database/scroll.h"
#include "core/database/slot_reading.h"
#include "core/io/slices.h"

namespace vexfs {
namespace {

/// Slots that have a vector, of those selected.
selection with_vector(const column& vectors, const selection& selected, arena& memory) {
  const auto words = memory.copy(selected.words);
  selection left{words, 0};
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (std::uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
      const auto slot =
          static_cast<slot_index>(w * 64 + static_cast<unsigned>(std::countr_zero(bits)));
      if (!vectors.has(slot)) words[w] &= ~(1ULL << (slot % 64));
    }
    left.count += static_cast<std::uint64_t>(std::popcount(words[w]));
  }
  return left;
}

struct sampled_point {
  point_id id;
  vector_value vector;
  const std::byte* stored = nullptr;
};

/// The `limit` nearest of all sampled points to one of them, itself not among them.
std::span<matrix_result::cell> nearest_of(std::span<const sampled_point> points, std::uint32_t row,
                                          const column& vectors,
                                          std::span<matrix_result::cell> cells) {
  std::size_t count = 0;
  const auto worse_last = [](const matrix_result::cell& left, const matrix_result::cell& right) {
    return left.score != right.score ? left.score > right.score : left.column < right.column;
  };
  for (std::uint32_t other = 0; other < points.size(); ++other) {
    if (other == row) continue;
    const auto similarity = vectors.similarity(points[row].vector, points[other].stored);
    if (!similarity) continue;
    const matrix_result::cell cell{other, comparable(*similarity)};
    if (count < cells.size()) {
      cells[count++] = cell;
      std::push_heap(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(count), worse_last);
    } else if (worse_last(cell, cells.front())) {
      std::ranges::pop_heap(cells, worse_last);
      cells.back() = cell;
      std::ranges::push_heap(cells, worse_last);
    }
  }
  const auto kept = cells.first(count);
  std::ranges::sort_heap(kept, worse_last);
  for (matrix_result::cell& cell : kept)
    cell.score = score_of(vectors.metric(), cell.score);
  return kept;
}

}  // namespace

io::task<result<matrix_result>> database::distance_matrix(std::string_view name,
                                                          const matrix_request& request,
                                                          arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& source = **found;
  const slot_reading held(source.readers);
  std::shared_ptr<column> vectors;
  {
    const auto section = co_await io::read(source.guard);
    vectors = source.find_column(request.using_vector);
    if (!vectors) co_return std::unexpected(unknown_vector(request.using_vector));
  }
  auto selecting = select_points(source, request.condition, memory);
  const selection candidates = with_vector(*vectors, co_await selecting, memory);
  const payload_selector no_payload;
  const vector_selector no_vector;
  auto sampling = sample_points(source, request.sample, candidates, no_payload, no_vector, memory);
  const auto sample = co_await sampling;
  if (!sample) co_return std::unexpected(sample.error());

  std::vector<sampled_point> points;
  row_reads reads(memory);
  for (std::size_t i = 0; i < sample->size(); i += apply_group_points) {
    const auto section = co_await io::read(source.guard);
    for (const record& one :
         sample->subspan(i, std::min<std::size_t>(apply_group_points, sample->size() - i))) {
      const auto slot = source.id_to_slot.find(one.id);
      if (!slot || !vectors->has(*slot)) continue;
      points.push_back(
          {one.id, vectors->read(*slot, reads, memory), vectors->stored(*slot, reads)});
    }
  }
  VEXFS_CHECK_CO(co_await reads.finish());
  for (sampled_point& point : points)
    point.vector = vectors->prepare(point.vector, memory);
  std::ranges::sort(points, {}, &sampled_point::id);
  const auto ids = memory.array<point_id>(points.size());
  const auto rows = memory.array<std::span<const matrix_result::cell>>(points.size());
  const std::size_t width = std::min<std::uint64_t>(request.limit, points.size());
  if (points.size() * width > matrix_cells_max)
    co_return fail(errc::bad_request, "a matrix of " + std::to_string(points.size()) + " x " +
                                          std::to_string(width) + " scores is too large");
  const auto cells = memory.array<matrix_result::cell>(points.size() * width);
  auto compare = [&](std::uint32_t row) {
    ids[row] = points[row].id;
    rows[row] = nearest_of(points, row, *vectors, cells.subspan(row * width, width));
  };
  auto comparing = io::run_slices(static_cast<std::uint32_t>(points.size()), compare);
  co_await comparing;
  co_return matrix_result{ids, rows};
}

}  // namespace vexfs
