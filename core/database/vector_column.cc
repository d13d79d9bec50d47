// SPDX-License-Identifier: Apache-2.0
#include "core/database/vector_column.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/database/half.h"
#include "core/database/prepare.h"
#include "core/io/huge_pages.h"

namespace vexfs {
namespace {

std::size_t element_bytes(datatype type) {
  switch (type) {
    case datatype::float16:
      return 2;
    case datatype::uint8:
      return 1;
    case datatype::float32:
    case datatype::turbo4:
      return 4;
  }
  return 4;
}

}  // namespace

std::size_t vector_column::row_bytes(const vector_params& params) {
  return (params.size * element_bytes(params.type.value_or(datatype::float32)) + 15) / 16 * 16;
}

vector_column::vector_column(std::string name, const vector_params& params, device& machine,
                             std::shared_ptr<coded_rows> codes, std::shared_ptr<row_file> on_disk)
    : column(std::move(name), vector_kind::dense, params.metric),
      dim_(static_cast<std::uint32_t>(params.size)),
      type_(params.type.value_or(datatype::float32)),
      row_bytes_(row_bytes(params)),
      similarity_(similarity_for(params.metric, type_)),
      machine_(machine),
      codes_(std::move(codes)),
      on_disk_(std::move(on_disk)) {}

vector_column::~vector_column() {
  chunks_.each([&](chunk& held) {
    const std::size_t bytes = chunk_rows * row_bytes_;
    if (!io::give_back_huge(held.rows, bytes)) io::give_back_untouched(held.rows, bytes);
  });
}

result<std::shared_ptr<vector_column>> vector_column::create(std::string name,
                                                             const vector_params& params,
                                                             device& machine,
                                                             std::shared_ptr<row_file> on_disk) {
  VEXFS_TRY(auto codes, coded_rows::create(
                            machine, {static_cast<std::uint32_t>(params.size), params.metric}, {}));
  return std::shared_ptr<vector_column>(
      new vector_column(std::move(name), params, machine, std::move(codes), std::move(on_disk)));
}

result<void> vector_column::check(const vector_value& given) const {
  if (given.kind != vector_kind::dense) return wrong_kind(*this, given.kind);
  return check_dim(given, dim_);
}

vector_value vector_column::prepare(const vector_value& given, arena& memory) const {
  const auto values = memory.copy(given.values);
  prepare_row(values, metric(), type_);
  vector_value prepared;
  prepared.values = values;
  return prepared;
}

bool vector_column::make_chunk(slot_index slot) {
  if (chunk_of(slot)) return true;
  auto made = std::make_unique<chunk>();
  if (!on_disk_) {
    const std::size_t bytes = chunk_rows * row_bytes_;
    // Few vectors, or one that few of the points have: what is not used costs nothing in small
    // pages.
    const slot_index before = slot / chunk_rows * chunk_rows;
    const bool is_dense = before > 0 && count() >= before / 2;
    made->rows =
        static_cast<std::byte*>(is_dense ? io::take_huge(bytes) : io::take_untouched(bytes));
    if (!made->rows) return false;
  }
  chunks_.add(slot / chunk_rows, std::move(made));
  return true;
}

result<void> vector_column::insert(std::span<const slot_index> slots,
                                   std::span<const slot_generation> generations,
                                   std::span<const vector_value> values, arena& memory) {
  VEXFS_ASSERT(values.size() == slots.size());
  for (const slot_index slot : slots) {
    if (slot / chunk_rows >= chunk_table<chunk>::chunk_count_max || !make_chunk(slot))
      return fail(errc::insufficient_storage, "out of memory for vectors");
  }
  VEXFS_CHECK(store_rows(slots, values, memory));
  const auto coded = memory.array<float>(slots.size() * dim_);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto row = coded.subspan(i * dim_, dim_);
    std::ranges::copy(values[i].values, row.begin());
    // The bytes of a uint8 cosine have no unit length; their direction is what the device ranks.
    if (type_ == datatype::uint8 && metric() == distance::cosine) normalise(row);
  }
  codes_->move_to_centre(coded);
  VEXFS_CHECK(file().insert(slots, generations, bits_of(coded)));
  for (const slot_index slot : slots)
    chunk_of(slot)->present[slot % chunk_rows / 64].fetch_or(1ULL << (slot % 64),
                                                             std::memory_order_release);
  count_.fetch_add(slots.size(), std::memory_order_relaxed);
  inserted_ += slots.size();
  return {};
}

bool vector_column::is_centring_due() {
  const bool can_move = metric() == distance::euclid || metric() == distance::manhattan;
  const auto new_min = static_cast<std::uint64_t>(static_cast<double>(count()) * centre_new_share);
  if (!can_move || inserted_ < std::max(centre_new_min, new_min)) return false;
  inserted_ = 0;
  return true;
}

result<void> vector_column::store_rows(std::span<const slot_index> slots,
                                       std::span<const vector_value> values, arena& memory) {
  if (!on_disk_) {
    for (std::size_t i = 0; i < slots.size(); ++i)
      encode_row(values[i].values.data(),
                 chunk_of(slots[i])->rows + slots[i] % chunk_rows * row_bytes_);
    return {};
  }
  const std::size_t stride = on_disk_->record_bytes();
  const auto records = memory.array<std::byte>(slots.size() * stride);
  for (std::size_t i = 0; i < slots.size(); ++i)
    encode_row(values[i].values.data(), records.data() + i * stride);
  return on_disk_->write(slots, records);
}

void vector_column::encode_row(const float* values, std::byte* row) const {
  switch (type_) {
    case datatype::float32:
    case datatype::turbo4:
      std::memcpy(row, values, dim_ * sizeof(float));
      break;
    case datatype::float16:
      for (std::uint32_t d = 0; d < dim_; ++d) {
        const std::uint16_t half = half_from_float(values[d]);
        std::memcpy(row + d * sizeof(half), &half, sizeof(half));
      }
      break;
    case datatype::uint8:
      for (std::uint32_t d = 0; d < dim_; ++d)
        row[d] = static_cast<std::byte>(static_cast<std::uint8_t>(values[d]));
      break;
  }
}

void vector_column::remove(slot_index slot) {
  if (!has(slot)) return;
  file().remove({&slot, 1});
  chunk_of(slot)->present[slot % chunk_rows / 64].fetch_and(~(1ULL << (slot % 64)),
                                                            std::memory_order_release);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

bool vector_column::has(slot_index slot) const {
  if (slot / chunk_rows >= chunk_table<chunk>::chunk_count_max) return false;
  const chunk* held = chunk_of(slot);
  return held &&
         (held->present[slot % chunk_rows / 64].load(std::memory_order_acquire) >> (slot % 64) &
          1) != 0;
}

const std::byte* vector_column::row(slot_index slot) const {
  return chunk_of(slot)->rows + slot % chunk_rows * row_bytes_;
}

vector_value vector_column::read(slot_index slot, row_reads& reads, arena& memory) const {
  const auto values = memory.array<float>(dim_);
  if (on_disk_)
    reads.want(on_disk_, slot, type_, values);
  else
    decode_row(type_, row(slot), values);
  vector_value read_back;
  read_back.values = values;
  return read_back;
}

}  // namespace vexfs
