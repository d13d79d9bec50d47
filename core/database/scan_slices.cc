// SPDX-License-Identifier: Apache-2.0
#include "core/database/scan_slices.h"

#include <algorithm>

#include "core/base/limits.h"

namespace vexfs {

scan_slices::scan_slices(const scan_batch& batch, arena& memory)
    : batch_(batch),
      similarity_(similarity_for(batch.column->metric(), batch.column->type())),
      capacity_(std::max<std::uint32_t>(batch.k * 4, scan_candidates_min)) {
  const std::uint32_t dim = batch.column->dim();
  const std::uint32_t group = std::min(batch.query_count(), scan_group_queries);
  const std::uint32_t groups = (batch.query_count() + group - 1) / group;
  // A slice ends by arithmetic (several queries) or by memory traffic (one), whichever is first.
  const std::uint64_t by_work = scan_slice_products / (std::uint64_t{group} * dim);
  const std::uint64_t by_bytes = scan_slice_bytes / dim;
  const std::uint64_t compared =
      std::max<std::uint64_t>(std::min(by_work, by_bytes), scan_slice_rows_min);
  // Where filters let few rows through, a slice goes over as many more slots.
  const std::uint64_t sparseness =
      std::max<std::uint64_t>(batch.slot_limit / std::max<std::uint64_t>(batch.row_count, 1), 1);
  const auto rows = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(compared * sparseness, std::max<slot_index>(batch.slot_limit, 1)));
  const std::uint32_t ranges = (batch.slot_limit + rows - 1) / rows;
  slice_count_ = groups * ranges;
  slices_ = memory.array<slice>(slice_count_);
  const std::uint32_t kept = std::min(batch.k, rows);
  for (std::uint32_t index = 0; index < slice_count_; ++index) {
    slice& part = slices_[index];
    part.query_first = index / ranges * group;
    part.query_count = std::min(group, batch.query_count() - part.query_first);
    part.slot_first = index % ranges * rows;
    part.slot_last = std::min(part.slot_first + rows, batch.slot_limit);
    const std::uint32_t capacity = std::min(capacity_, std::max(rows, kept));
    const auto buffer = [&]<class T>(std::span<T>& target, std::size_t size) {
      target = {static_cast<T*>(memory.allocate(size * sizeof(T), alignof(T))), size};
    };
    buffer(part.candidates, std::size_t{part.query_count} * capacity);
    buffer(part.counts, part.query_count);
    buffer(part.overflowed, part.query_count);
    buffer(part.best, std::size_t{part.query_count} * kept);
    part.best_counts = memory.array<std::uint32_t>(part.query_count);
  }
}

void scan_slices::run(std::uint32_t index) {
  slice& part = slices_[index];
  const std::uint32_t dim = batch_.column->dim();
  scan_command command;
  command.k = static_cast<std::uint32_t>(part.best.size() / part.query_count);
  command.slot_first = part.slot_first;
  command.slot_last = part.slot_last;
  command.query_count = part.query_count;
  command.query_bits = bits_of(batch_.coded_targets.subspan(std::size_t{part.query_first} * dim,
                                                            std::size_t{part.query_count} * dim));
  command.allowed = batch_.allowed.subspan(part.query_first, part.query_count);
  command.candidate_capacity =
      static_cast<std::uint32_t>(part.candidates.size() / part.query_count);
  command.candidates = part.candidates;
  command.candidate_counts = part.counts;
  command.overflowed = part.overflowed;
  const auto scanned = batch_.codes->file().scan(command);
  failure_.note(scanned);
  if (!scanned || !batch_.column->in_memory()) return;
  for (std::uint32_t query = 0; query < part.query_count; ++query) {
    if (part.overflowed[query])
      rank_range(part, query);
    else
      rank_candidates(part, query);
  }
}

void scan_slices::keep_best(slice& part, std::uint32_t query, scored_slot scored) {
  // A heap with the worst of the best on top.
  const std::size_t k = part.best.size() / part.query_count;
  scored_slot* heap = part.best.data() + query * k;
  std::uint32_t& count = part.best_counts[query];
  if (count < k) {
    heap[count++] = scored;
    std::push_heap(heap, heap + count, is_better);
  } else if (is_better(scored, heap[0])) {
    std::pop_heap(heap, heap + count, is_better);
    heap[count - 1] = scored;
    std::push_heap(heap, heap + count, is_better);
  }
}

