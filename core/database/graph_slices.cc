// SPDX-License-Identifier: Apache-2.0
#include "core/database/graph_slices.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "core/base/limits.h"

namespace vexfs {
namespace {

/// Queries that take about as long as a slice may: a walk for as long as it keeps candidates, under
/// a filter longer, and every query looks at the whole tail.
std::uint32_t slice_queries(const graph_batch& batch) {
  const bool has_filter = std::ranges::any_of(batch.allowed, std::identity());
  const std::uint32_t walks =
      std::clamp(graph_slice_queries * search_ef_default / batch.effort.ef, 1U,
                 has_filter ? graph_slice_queries : graph_slice_queries_max);
  const auto graph = batch.codes->file().graph();
  const std::uint64_t tail_bytes =
      graph ? std::uint64_t{graph->tail_count} * batch.column->dim() : 0;
  const std::uint64_t scans = scan_slice_bytes / std::max<std::uint64_t>(tail_bytes, 1);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(scans, 1, walks));
}

}  // namespace

graph_slices::graph_slices(const graph_batch& batch, arena& memory)
    : batch_(batch),
      similarity_(similarity_for(batch.column->metric(), batch.column->type())),
      group_(slice_queries(batch)),
      slice_count_((batch.query_count() + group_ - 1) / group_) {
  const std::size_t found_max = std::size_t{batch.query_count()} * batch.effort.ef;
  const auto buffer = [&]<class T>(std::span<T>& target) {
    target = {static_cast<T*>(memory.allocate(found_max * sizeof(T), alignof(T))), found_max};
  };
  buffer(candidates_);
  buffer(scored_);
  buffer(similarities_);
  counts_ = memory.array<std::uint32_t>(batch.query_count());
  ranked_ = memory.array<std::uint32_t>(batch.query_count());
  if (batch.effort.is_by_codes) {
    buffer(keys_);
    units_ = memory.array<key_unit>(batch.query_count());
  }
  needed_ = memory.array<std::uint32_t>(batch.query_count());
  is_short_ = memory.array<bool>(batch.query_count());
}

void graph_slices::run(std::uint32_t index) {
  const std::uint32_t first = index * group_;
  const std::uint32_t count = std::min(group_, batch_.query_count() - first);
  const std::size_t dim = batch_.column->dim();
  const std::uint32_t ef = batch_.effort.ef;
  search_command command;
  command.wanted = ef;
  command.ef = ef;
  command.stop_rank = batch_.effort.stop_rank;
  command.stop_share = batch_.effort.stop_share;
  command.slot_limit = batch_.slot_limit;
  command.query_count = count;
  command.query_bits = bits_of(batch_.coded_targets.subspan(first * dim, count * dim));
  command.allowed = batch_.allowed.subspan(first, count);
  command.allowed_counts = batch_.allowed_counts.subspan(first, count);
  command.candidates = candidates_.subspan(std::size_t{first} * ef, std::size_t{count} * ef);
  command.candidate_counts = counts_.subspan(first, count);
  if (batch_.effort.is_by_codes) {
    command.keys = keys_.subspan(std::size_t{first} * ef, std::size_t{count} * ef);
    command.units = units_.subspan(first, count);
  }
  const auto searched = batch_.codes->file().search(command);
  failure_.note(searched);
  if (!searched) return;
  for (std::uint32_t query = first; query < first + count; ++query) {
    if (batch_.effort.is_by_codes) {
      rank_by_keys(query);
      continue;
    }
    needed_[query] = std::min(batch_.effort.wanted, counts_[query]);
    if (batch_.column->in_memory()) rank_in_memory(query);
  }
}

void graph_slices::rank_by_keys(std::uint32_t query) {
  const std::size_t first = std::size_t{query} * batch_.effort.ef;
  const auto scored = scored_.subspan(first, counts_[query]);
  const std::size_t dim = batch_.column->dim();
  const auto target = batch_.coded_targets.subspan(query * dim, dim);
  double square = 0;
  for (const float value : target)
    square += double{value} * value;
  double unit = std::ldexp(units_[query].mantissa, units_[query].exponent);
  // A target of uint8 under Cosine is not of unit length; the codes of its rows are.
  const distance metric = batch_.column->metric();
  if (metric == distance::cosine && square > 0) unit /= std::sqrt(square);
  for (std::size_t i = 0; i < scored.size(); ++i) {
    const double key = keys_[first + i] * unit;
    const double similarity = metric == distance::euclid ? -std::max(2 * key + square, 0.0) : -key;
    scored[i] = {comparable(static_cast<float>(similarity)), candidates_[first + i].slot};
  }
  ranked_[query] = needed_[query] = counts_[query];
  std::ranges::sort(scored, is_better);
}

