// SPDX-License-Identifier: Apache-2.0
#include "core/database/row_reads.h"

#include <algorithm>
#include <cstring>

#include "core/database/half.h"

namespace vexfs {

void decode_row(datatype type, const std::byte* row, std::span<float> values) {
  switch (type) {
    case datatype::float32:
    case datatype::turbo4:
      std::memcpy(values.data(), row, values.size_bytes());
      break;
    case datatype::float16:
      for (std::size_t d = 0; d < values.size(); ++d) {
        std::uint16_t half = 0;
        std::memcpy(&half, row + d * sizeof(half), sizeof(half));
        values[d] = half_to_float(half);
      }
      break;
    case datatype::uint8:
      for (std::size_t d = 0; d < values.size(); ++d)
        values[d] = static_cast<float>(std::to_integer<std::uint8_t>(row[d]));
      break;
  }
}

std::size_t row_reads::number_of(const std::shared_ptr<row_file>& file) {
  // Mostly there is one, or they are asked for in turn.
  for (std::size_t known = files_.size(); known-- > 0;)
    if (files_[known] == file) return known;
  files_.push_back(file);
  return files_.size() - 1;
}

std::byte* row_reads::take_place(std::size_t bytes) {
  while (block_ < blocks_.size() && blocks_[block_].size() - block_used_ < bytes) {
    ++block_;
    block_used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const std::size_t size =
        std::max(bytes, std::min(row_reads_block_bytes << std::min<std::size_t>(blocks_.size(), 16),
                                 row_reads_bytes_max));
    blocks_.emplace_back(static_cast<std::byte*>(memory_.allocate(size, 64)), size);
  }
  std::byte* place = blocks_[block_].data() + block_used_;
  block_used_ += bytes;
  return place;
}

std::byte* row_reads::add(const std::shared_ptr<row_file>& from, slot_index slot, datatype type,
                          std::span<float> values) {
  std::byte* place = take_place(from->record_bytes());
  wanted_.push_back({number_of(from), slot, place, type, values});
  wanted_bytes_ += from->record_bytes();
  return place;
}

io::task<result<void>> row_reads::read_wanted() {
  if (files_.size() > 1) std::ranges::stable_sort(wanted_, {}, &wanted_row::file);
  result<void> outcome;
  std::vector<io::read_part> parts;
  for (std::size_t first = 0, last = 0; first < wanted_.size() && outcome; first = last) {
    row_file& file = *files_[wanted_[first].file];
    const std::size_t bytes = file.record_bytes();
    parts.clear();
    for (; last < wanted_.size() && wanted_[last].file == wanted_[first].file &&
           (last - first) * bytes < row_reads_bytes_max;
         ++last) {
      const wanted_row& one = wanted_[last];
      // Rows that follow each other, in the file and in memory, are one read.
      if (!parts.empty() && one.slot == wanted_[last - 1].slot + 1 &&
          one.place == wanted_[last - 1].place + bytes) {
        io::read_part& part = parts.back();
        part.into = {part.into.data(), part.into.size() + bytes};
      } else {
        parts.push_back({file.offset_of(one.slot), {one.place, bytes}});
      }
    }
    auto reading = file.read(parts);
    outcome = co_await reading;
    for (std::size_t i = first; i < last && outcome; ++i) {
      outcome = file.check(wanted_[i].slot, wanted_[i].place);
      if (!wanted_[i].values.empty())
        decode_row(wanted_[i].type, wanted_[i].place, wanted_[i].values);
    }
  }
  wanted_.clear();
  wanted_bytes_ = 0;
  co_return outcome;
}

}  // namespace vexfs