void scan_slices::rank_candidates(slice& part, std::uint32_t query) {
  const vector_column& column = *batch_.column;
  const float* target =
      batch_.targets.data() + std::size_t{part.query_first + query} * column.dim();
  const std::size_t capacity = part.candidates.size() / part.query_count;
  const auto candidates = part.candidates.subspan(query * capacity, part.counts[query]);
  constexpr std::size_t ahead = 4;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i + ahead < candidates.size()) __builtin_prefetch(column.row(candidates[i + ahead].slot));
    const slot_index slot = candidates[i].slot;
    keep_best(part, query, {comparable(similarity_(target, column.row(slot), column.dim())), slot});
  }
}

void scan_slices::rank_range(slice& part, std::uint32_t query) {
  const vector_column& column = *batch_.column;
  const float* target =
      batch_.targets.data() + std::size_t{part.query_first + query} * column.dim();
  const std::uint64_t* allowed = batch_.allowed[part.query_first + query];
  for (slot_index slot = part.slot_first; slot < part.slot_last; ++slot) {
    if (allowed && !(allowed[slot / 64] >> (slot % 64) & 1)) continue;
    if (!column.has(slot)) continue;
    keep_best(part, query, {comparable(similarity_(target, column.row(slot), column.dim())), slot});
  }
}

void scan_slices::list_slots(const slice& part, std::uint32_t query,
                             std::vector<slot_index>& slots) const {
  slots.clear();
  if (!part.overflowed[query]) {
    const std::size_t capacity = part.candidates.size() / part.query_count;
    for (const candidate& one : part.candidates.subspan(query * capacity, part.counts[query]))
      slots.push_back(one.slot);
    // In the order of the file.
    std::ranges::sort(slots);
    return;
  }
  const std::uint64_t* allowed = batch_.allowed[part.query_first + query];
  for (slot_index slot = part.slot_first; slot < part.slot_last; ++slot) {
    if (allowed && !(allowed[slot / 64] >> (slot % 64) & 1)) continue;
    if (batch_.column->has(slot)) slots.push_back(slot);
  }
}

io::task<result<void>> scan_slices::rank_rest(arena& memory) {
  const vector_column& column = *batch_.column;
  if (column.in_memory()) co_return result<void>{};
  struct wanted_row {
    slice* part;
    std::uint32_t query;
    slot_index slot;
    const std::byte* row;
  };
  row_reads reads(memory);
  std::vector<wanted_row> rows;
  std::vector<slot_index> slots;
  const auto rank_rows = [&] {
    for (const wanted_row& one : rows) {
      const float* target =
          batch_.targets.data() + std::size_t{one.part->query_first + one.query} * column.dim();
      keep_best(*one.part, one.query,
                {comparable(similarity_(target, one.row, column.dim())), one.slot});
    }
    rows.clear();
    reads.reuse();
  };
  for (slice& part : slices_) {
    for (std::uint32_t query = 0; query < part.query_count; ++query) {
      list_slots(part, query, slots);
      for (const slot_index slot : slots) {
        rows.push_back({&part, query, slot, column.stored(slot, reads)});
        if (!reads.is_full()) continue;
        VEXFS_CHECK_CO(co_await reads.finish());
        rank_rows();
      }
    }
  }
  VEXFS_CHECK_CO(co_await reads.finish());
  rank_rows();
  co_return result<void>{};
}

std::span<const scored_slot> scan_slices::best(std::uint32_t query, arena& memory) const {
  const std::uint32_t group = std::min(batch_.query_count(), scan_group_queries);
  std::size_t total = 0;
  for (const slice& part : slices_)
    if (part.query_first == query / group * group) total += part.best_counts[query % group];
  const auto merged = memory.array<scored_slot>(total);
  std::size_t count = 0;
  for (const slice& part : slices_) {
    if (part.query_first != query / group * group) continue;
    const std::size_t k = part.best.size() / part.query_count;
    const auto found = part.best.subspan((query % group) * k, part.best_counts[query % group]);
    std::ranges::copy(found, merged.begin() + static_cast<std::ptrdiff_t>(count));
    count += found.size();
  }
  const std::size_t wanted = std::min<std::size_t>(total, batch_.k);
  std::partial_sort(merged.begin(), merged.begin() + static_cast<std::ptrdiff_t>(wanted),
                    merged.end(), is_better);
  return merged.first(wanted);
}

}  // namespace vexfs
