// SPDX-License-Identifier: Apache-2.0
#include "core/database/late_points.h"

#include <algorithm>
#include <optional>

#include "core/base/limits.h"
#include "core/database/rescore.h"
#include "core/filter/compiled_filter.h"

namespace vexfs {

bool late_points::look(row_reads& reads) {
  const std::uint64_t count = source_.indexes.change_count();
  if (count - seen_ > filter_change_window) {
    has_gap_ = true;
    seen_ = count - filter_change_window;
  }
  const std::uint64_t last = std::min<std::uint64_t>(count, seen_ + filter_step_points);
  const auto noted = memory_.array<changed_slot>(last - seen_);
  std::size_t noted_count = 0;
  for (; seen_ < last; ++seen_) {
    const slot_index slot = source_.indexes.changed_slot(seen_);
    if (!source_.slots.live(slot) || !search_.over->has(slot)) continue;
    noted[noted_count++] = {slot, search_.over->stored(slot, reads), 0};
  }
  pending_ = noted.first(noted_count);
  return seen_ == count;
}

void late_points::rank() {
  std::size_t count = 0;
  for (const changed_slot& changed : pending_) {
    const auto similarity = similarity_of(search_, changed.stored);
    if (similarity && comparable(*similarity) >= floor_)
      pending_[count++] = {changed.slot, changed.stored, comparable(*similarity)};
  }
  pending_ = pending_.first(count);
}

std::span<const scored_slot> late_points::join(std::span<const scored_slot> left,
                                               std::span<const scored_slot> done) {
  const auto late = memory_.array<scored_slot>(pending_.size());
  std::size_t late_count = 0;
  std::optional<compiled_filter> compiled;
  // Scores by codes are not what a slot's own row says: there it is looked for among all.
  const bool is_by_codes = search_.params.is_by_codes();
  const auto has = [&](std::span<const scored_slot> slots, const scored_slot& wanted) {
    return is_by_codes ? std::ranges::find(slots, wanted.slot, &scored_slot::slot) != slots.end()
                       : std::ranges::binary_search(slots, wanted, is_better);
  };
  for (const changed_slot& changed : pending_) {
    const scored_slot scored{changed.similarity, changed.slot};
    if (has(left, scored) || has(done, scored)) continue;
    // One that has gone since has lost its payload. It joins: the search finds it gone, and looks
    // again.
    if (search_.condition && source_.slots.live(changed.slot)) {
      if (!compiled) compiled.emplace(*search_.condition, &source_.indexes, memory_);
      if (!compiled->matches(source_, changed.slot)) continue;
    }
    late[late_count++] = scored;
  }
  pending_ = {};
  if (late_count == 0) return left;
  joined_behind_ = joined_behind_ || !done.empty();
  const auto found = late.first(late_count);
  std::ranges::sort(found, is_better);
  const auto [end, same] = std::ranges::unique(found, {}, &scored_slot::slot);
  const auto fresh = found.first(static_cast<std::size_t>(end - found.begin()));
  const auto joined = memory_.array<scored_slot>(left.size() + fresh.size());
  std::ranges::merge(left, fresh, joined.begin(), is_better);
  return joined;
}

}  // namespace vexfs
