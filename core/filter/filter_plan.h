// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/filter/point_source.h"
#include "core/model/filter.h"

namespace vexfs {

class field_indexes;
class compiled_filter;
struct plan_state;

/// Points that a filter lets through: at least min, at most max.
struct cardinality {
  std::uint64_t min = 0;
  std::uint64_t expected = 0;
  std::uint64_t max = 0;
};

/// What a filter let through when so many changes of the collection had been seen.
struct known_bits {
  std::span<const std::uint64_t> words;
  std::uint64_t schema_version = 0;
  std::uint64_t changes_seen = 0;
};

/// Turns a filter into a bitmap over slots, in steps between which the read guard may be given up.
/// Every condition yields two bitmaps, slots that pass and slots that must be looked at; the tree
/// is folded over them, and only what remains undecided at the root is decided from payloads. So
/// the answer never depends on which indexes there are.
///
///   filter_plan plan(filter, memory);
///   for (;;) { guard; if (plan.advance(indexes, source, budget)) break; /* let go, yield */ }
///   use plan.allowed(), plan.count()
///
/// One plan belongs to one core; the arena outlives it. Points that change during the steps are
/// looked at again in the last one.
class filter_plan {
 public:
  /// A null filter lets every live point through. `what` outlives the plan.
  filter_plan(const filter* what, arena& memory);
  /// Of which something is known: where few points have changed since, only these are looked at.
  filter_plan(const filter* what, const known_bits& known, arena& memory);

  /// Does the work of about `budget_points` looked-at payloads (one costs about 0.2 us and never
  /// much more than its own bytes); true when the bitmap is complete.
  [[nodiscard]] bool advance(const field_indexes& indexes, const point_source& source,
                             std::uint32_t budget_points);

  /// A bit per slot. Complete after advance() has returned true.
  [[nodiscard]] std::span<const std::uint64_t> allowed() const;
  [[nodiscard]] std::uint64_t count() const;
  /// What is known now, for a plan of the same filter. Complete after advance() has returned true.
  [[nodiscard]] known_bits known() const;
  /// How many payloads were looked at: what indexes could not decide.
  [[nodiscard]] std::uint64_t checked_count() const;

 private:
  plan_state* state_;
};

/// From the indexes alone, without looking at a point; exact where min equals max.
[[nodiscard]] cardinality estimate_cardinality(const filter* what, const field_indexes& indexes,
                                               std::uint64_t points_count, arena& memory);

}  // namespace vexfs
