// SPDX-License-Identifier: Apache-2.0
#include "core/database/vector_column.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <new>
#include <vector>

#include "core/base/assert.h"
#include "core/database/half.h"

namespace vexfs {
namespace {

std::size_t element_bytes(datatype type) {
  switch (type) {
    case datatype::float16: return 2;
    case datatype::uint8: return 1;
    case datatype::float32:
    case datatype::turbo4: return 4;
  }
  return 4;
}

/// As the contract says: a vector of nearly unit length stays as it is, and so does zero.
void normalise(std::span<float> values) {
  float squared = 0;
  for (const float value : values) squared += value * value;
  constexpr float near_one = 1e-6F;
  if (squared < std::numeric_limits<float>::epsilon() || std::abs(squared - 1.0F) <= near_one)
    return;
  const float length = std::sqrt(squared);
  for (float& value : values) value /= length;
}

}  // namespace

vector_column::vector_column(std::string name, const vector_params& params,
                             std::unique_ptr<vector_file> file)
    : name_(std::move(name)),
      dim_(static_cast<std::uint32_t>(params.size)),
      metric_(params.metric),
      type_(params.type.value_or(datatype::float32)),
      row_bytes_((dim_ * element_bytes(type_) + 15) / 16 * 16),
      file_(std::move(file)),
      chunks_(std::make_unique<std::atomic<chunk*>[]>(chunk_count_max)) {}

vector_column::~vector_column() {
  for (std::uint32_t index = 0; index < chunk_count_max; ++index) {
    chunk* held = chunks_[index].load(std::memory_order_relaxed);
    if (!held) continue;
    ::operator delete(held->rows, std::align_val_t{64});
    delete held;
  }
}

result<std::shared_ptr<vector_column>> vector_column::create(std::string name,
                                                             const vector_params& params,
                                                             device& machine) {
  // With uint8 a cosine is computed on the bytes, which have no unit length: the device then finds
  // candidates of unit-length copies.
  VEXFS_TRY(auto file,
            machine.create({static_cast<std::uint32_t>(params.size), params.metric}));
  return std::shared_ptr<vector_column>(
      new vector_column(std::move(name), params, std::move(file)));
}

void vector_column::prepare(std::span<float> values) const {
  switch (type_) {
    case datatype::uint8:
      for (float& value : values)
        value = value <= 0 || std::isnan(value) ? 0.0F : value >= 255 ? 255.0F : std::trunc(value);
      return;
    case datatype::float16:
      if (metric_ == distance::cosine) normalise(values);
      for (float& value : values) value = half_to_float(half_from_float(value));
      return;
    case datatype::float32:
    case datatype::turbo4:
      if (metric_ == distance::cosine) normalise(values);
      return;
  }
}

bool vector_column::make_chunk(slot_index slot) {
  std::atomic<chunk*>& place = chunks_[slot / chunk_rows];
  if (place.load(std::memory_order_relaxed)) return true;
  auto made = std::make_unique<chunk>();
  made->rows = static_cast<std::byte*>(
      ::operator new(std::size_t{chunk_rows} * row_bytes_, std::align_val_t{64}, std::nothrow));
  if (!made->rows) return false;
  place.store(made.release(), std::memory_order_release);
  return true;
}

result<void> vector_column::insert(std::span<const slot_index> slots,
                                   std::span<const slot_generation> generations,
                                   std::span<const float> values) {
  VEXFS_ASSERT(values.size() == slots.size() * dim_);
  for (const slot_index slot : slots) {
    if (slot / chunk_rows >= chunk_count_max || !make_chunk(slot))
      return fail(errc::insufficient_storage, "out of memory for vectors");
  }
  std::vector<float> unit;
  std::span<const float> coded = values;
  if (type_ == datatype::uint8 && metric_ == distance::cosine) {
    unit.assign(values.begin(), values.end());
    for (std::size_t i = 0; i < slots.size(); ++i)
      normalise(std::span(unit).subspan(i * dim_, dim_));
    coded = unit;
  }
  for (std::size_t i = 0; i < slots.size(); ++i) {
    std::byte* target = chunk_of(slots[i])->rows + slots[i] % chunk_rows * row_bytes_;
    const float* source = values.data() + i * dim_;
    switch (type_) {
      case datatype::float32:
      case datatype::turbo4:
        std::memcpy(target, source, dim_ * sizeof(float));
        break;
      case datatype::float16:
        for (std::uint32_t d = 0; d < dim_; ++d) {
          const std::uint16_t half = half_from_float(source[d]);
          std::memcpy(target + d * sizeof(half), &half, sizeof(half));
        }
        break;
      case datatype::uint8:
        for (std::uint32_t d = 0; d < dim_; ++d)
          target[d] = static_cast<std::byte>(static_cast<std::uint8_t>(source[d]));
        break;
    }
  }
  static_assert(sizeof(float) == sizeof(std::uint32_t));
  VEXFS_CHECK(file_->insert(
      slots, generations,
      {reinterpret_cast<const std::uint32_t*>(coded.data()), coded.size()}));
  for (const slot_index slot : slots)
    chunk_of(slot)->present[slot % chunk_rows / 64].fetch_or(1ULL << (slot % 64),
                                                             std::memory_order_release);
  count_.fetch_add(slots.size(), std::memory_order_relaxed);
  return {};
}

void vector_column::remove(slot_index slot) {
  if (!has(slot)) return;
  file_->remove({&slot, 1});
  chunk_of(slot)->present[slot % chunk_rows / 64].fetch_and(~(1ULL << (slot % 64)),
                                                            std::memory_order_release);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

bool vector_column::has(slot_index slot) const {
  if (slot / chunk_rows >= chunk_count_max) return false;
  const chunk* held = chunk_of(slot);
  return held && (held->present[slot % chunk_rows / 64].load(std::memory_order_acquire) >>
                  (slot % 64) & 1) != 0;
}

const std::byte* vector_column::row(slot_index slot) const {
  return chunk_of(slot)->rows + slot % chunk_rows * row_bytes_;
}

void vector_column::read(slot_index slot, std::span<float> values) const {
  VEXFS_DASSERT(values.size() == dim_);
  const std::byte* source = row(slot);
  switch (type_) {
    case datatype::float32:
    case datatype::turbo4:
      std::memcpy(values.data(), source, dim_ * sizeof(float));
      break;
    case datatype::float16:
      for (std::uint32_t d = 0; d < dim_; ++d) {
        std::uint16_t half = 0;
        std::memcpy(&half, source + d * sizeof(half), sizeof(half));
        values[d] = half_to_float(half);
      }
      break;
    case datatype::uint8:
      for (std::uint32_t d = 0; d < dim_; ++d)
        values[d] = static_cast<float>(std::to_integer<std::uint8_t>(source[d]));
      break;
  }
}

}  // namespace vexfs
