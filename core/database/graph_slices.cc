// SPDX-License-Identifier: Apache-2.0
#include "core/database/graph_slices.h"

#include <algorithm>
#include <functional>

#include "core/base/limits.h"

namespace vexfs {

graph_slices::graph_slices(const graph_batch& batch, arena& memory)
    : batch_(batch),
      similarity_(similarity_for(batch.column->metric(), batch.column->type())),
      // A walk takes about as long as it keeps candidates.
      group_(std::clamp(graph_slice_queries * search_ef_default / batch.effort.ef, 1U,
                        graph_slice_queries)),
      slice_count_((batch.query_count() + group_ - 1) / group_) {
  const std::size_t found_max = std::size_t{batch.query_count()} * batch.effort.ef;
  const auto buffer = [&]<class T>(std::span<T>& target) {
    target = {static_cast<T*>(memory.allocate(found_max * sizeof(T), alignof(T))), found_max};
  };
  buffer(candidates_);
  buffer(scored_);
  buffer(similarities_);
  counts_ = memory.array<std::uint32_t>(batch.query_count());
}

void graph_slices::run(std::uint32_t index) {
  const std::uint32_t first = index * group_;
  const std::uint32_t count = std::min(group_, batch_.query_count() - first);
  const std::size_t dim = batch_.column->dim();
  const std::uint32_t ef = batch_.effort.ef;
  const auto targets = batch_.targets.subspan(first * dim, count * dim);
  search_command command;
  command.wanted = ef;
  command.ef = ef;
  command.stop_rank = batch_.effort.stop_rank;
  command.stop_share = batch_.effort.stop_share;
  command.slot_limit = batch_.slot_limit;
  command.query_count = count;
  command.query_bits = {reinterpret_cast<const std::uint32_t*>(targets.data()), targets.size()};
  command.allowed = batch_.allowed.subspan(first, count);
  command.allowed_counts = batch_.allowed_counts.subspan(first, count);
  command.candidates = candidates_.subspan(std::size_t{first} * ef, std::size_t{count} * ef);
  command.candidate_counts = counts_.subspan(first, count);
  const auto searched = batch_.column->file().search(command);
  failure_.note(searched);
  if (!searched) return;
  for (std::uint32_t query = first; query < first + count; ++query)
    rank(query);
}

void graph_slices::rank(std::uint32_t query) {
  const vector_column& column = *batch_.column;
  const std::size_t first = std::size_t{query} * batch_.effort.ef;
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
  std::size_t ranked = 0;
  std::size_t last = std::min<std::size_t>(batch_.effort.wanted, candidates.size());
  while (ranked < last) {
    for (std::size_t i = ranked; i < ranked + ahead; ++i)
      fetch(i);
    for (; ranked < last; ++ranked) {
      fetch(ranked + ahead);
      const slot_index slot = candidates[ranked].slot;
      scored[ranked] = {comparable(similarity_(target, column.row(slot), column.dim())), slot};
    }
    last = std::min(needed(scored.first(ranked), similarities_.subspan(first, ranked)),
                    candidates.size());
  }
  counts_[query] = static_cast<std::uint32_t>(ranked);
  std::ranges::sort(scored.first(ranked), is_better);
}

std::size_t graph_slices::needed(std::span<const scored_slot> scored,
                                 std::span<float> similarities) const {
  const std::size_t k = batch_.effort.k;
  if (scored.size() <= k) return scored.size();
  std::ranges::transform(scored, similarities.begin(), &scored_slot::similarity);
  const auto worst = similarities.begin() + static_cast<std::ptrdiff_t>(k) - 1;
  std::ranges::nth_element(similarities, worst, std::ranges::greater());
  // The codes' errors have put one of the k best so far down; they may have put another down twice
  // as far.
  std::size_t depth = scored.size();
  while (scored[depth - 1].similarity < *worst)
    --depth;
  return k + 2 * (depth - k) + rescored_margin;
}

std::span<const scored_slot> graph_slices::best(std::uint32_t query) const {
  return scored_.subspan(std::size_t{query} * batch_.effort.ef, counts_[query]);
}

}  // namespace vexfs