template <class RowOf>
void graph_slices::rank(std::uint32_t query, std::size_t last, RowOf&& row_of) {
  const vector_column& column = *batch_.column;
  const std::size_t first = std::size_t{query} * batch_.effort.ef;
  const auto candidates = candidates_.subspan(first, counts_[query]);
  const auto scored = scored_.subspan(first, counts_[query]);
  const float* target = batch_.targets.data() + std::size_t{query} * column.dim();
  std::size_t ranked = ranked_[query];
  for (; ranked < last; ++ranked)
    scored[ranked] = {comparable(similarity_(target, row_of(ranked), column.dim())),
                      candidates[ranked].slot};
  ranked_[query] = static_cast<std::uint32_t>(ranked);
  if (ranked < needed_[query]) return;
  const order seen = judge(scored.first(ranked), similarities_.subspan(first, ranked));
  needed_[query] = static_cast<std::uint32_t>(std::min(seen.needed, candidates.size()));
  if (ranked < needed_[query]) return;
  is_short_[query] = seen.is_nearly_random && seen.needed > candidates.size() &&
                     candidates.size() < batch_.allowed_counts[query];
  needed_[query] = ranked_[query];
  std::ranges::sort(scored.first(ranked), is_better);
}

void graph_slices::rank_in_memory(std::uint32_t query) {
  const vector_column& column = *batch_.column;
  const auto candidates =
      candidates_.subspan(std::size_t{query} * batch_.effort.ef, counts_[query]);
  const std::size_t ahead = rows_ahead(column.vector_bytes());
  const auto fetch = [&](std::size_t i) {
    if (i >= candidates.size()) return;
    const std::byte* row = column.row(candidates[i].slot);
    for (std::size_t at = 0; at < column.vector_bytes(); at += 64)
      __builtin_prefetch(row + at);
  };
  while (ranked_[query] < needed_[query]) {
    for (std::size_t i = ranked_[query]; i < ranked_[query] + ahead; ++i)
      fetch(i);
    rank(query, needed_[query], [&](std::size_t i) {
      fetch(i + ahead);
      return column.row(candidates[i].slot);
    });
  }
}

io::task<result<void>> graph_slices::rank_rest(arena& memory) {
  row_reads reads(memory);
  std::vector<const std::byte*> rows;
  // In rounds of as many queries, or as much of one, as is read at once; those whose candidates
  // turn out to be too few come again.
  for (bool any = true; any;) {
    any = false;
    for (std::uint32_t first = 0, last = 0; first < batch_.query_count(); first = last) {
      rows.clear();
      std::size_t left = 0;  // of the last query, for later
      for (last = first; last < batch_.query_count() && !reads.is_full(); ++last) {
        std::size_t next = ranked_[last];
        for (; next < needed_[last] && !reads.is_full(); ++next)
          rows.push_back(batch_.column->stored(
              candidates_[std::size_t{last} * batch_.effort.ef + next].slot, reads));
        left = needed_[last] - next;
      }
      VEXFS_CHECK_CO(co_await reads.finish());
      any = any || !rows.empty();
      const std::byte* const* next = rows.data();
      for (std::uint32_t query = first; query < last; ++query) {
        const std::size_t from = ranked_[query];
        const std::size_t to = needed_[query] - (query + 1 == last ? left : 0);
        if (from == to) continue;
        rank(query, to, [&](std::size_t i) { return next[i - from]; });
        next += to - from;
      }
      reads.reuse();
    }
  }
  co_return result<void>{};
}

graph_slices::order graph_slices::judge(std::span<const scored_slot> scored,
                                        std::span<float> similarities) const {
  const std::size_t k = batch_.effort.k;
  const std::size_t count = scored.size();
  if (count <= k) return {count, false};
  std::ranges::transform(scored, similarities.begin(), &scored_slot::similarity);
  const auto worst = similarities.begin() + static_cast<std::ptrdiff_t>(k) - 1;
  std::ranges::nth_element(similarities, worst, std::ranges::greater());
  // Of those that are as good as the last one, the first may be it.
  auto alike = std::ranges::count(similarities.first(k), *worst);
  std::size_t depth = k;      // the k best are among so many
  std::size_t misplaced = 0;  // of them, those that are not among the first k
  for (std::size_t i = 0; i < count; ++i) {
    const float similarity = scored[i].similarity;
    if (similarity < *worst || (similarity == *worst && alike-- <= 0)) continue;
    depth = std::max(depth, i + 1);
    misplaced += i >= k;
  }
  // The codes' errors have put one of the k best so far down; they may have put another down twice
  // as far. Were keys random, so large a part would be misplaced as the first k leave; where that
  // is little, it tells nothing.
  return {k + 2 * (depth - k) + rescored_margin,
          2 * misplaced * count > k * (count - k) && 5 * misplaced >= k};
}

std::span<const scored_slot> graph_slices::best(std::uint32_t query) const {
  return scored_.subspan(std::size_t{query} * batch_.effort.ef, ranked_[query]);
}

}  // namespace vexfs
