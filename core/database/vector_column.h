// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/device.h"
#include "core/model/collection_config.h"

namespace vexfs {

/// The originals of one named dense vector, a row a slot, in chunks whose addresses never move.
/// Rows are written by the owner core before their slot is published and stay as they are until no
/// reader can hold the slot any more, so readers need no guard.
class vector_column {
 public:
  [[nodiscard]] static result<std::shared_ptr<vector_column>> create(std::string name,
                                                                     const vector_params& params,
                                                                     device& machine);
  ~vector_column();
  vector_column(const vector_column&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint32_t dim() const { return dim_; }
  [[nodiscard]] distance metric() const { return metric_; }
  [[nodiscard]] datatype type() const { return type_; }
  [[nodiscard]] vector_file& file() { return *file_; }

  /// A vector as it is stored: unit length for cosine, rounded to the datatype. In place.
  void prepare(std::span<float> values) const;

  /// Stores prepared vectors (slots.size() x dim) and hands them to the device. On an error nothing
  /// was stored. The slots have no vector here.
  [[nodiscard]] result<void> insert(std::span<const slot_index> slots,
                                    std::span<const slot_generation> generations,
                                    std::span<const float> values);
  /// Takes the slot's vector away.
  void remove(slot_index slot);

  [[nodiscard]] bool has(slot_index slot) const;
  /// The stored vector as floats.
  void read(slot_index slot, std::span<float> values) const;
  /// The stored bytes: float, IEEE half or u8 by type(). Only of a slot that has a vector.
  [[nodiscard]] const std::byte* row(slot_index slot) const;
  [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  vector_column(std::string name, const vector_params& params,
                std::unique_ptr<vector_file> file);

  static constexpr std::uint32_t chunk_rows = 4096;
  static constexpr std::uint32_t chunk_count_max = 65536;
  struct chunk {
    std::array<std::atomic<std::uint64_t>, chunk_rows / 64> present{};
    std::byte* rows = nullptr;
  };

  [[nodiscard]] chunk* chunk_of(slot_index slot) const {
    return chunks_[slot / chunk_rows].load(std::memory_order_acquire);
  }
  [[nodiscard]] bool make_chunk(slot_index slot);

  const std::string name_;
  const std::uint32_t dim_;
  const distance metric_;
  const datatype type_;
  const std::size_t row_bytes_;
  const std::unique_ptr<vector_file> file_;
  std::unique_ptr<std::atomic<chunk*>[]> chunks_;
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace vexfs
