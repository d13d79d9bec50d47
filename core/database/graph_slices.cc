// SPDX-License-Identifier: Apache-2.0
#include "core/database/graph_slices.h"

#include <algorithm>

#include "core/base/limits.h"

namespace vexfs {

graph_slices::graph_slices(const graph_batch& batch, arena& memory)
    : batch_(batch),
      similarity_(similarity_for(batch.column->metric(), batch.column->type())),
      // A walk takes about as long as it keeps candidates.
      group_(std::clamp(graph_slice_queries * search_ef_default / batch.effort.ef, 1U,
                        graph_slice_queries)),
      slice_count_((batch.query_count() + group_ - 1) / group_) {
  const std::size_t found_max = std::size_t{batch.query_count()} * batch.effort.wanted;
  candidates_ = memory.array<candidate>(found_max);
  scored_ = memory.array<scored_slot>(found_max);
  counts_ = memory.array<std::uint32_t>(batch.query_count());
}

void graph_slices::run(std::uint32_t index) {
  const std::uint32_t first = index * group_;
  const std::uint32_t count = std::min(group_, batch_.query_count() - first);
  const std::size_t dim = batch_.column->dim();
  const std::uint32_t wanted = batch_.effort.wanted;
  const auto targets = batch_.targets.subspan(first * dim, count * dim);
  search_command command;
  command.wanted = wanted;
  command.ef = batch_.effort.ef;
  command.stop_rank = batch_.effort.stop_rank;
  command.stop_share = batch_.effort.stop_share;
  command.slot_limit = batch_.slot_limit;
  command.query_count = count;
  command.query_bits = {reinterpret_cast<const std::uint32_t*>(targets.data()), targets.size()};
  command.allowed = batch_.allowed.subspan(first, count);
  command.allowed_counts = batch_.allowed_counts.subspan(first, count);
  command.candidates =
      candidates_.subspan(std::size_t{first} * wanted, std::size_t{count} * wanted);
  command.candidate_counts = counts_.subspan(first, count);
  const auto searched = batch_.column->file().search(command);
  failure_.note(searched);
  if (!searched) return;
  for (std::uint32_t query = first; query < first + count; ++query)
    rank(query);
}

void graph_slices::rank(std::uint32_t query) {
  const vector_column& column = *batch_.column;
  const std::size_t first = std::size_t{query} * batch_.effort.wanted;
  const auto candidates = candidates_.subspan(first, counts_[query]);
  const auto scored = scored_.subspan(first, counts_[query]);
  const float* target = batch_.targets.data() + std::size_t{query} * column.dim();
  constexpr std::size_t ahead = 4;
  const auto fetch = [&](std::size_t i) {
    if (i >= candidates.size()) return;
    const std::byte* row = column.row(candidates[i].slot);
    for (std::size_t at = 0; at < column.vector_bytes(); at += 64)
      __builtin_prefetch(row + at);
  };
  for (std::size_t i = 0; i < ahead; ++i)
    fetch(i);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    fetch(i + ahead);
    const slot_index slot = candidates[i].slot;
    scored[i] = {comparable(similarity_(target, column.row(slot), column.dim())), slot};
  }
  std::ranges::sort(scored, is_better);
}

std::span<const scored_slot> graph_slices::best(std::uint32_t query) const {
  return scored_.subspan(std::size_t{query} * batch_.effort.wanted, counts_[query]);
}

}  // namespace vexfs
