// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/filter/filter_plan.h"
#include "core/filter/indexes.h"
#include "core/model/payload_schema.h"
#include "core/payload/path.h"

namespace vexfs {

class text_analyzer;
struct field_predicate;

/// Bits to be set for slots; those at and above the size are ignored.
class slot_bits {
 public:
  explicit slot_bits(std::span<std::uint64_t> words) : words_(words) {}
  void set(std::uint32_t slot) {
    if (slot >> 6 < words_.size()) words_[slot >> 6] |= 1ULL << (slot & 63);
  }

 private:
  std::span<std::uint64_t> words_;
};

/// Where a selection stopped: an item of the predicate or of the index, and how far it got there.
struct selection_cursor {
  std::uint64_t item = 0;
  bool inside = false;  // key and slot are the last that were selected
  std::uint64_t key = 0;
  std::uint32_t slot = 0;
};

/// One payload key's values, by type. Values are those that the path reaches, with the elements of
/// one level of arrays.
class field_index {
 public:
  [[nodiscard]] static result<std::unique_ptr<field_index>> create(
      const payload_field_params& params);

  virtual ~field_index() = default;

  [[nodiscard]] payload_type type() const { return type_; }
  /// Of a text index, else null.
  [[nodiscard]] virtual const text_analyzer* analyzer() const { return nullptr; }
  /// Points that have a value in the index.
  [[nodiscard]] std::uint64_t points_count() const { return points_count_; }

  void add(std::uint32_t slot, std::string_view payload, std::span<const path_step> key);
  void remove(std::uint32_t slot, std::string_view payload, std::span<const path_step> key);

  /// Nothing where the index cannot serve the predicate; then every point must be looked at. A
  /// predicate that it serves is decided by select() and, where that is not exact(), by looking.
  [[nodiscard]] virtual std::optional<cardinality> estimate(
      const field_predicate& predicate) const = 0;
  /// Sets a bit for every slot with a value that passes. Lowers `budget` by what it set and stops
  /// when nothing is left of it; true at the end.
  virtual bool select(const field_predicate& predicate, selection_cursor& cursor, slot_bits bits,
                      std::uint64_t& budget) const = 0;
  /// False: a selected slot may still fail.
  [[nodiscard]] virtual bool exact(const field_predicate& predicate) const = 0;
  /// Sets a bit for every slot that may pass without being selected, because of values that the
  /// index does not hold.
  virtual void select_undecided(const field_predicate& predicate, slot_bits bits) const = 0;

  [[nodiscard]] virtual bool can_order() const { return false; }
  [[nodiscard]] virtual bool can_match() const { return false; }
  [[nodiscard]] virtual std::size_t order(bool descending, order_position& position,
                                          std::span<order_entry> entries) const;
  [[nodiscard]] virtual bool facet(std::span<const std::uint64_t> allowed,
                                   std::uint32_t budget_points, facet_position& position,
                                   std::vector<facet_value>& values) const;

 protected:
  explicit field_index(payload_type type) : type_(type) {}

  /// One element. True where the index holds it; elements may repeat.
  virtual bool add_value(std::uint32_t slot, std::string_view value) = 0;
  virtual bool remove_value(std::uint32_t slot, std::string_view value) = 0;
  /// After the last value of a slot has been removed.
  virtual void forget(std::uint32_t slot) { static_cast<void>(slot); }

 private:
  payload_type type_;
  std::uint64_t points_count_ = 0;
};

}  // namespace vexfs
