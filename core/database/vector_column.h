// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "core/base/result.h"
#include "core/database/chunk_table.h"
#include "core/database/coded_rows.h"
#include "core/database/column.h"
#include "core/database/rescore.h"
#include "core/device.h"
#include "core/model/collection_config.h"

namespace vexfs {

/// The originals of one named dense vector, a row a slot: in chunks whose addresses never move, or
/// in a file. Rows are written by the owner core before their slot is published and stay as they
/// are until no reader can hold the slot any more, so readers need no guard.
class vector_column final : public column {
 public:
  /// With a file, of row_bytes(params), the rows are there.
  [[nodiscard]] static result<std::shared_ptr<vector_column>> create(
      std::string name, const vector_params& params, device& machine,
      std::shared_ptr<row_file> on_disk = nullptr);
  [[nodiscard]] static std::size_t row_bytes(const vector_params& params);
  ~vector_column() override;
  vector_column(const vector_column&) = delete;

  [[nodiscard]] std::uint32_t dim() const { return dim_; }
  [[nodiscard]] datatype type() const { return type_; }

  /// Its rows in the device. The owner core looks at them at any time; others take them in a
  /// section of the collection's guard, and hold them as long as they use them.
  [[nodiscard]] const std::shared_ptr<coded_rows>& codes() const { return codes_; }
  [[nodiscard]] vector_file& file() { return codes_->file(); }
  [[nodiscard]] const vector_file& file() const { return codes_->file(); }
  /// True where so many of the column's vectors are new that it should be looked where they lie.
  /// Once.
  [[nodiscard]] bool is_centring_due();
  /// Empty coded rows around a centre; exchange_codes() puts others, with every vector of the
  /// column, in the place of those that are there. In an exclusive section.
  [[nodiscard]] result<std::shared_ptr<coded_rows>> make_codes(std::vector<float> centre) const {
    return coded_rows::create(machine_, {dim_, metric()}, std::move(centre));
  }
  void exchange_codes(std::shared_ptr<coded_rows>& codes) { codes_.swap(codes); }

  [[nodiscard]] result<void> check(const vector_value& given) const override;
  [[nodiscard]] vector_value prepare(const vector_value& given, arena& memory) const override;
  [[nodiscard]] result<void> reserve(std::uint64_t slot_count) override {
    return on_disk_ ? on_disk_->reserve(slot_count) : result<void>{};
  }
  [[nodiscard]] result<void> insert(std::span<const slot_index> slots,
                                    std::span<const slot_generation> generations,
                                    std::span<const vector_value> values, arena& memory) override;
  void remove(slot_index slot) override;
  [[nodiscard]] bool is_free(slot_index slot) const override { return file().is_free(slot); }
  [[nodiscard]] bool has(slot_index slot) const override;
  [[nodiscard]] vector_value read(slot_index slot, row_reads& reads, arena& memory) const override;
  [[nodiscard]] const std::byte* stored(slot_index slot, row_reads& reads) const override {
    return on_disk_ ? reads.want(on_disk_, slot) : row(slot);
  }
  [[nodiscard]] std::optional<float> similarity(const vector_value& query,
                                                const std::byte* stored) const override {
    return similarity_(query.values.data(), stored, dim_);
  }

  /// How fast its graph has been linked lately. Written by the owner core, read by any.
  struct link_pace {
    std::atomic<std::uint64_t> vectors{0};
    std::atomic<std::uint64_t> micros{0};
  };
  link_pace pace;

  /// True where rows are at hand; else stored() has them read.
  [[nodiscard]] bool in_memory() const { return !on_disk_; }
  /// The stored bytes: float, IEEE half or u8 by type(). Only of a slot that has a vector, and
  /// in_memory().
  [[nodiscard]] const std::byte* row(slot_index slot) const;
  [[nodiscard]] std::size_t vector_bytes() const override { return row_bytes_; }

 private:
  vector_column(std::string name, const vector_params& params, device& machine,
                std::shared_ptr<coded_rows> codes, std::shared_ptr<row_file> on_disk);

  static constexpr std::uint32_t chunk_rows = 4096;
  struct chunk {
    std::array<std::atomic<std::uint64_t>, chunk_rows / 64> present{};
    std::byte* rows = nullptr;  // none where they are on the disk
  };

  [[nodiscard]] chunk* chunk_of(slot_index slot) const { return chunks_.find(slot / chunk_rows); }
  [[nodiscard]] bool make_chunk(slot_index slot);
  void encode_row(const float* values, std::byte* row) const;
  [[nodiscard]] result<void> store_rows(std::span<const slot_index> slots,
                                        std::span<const vector_value> values, arena& memory);

  const std::uint32_t dim_;
  const datatype type_;
  const std::size_t row_bytes_;
  const similarity_fn similarity_;
  device& machine_;
  std::shared_ptr<coded_rows> codes_;
  const std::shared_ptr<row_file> on_disk_;
  chunk_table<chunk> chunks_;
  // The owner's own: vectors that were inserted since it was last looked where they lie.
  std::uint64_t inserted_ = 0;
};

}  // namespace vexfs
