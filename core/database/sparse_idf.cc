// SPDX-License-Identifier: Apache-2.0
#include "core/database/sparse_idf.h"

#include <algorithm>
#include <cmath>

#include "core/base/limits.h"
#include "core/io/slices.h"

namespace vexfs {

io::task<vector_value> weigh_by_rarity(const variable_column& column, const vector_value& query,
                                       slot_index limit,
                                       std::optional<std::span<const std::uint64_t>> among,
                                       arena& memory) {
  // One row of counts a slice: of all its vectors, then of those that have each index.
  const std::size_t row = query.indices.size() + 1;
  const std::uint32_t slices = (limit + variable_slice_rows - 1) / variable_slice_rows;
  const auto counts = memory.array<std::uint32_t>(row * slices);
  auto count = [&](std::uint32_t slice) {
    const auto counted = counts.subspan(row * slice, row);
    const slot_index first = slice * variable_slice_rows;
    const slot_index last = std::min(first + variable_slice_rows, limit);
    for (slot_index slot = first; slot < last; ++slot) {
      if (among && (slot / 64 >= among->size() || ((*among)[slot / 64] >> (slot % 64) & 1) == 0))
        continue;
      if (!column.has(slot)) continue;
      ++counted[0];
      auto stored = column.indices(slot);
      for (std::size_t i = 0; i < query.indices.size() && !stored.empty(); ++i) {
        const auto at = std::ranges::lower_bound(stored, query.indices[i]);
        stored = stored.subspan(static_cast<std::size_t>(at - stored.begin()));
        if (!stored.empty() && stored.front() == query.indices[i]) ++counted[i + 1];
      }
    }
  };
  auto counting = io::run_slices(slices, count);
  co_await counting;

  const auto totals = memory.array<float>(row);
  for (std::uint32_t slice = 0; slice < slices; ++slice)
    for (std::size_t i = 0; i < row; ++i)
      totals[i] += static_cast<float>(counts[row * slice + i]);
  vector_value weighted = query;
  const auto values = memory.copy(query.values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float having = totals[i + 1];
    values[i] *= std::log((totals[0] - having + 0.5F) / (having + 0.5F) + 1.0F);
  }
  weighted.values = values;
  co_return weighted;
}

}  // namespace vexfs
