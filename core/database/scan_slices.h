// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/arena.h"
#include "core/database/first_failure.h"
#include "core/database/rescore.h"
#include "core/database/scored_slot.h"
#include "core/database/vector_column.h"
#include "core/io/task.h"

namespace vexfs {

/// Queries over one column that are scanned together.
struct scan_batch {
  const vector_column* column = nullptr;
  const coded_rows* codes = nullptr;  // the column's, when the search began
  std::uint32_t k = 0;
  slot_index slot_limit = 0;
  std::uint64_t row_count = 0;           // about so many rows are compared: the most of a query
  std::span<const float> targets;        // query_count x dim, prepared
  std::span<const float> coded_targets;  // these where the codes have their centre
  std::span<const std::uint64_t* const> allowed;  // per query: bitmap over slots, or nullptr
  [[nodiscard]] std::uint32_t query_count() const {
    return static_cast<std::uint32_t>(allowed.size());
  }
};

/// A scan of one batch cut into pieces of about 200 us, each of which asks the device for the
/// candidates of a range of slots and ranks them exactly. Rows of a file are read and ranked when
/// all pieces have run. All memory is taken beforehand, so that pieces may run on any core.
class scan_slices {
 public:
  scan_slices(const scan_batch& batch, arena& memory);

  [[nodiscard]] std::uint32_t count() const { return slice_count_; }
  /// Any core; each index once.
  void run(std::uint32_t index);
  /// After all have run without an error: ranks what has to be read first. Nothing where the rows
  /// are in memory.
  [[nodiscard]] io::task<result<void>> rank_rest(arena& memory);
  /// The k best of a query, best first.
  [[nodiscard]] std::span<const scored_slot> best(std::uint32_t query, arena& memory) const;
  /// The first error of a slice, if any.
  [[nodiscard]] result<void> outcome() const { return failure_.outcome(); }

 private:
  struct slice {
    std::uint32_t query_first;
    std::uint32_t query_count;
    slot_index slot_first;
    slot_index slot_last;
    std::span<candidate> candidates;
    std::span<std::uint32_t> counts;
    std::span<std::uint8_t> overflowed;
    std::span<scored_slot> best;  // query_count x k
    std::span<std::uint32_t> best_counts;
  };
  void rank_candidates(slice& part, std::uint32_t query);
  void rank_range(slice& part, std::uint32_t query);
  /// What these two would rank.
  void list_slots(const slice& part, std::uint32_t query, std::vector<slot_index>& slots) const;
  void keep_best(slice& part, std::uint32_t query, scored_slot scored);

  const scan_batch batch_;
  const similarity_fn similarity_;
  std::uint32_t capacity_;
  std::uint32_t slice_count_ = 0;
  std::span<slice> slices_;
  first_failure failure_;
};

}  // namespace vexfs
