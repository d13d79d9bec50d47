// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/device.h"
#include "core/io/storage.h"

namespace vexfs {

/// The originals of one vector column on the disk: a record a slot, in the order of slots. A record
/// is a row and a checksum over it and its slot. The log holds the vectors too, so the file is made
/// anew at every start, is never synced, and goes with its last user.
class row_file {
 public:
  /// Where these files are; nothing in it outlives the process that made it.
  static constexpr std::string_view directory = "rows";

  [[nodiscard]] static result<std::shared_ptr<row_file>> create(io::storage& disk, std::string path,
                                                                std::size_t row_bytes);
  row_file(io::storage& disk, std::string path, std::size_t row_bytes,
           std::unique_ptr<io::file> opened);
  row_file(const row_file&) = delete;
  ~row_file();

  /// Of a record. Rows begin at multiples of 16 in memory where the first one does.
  [[nodiscard]] std::size_t record_bytes() const { return record_bytes_; }
  [[nodiscard]] std::uint64_t offset_of(slot_index slot) const {
    return std::uint64_t{slot} * record_bytes_;
  }

  /// Has room for slots below `slot_count`, or says that the disk is full. The owner core's.
  [[nodiscard]] result<void> reserve(std::uint64_t slot_count);
  /// Completes records whose rows are there, and writes them. The owner core's.
  [[nodiscard]] result<void> write(std::span<const slot_index> slots, std::span<std::byte> records);
  /// On any core.
  [[nodiscard]] io::task<result<void>> read(std::span<const io::read_part> parts) {
    return file_->read_parts(parts);
  }
  /// Whether a record that was read is the slot's, as it was written.
  [[nodiscard]] result<void> check(slot_index slot, const std::byte* record) const;

 private:
  [[nodiscard]] std::uint32_t checksum(slot_index slot, const std::byte* record) const;

  io::storage& disk_;
  const std::string path_;
  const std::size_t row_bytes_;
  const std::size_t record_bytes_;
  const std::unique_ptr<io::file> file_;
  std::uint64_t reserved_ = 0;  // slots
};

}  // namespace vexfs
