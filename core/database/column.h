// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/row_reads.h"
#include "core/device.h"
#include "core/model/vector.h"

namespace vexfs {

/// One named vector of a collection: at most one vector a slot. Written by the owner core before a
/// slot is published; a slot's vector stays as it is until no reader can hold the slot any more, so
/// readers need no guard.
class column {
 public:
  virtual ~column() = default;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] vector_kind kind() const { return kind_; }
  [[nodiscard]] distance metric() const { return metric_; }
  /// Bytes of one vector as it is kept; 0 where they differ.
  [[nodiscard]] virtual std::size_t vector_bytes() const = 0;
  /// Vectors held.
  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

  /// Nothing wrong with a vector for this column, or why: its kind, its dimension.
  [[nodiscard]] virtual result<void> check(const vector_value& given) const = 0;
  /// A checked vector as it is stored, in the arena: unit length for cosine, rounded to the
  /// datatype, sorted. Queries are prepared the same way.
  [[nodiscard]] virtual vector_value prepare(const vector_value& given, arena& memory) const = 0;

  /// Makes sure that slots below `slot_count` will not fail for want of room on the disk.
  [[nodiscard]] virtual result<void> reserve(std::uint64_t) { return {}; }
  /// Stores prepared vectors. On an error nothing was stored. The slots have no vector here.
  [[nodiscard]] virtual result<void> insert(std::span<const slot_index> slots,
                                            std::span<const slot_generation> generations,
                                            std::span<const vector_value> values,
                                            arena& memory) = 0;
  /// Takes the slot's vector away, if it has one.
  virtual void remove(slot_index slot) = 0;
  /// False while something still holds on to a vector that was taken away.
  [[nodiscard]] virtual bool is_free(slot_index) const { return true; }
  [[nodiscard]] virtual bool has(slot_index slot) const = 0;
  /// The stored vector, in the arena; its values are there when reads.finish() has ended. Only of a
  /// slot that has one.
  [[nodiscard]] virtual vector_value read(slot_index slot, row_reads& reads,
                                          arena& memory) const = 0;
  /// What similarity() looks at; it is there when reads.finish() has ended. Only of a slot that has
  /// a vector.
  [[nodiscard]] virtual const std::byte* stored(slot_index slot, row_reads& reads) const = 0;
  /// Internal similarity to a prepared vector, larger is better: a dot product or a negative
  /// distance; of multivectors the sum over the query's rows of the best stored row. Nothing where
  /// sparse vectors share no index.
  [[nodiscard]] virtual std::optional<float> similarity(const vector_value& query,
                                                        const std::byte* stored) const = 0;

 protected:
  column(std::string name, vector_kind kind, distance metric)
      : name_(std::move(name)), kind_(kind), metric_(metric) {}

  std::atomic<std::uint64_t> count_{0};

 private:
  const std::string name_;
  const vector_kind kind_;
  const distance metric_;
};

/// "Not existing vector name error: X", as the contract puts it.
[[nodiscard]] error unknown_vector(std::string_view name);

}  // namespace vexfs
