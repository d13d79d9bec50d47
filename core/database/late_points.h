// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/database/searcher.h"

namespace vexfs {

/// What has changed since a search began. A point that is written again moves to another slot: the
/// old one is no answer any more, and the new one no candidate, if the filter or the device was
/// asked before. Such a point was there all the time, so its new slot joins the candidates here.
class late_points {
 public:
  /// Under the guard; `since`: the collection's change count before anything was looked at. Slots
  /// of less similarity than `floor` are not of interest: the search has not seen all of those.
  late_points(const collection& source, const nearest_search& search, std::uint64_t since,
              float floor, arena& memory)
      : source_(source), search_(search), seen_(since), floor_(floor), memory_(memory) {}

  /// Notes some of the changed slots that are points; true when those were the last. Under the
  /// guard.
  [[nodiscard]] bool look(row_reads& reads);
  /// True while there are such slots.
  [[nodiscard]] bool is_pending() const { return !pending_.empty(); }
  /// Leaves out those that are not of interest. After reads.finish().
  void rank();
  /// The candidates that are left, best first, with the noted slots that pass; `done` are those
  /// that were looked at already. Under the guard.
  [[nodiscard]] std::span<const scored_slot> join(std::span<const scored_slot> left,
                                                  std::span<const scored_slot> done);
  /// True where there were more changes than are remembered: some points may be missing.
  [[nodiscard]] bool has_gap() const { return has_gap_; }
  /// True where some joined after others had been answered: a point may be there twice.
  [[nodiscard]] bool joined_behind() const { return joined_behind_; }

 private:
  const collection& source_;
  const nearest_search& search_;
  std::uint64_t seen_;
  const float floor_;
  arena& memory_;
  struct changed_slot {
    slot_index slot;
    const std::byte* stored;
    float similarity;
  };
  std::span<changed_slot> pending_;
  bool has_gap_ = false;
  bool joined_behind_ = false;
};

/// The exact similarity of a slot, by what its column has stored; nothing where it is no answer at
/// all.
[[nodiscard]] std::optional<float> similarity_of(const nearest_search& search,
                                                 const std::byte* stored);

}  // namespace vexfs
