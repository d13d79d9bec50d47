// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/first_failure.h"
#include "core/database/scored_slot.h"
#include "core/database/vector_column.h"
#include "core/io/task.h"

namespace vexfs {

/// How hard a graph is searched.
struct search_effort {
  std::uint32_t k = 0;          // slots that are answered
  std::uint32_t wanted = 0;     // slots that are ranked exactly, at the least
  std::uint32_t ef = 0;         // candidates, all of which are ranked if need be
  std::uint32_t stop_rank = 0;  // as the device has them
  std::uint32_t stop_share = 0;
  bool is_by_codes = false;  // scores come from the device's keys; nothing is ranked exactly
  friend bool operator==(const search_effort&, const search_effort&) = default;
};

/// Queries over the graph of one column that are searched with one effort.
struct graph_batch {
  const vector_column* column = nullptr;
  const coded_rows* codes = nullptr;  // the column's, when the search began
  search_effort effort;
  slot_index slot_limit = 0;
  std::span<const float> targets;                 // query_count x dim, prepared
  std::span<const float> coded_targets;           // these where the codes have their centre
  std::span<const std::uint64_t* const> allowed;  // per query: bitmap over slots, or nullptr
  std::span<const std::uint32_t> allowed_counts;  // per query
  [[nodiscard]] std::uint32_t query_count() const {
    return static_cast<std::uint32_t>(allowed.size());
  }
};

/// A search of a graph cut into groups of queries, each of which asks the device for candidates and
/// ranks them exactly, if exact scores are wanted: as many as the codes' errors ask for, which are
/// large where vectors differ little for their length. Rows of a file are read and ranked when all
/// groups have run. All memory is taken beforehand, so that groups may run on any core.
class graph_slices {
 public:
  graph_slices(const graph_batch& batch, arena& memory);

  [[nodiscard]] std::uint32_t count() const { return slice_count_; }
  /// Any core; each index once.
  void run(std::uint32_t index);
  /// After all have run without an error: ranks what has to be read first. Nothing where the rows
  /// are in memory.
  [[nodiscard]] io::task<result<void>> rank_rest(arena& memory);
  /// Whether better slots than those found may well be among those that the walk did not keep: all
  /// that it kept were ranked, and their keys hardly tell which of them are the best.
  [[nodiscard]] bool is_short(std::uint32_t query) const { return is_short_[query]; }
  /// What was found for a query, best first.
  [[nodiscard]] std::span<const scored_slot> best(std::uint32_t query) const;
  /// The first error of a slice, if any.
  [[nodiscard]] result<void> outcome() const { return failure_.outcome(); }

 private:
  /// Scores all candidates by the device's keys.
  void rank_by_keys(std::uint32_t query);
  /// Ranks candidates up to `last`, whose rows row_of(i) gives, and sees how many are needed.
  template <class RowOf>
  void rank(std::uint32_t query, std::size_t last, RowOf&& row_of);
  void rank_in_memory(std::uint32_t query);
  /// How well candidates that have been ranked came in the order of their keys.
  struct order {
    std::size_t needed;     // as many have to be ranked, judged by these
    bool is_nearly_random;  // as for where the k best stand
  };
  [[nodiscard]] order judge(std::span<const scored_slot> scored,
                            std::span<float> similarities) const;

  const graph_batch batch_;
  const similarity_fn similarity_;
  std::uint32_t group_;  // queries of a slice
  std::uint32_t slice_count_;
  std::span<candidate> candidates_;  // query_count x ef
  std::span<std::uint32_t> counts_;
  // Of searches by codes: a key a candidate, a unit a query.
  std::span<std::int32_t> keys_;
  std::span<key_unit> units_;
  std::span<std::uint32_t> ranked_;  // per query, candidates that were; and that have to be
  std::span<std::uint32_t> needed_;
  std::span<bool> is_short_;
  std::span<scored_slot> scored_;  // query_count x ef
  std::span<float> similarities_;  // query_count x ef, of the slots that have been scored
  first_failure failure_;
};

}  // namespace vexfs
