// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "core/database/chunk_table.h"
#include "core/database/column.h"
#include "core/database/rescore.h"
#include "core/model/collection_config.h"

namespace vexfs {

/// Vectors whose size differs from slot to slot: multivectors and sparse ones. A row is one block
/// of memory of its own. They are searched by comparing every row; the device does not know them.
class variable_column final : public column {
 public:
  [[nodiscard]] static std::shared_ptr<variable_column> create_multi(std::string name,
                                                                     const vector_params& params);
  [[nodiscard]] static std::shared_ptr<variable_column> create_sparse(
      std::string name, const sparse_vector_params& params);
  ~variable_column() override;

  [[nodiscard]] std::size_t vector_bytes() const override { return 0; }
  [[nodiscard]] result<void> check(const vector_value& given) const override;
  [[nodiscard]] vector_value prepare(const vector_value& given, arena& memory) const override;
  [[nodiscard]] result<void> insert(std::span<const slot_index> slots,
                                    std::span<const slot_generation> generations,
                                    std::span<const vector_value> values, arena& memory) override;
  void remove(slot_index slot) override;
  [[nodiscard]] bool has(slot_index slot) const override;
  [[nodiscard]] vector_value read(slot_index slot, row_reads& reads, arena& memory) const override;
  [[nodiscard]] const std::byte* stored(slot_index slot, row_reads&) const override {
    return reinterpret_cast<const std::byte*>(&row_of(slot));
  }
  [[nodiscard]] std::optional<float> similarity(const vector_value& query,
                                                const std::byte* stored) const override;
  /// The indices of a stored sparse vector, ascending. Only of a slot that has one.
  [[nodiscard]] std::span<const std::uint32_t> indices(slot_index slot) const {
    return {row_of(slot).indices(), row_of(slot).value_count};
  }

 private:
  variable_column(std::string name, vector_kind kind, distance metric, std::uint32_t dim,
                  datatype type);

  /// Followed by value_count floats and, of a sparse row, as many indices, ascending.
  struct row {
    std::uint32_t row_count;
    std::uint32_t value_count;
    [[nodiscard]] const float* values() const { return reinterpret_cast<const float*>(this + 1); }
    [[nodiscard]] const std::uint32_t* indices() const {
      return reinterpret_cast<const std::uint32_t*>(values() + value_count);
    }
  };
  static constexpr std::uint32_t chunk_rows = 4096;
  // A dead slot keeps its row until the slot is used again: a reader may still look at it.
  struct chunk {
    std::array<std::atomic<row*>, chunk_rows> rows{};
    std::array<std::atomic<bool>, chunk_rows> present{};
  };
  [[nodiscard]] chunk* chunk_of(slot_index slot) const { return chunks_.find(slot / chunk_rows); }
  [[nodiscard]] const row& row_of(slot_index slot) const {
    return *chunk_of(slot)->rows[slot % chunk_rows].load(std::memory_order_acquire);
  }

  const std::uint32_t dim_;
  const datatype type_;
  const similarity_fn similarity_;
  chunk_table<chunk> chunks_;
};

}  // namespace vexfs
