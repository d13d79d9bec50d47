// SPDX-License-Identifier: Apache-2.0
#include "core/database/row_file.h"

#include <algorithm>
#include <cstring>

#include "core/base/crc32c.h"
#include "core/base/limits.h"

namespace vexfs {

row_file::row_file(io::storage& disk, std::string path, std::size_t row_bytes,
                   std::unique_ptr<io::file> opened)
    : disk_(disk),
      path_(std::move(path)),
      row_bytes_(row_bytes),
      record_bytes_((row_bytes + sizeof(std::uint32_t) + 15) / 16 * 16),
      file_(std::move(opened)) {}

row_file::~row_file() {
  // What cannot be removed now goes at the next start.
  [[maybe_unused]] const auto removed = disk_.remove(path_);
}

result<std::shared_ptr<row_file>> row_file::create(io::storage& disk, std::string path,
                                                   std::size_t row_bytes) {
  VEXFS_CHECK(disk.make_directories(directory));
  VEXFS_TRY(auto opened, disk.open(path, io::open_mode::create));
  return std::make_shared<row_file>(disk, std::move(path), row_bytes, std::move(opened));
}

result<void> row_file::reserve(std::uint64_t slot_count) {
  if (slot_count <= reserved_) return {};
  const std::uint64_t more =
      std::min<std::uint64_t>(slot_count + slot_count / 8, slot_count + rows_reserved_max);
  VEXFS_CHECK(file_->reserve(more * record_bytes_));
  reserved_ = more;
  return {};
}

std::uint32_t row_file::checksum(slot_index slot, const std::byte* record) const {
  // The row of another slot is no better than a damaged one.
  return crc32c({record, row_bytes_}) ^ slot;
}

result<void> row_file::write(std::span<const slot_index> slots, std::span<std::byte> records) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    std::byte* record = records.data() + i * record_bytes_;
    const std::uint32_t sum = checksum(slots[i], record);
    std::memcpy(record + row_bytes_, &sum, sizeof(sum));
    std::memset(record + row_bytes_ + sizeof(sum), 0, record_bytes_ - row_bytes_ - sizeof(sum));
  }
  // Slots that follow each other are one write.
  for (std::size_t first = 0, last = 0; first < slots.size(); first = last) {
    last = first + 1;
    while (last < slots.size() && slots[last] == slots[last - 1] + 1)
      ++last;
    VEXFS_CHECK(
        file_->write(offset_of(slots[first]),
                     records.subspan(first * record_bytes_, (last - first) * record_bytes_)));
  }
  return {};
}

result<void> row_file::check(slot_index slot, const std::byte* record) const {
  std::uint32_t sum = 0;
  std::memcpy(&sum, record + row_bytes_, sizeof(sum));
  if (sum == checksum(slot, record)) return {};
  return fail(errc::service,
              "'" + path_ + "' is damaged: a restart of the server makes it anew from the log");
}

}  // namespace vexfs
