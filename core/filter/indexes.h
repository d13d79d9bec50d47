// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/limits.h"
#include "core/base/result.h"
#include "core/filter/point_source.h"
#include "core/model/payload_schema.h"
#include "core/payload/path.h"

namespace vexfs {

class field_index;

/// A place in an index's order by value, then slot. {} is the start; resuming from where a step
/// stopped is right even if the index has changed between the steps.
struct order_position {
  std::variant<std::monostate, std::int64_t, double> value;  // as in order_by::start_from
  std::uint32_t slot = 0;
  bool passed = false;  // the entry (value, slot) itself has been returned
};
struct order_entry {
  std::variant<std::int64_t, double> value;
  std::uint32_t slot = 0;
};

/// A place among an index's distinct values.
struct facet_position {
  std::uint64_t next = 0;
  bool started = false;
};
struct facet_value {
  std::variant<std::string_view, std::int64_t, bool>
      value;  // strings are unescaped; valid under the guard
  std::uint64_t count = 0;
};

/// The field indexes of one collection. Written by the owner core only, read by any core under the
/// read guard. Every change of a payload must be told, also while an index is being built.
class field_indexes {
 public:
  field_indexes();
  ~field_indexes();
  field_indexes(const field_indexes&) = delete;
  field_indexes& operator=(const field_indexes&) = delete;

  /// Starts an index, empty and not used by any filter until build() has finished; replaces one of
  /// the same key. Refuses parameters that are not supported, and leaves an index that was there.
  [[nodiscard]] result<void> create(std::string_view field, const payload_field_schema& schema);
  /// Indexes up to `budget_points` more slots of what create() has started; true when nothing is
  /// left to build. The exclusive side of the guard.
  bool build(const point_source& source, std::uint32_t budget_points);
  [[nodiscard]] bool building() const;
  /// False: there was none.
  bool drop(std::string_view field);

  // After the source has changed.
  void on_insert(std::uint32_t slot, std::string_view payload);
  /// `payload` is what the point had.
  void on_remove(std::uint32_t slot, std::string_view payload);
  void on_payload_change(std::uint32_t slot, std::string_view from, std::string_view to);

  /// Points that have an indexed value; 0 for a field without an index.
  [[nodiscard]] std::uint64_t points_count(std::string_view field) const;
  [[nodiscard]] const payload_field_schema* schema(std::string_view field) const;
  [[nodiscard]] std::vector<std::string_view> fields() const;

  /// Integer with range, float, datetime: what order_by needs. An index in construction cannot.
  [[nodiscard]] bool can_order(std::string_view field) const;
  /// Keyword, bool, uuid, integer with lookup (in the object form only where it says so).
  [[nodiscard]] bool can_facet(std::string_view field) const;

  /// Fills `entries` with the next ones in the order of values (slots ascending within a value, or
  /// descending), one per (value, point). Fewer than asked for: the end. Requires can_order().
  [[nodiscard]] std::size_t order(std::string_view field, bool descending, order_position& position,
                                  std::span<order_entry> entries) const;

  /// Counts points per value among `allowed` (a bit per slot; empty: all points) for as many values
  /// as `budget_points` allows (a value is counted whole, and once); appends values with a count.
  /// True at the end. Requires can_facet().
  [[nodiscard]] bool facet(std::string_view field, std::span<const std::uint64_t> allowed,
                           std::uint32_t budget_points, facet_position& position,
                           std::vector<facet_value>& values) const;

  // For plans.
  /// Changes with every create, drop and finished build.
  [[nodiscard]] std::uint64_t schema_version() const { return schema_version_; }
  /// Counts the changes of points; the slots of the last filter_change_window are kept.
  [[nodiscard]] std::uint64_t change_count() const { return change_count_; }
  [[nodiscard]] std::uint32_t changed_slot(std::uint64_t change) const {
    return changed_slots_[change % filter_change_window];
  }
  /// The finished index of a path, or null. Paths are equal when their steps are.
  [[nodiscard]] const field_index* find(std::span<const path_step> path) const;

 private:
  struct entry;
  [[nodiscard]] const entry* entry_of(std::string_view field) const;
  void note_change(std::uint32_t slot);

  std::vector<std::unique_ptr<entry>> entries_;
  std::uint64_t schema_version_ = 0;
  std::uint64_t change_count_ = 0;
  std::array<std::uint32_t, filter_change_window> changed_slots_{};
};

}  // namespace vexfs
