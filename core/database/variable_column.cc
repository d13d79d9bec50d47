// SPDX-License-Identifier: Apache-2.0
#include "core/database/variable_column.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <numeric>

#include "core/database/prepare.h"

namespace vexfs {

variable_column::variable_column(std::string name, vector_kind kind, distance metric,
                                 std::uint32_t dim, datatype type)
    : column(std::move(name), kind, metric),
      dim_(dim),
      type_(type),
      similarity_(similarity_for(metric, datatype::float32)) {}

variable_column::~variable_column() {
  chunks_.each([](chunk& held) {
    for (auto& place : held.rows)
      ::operator delete(place.load(std::memory_order_relaxed));
  });
}

std::shared_ptr<variable_column> variable_column::create_multi(std::string name,
                                                               const vector_params& params) {
  return std::shared_ptr<variable_column>(new variable_column(
      std::move(name), vector_kind::multi, params.metric, static_cast<std::uint32_t>(params.size),
      params.type.value_or(datatype::float32)));
}

std::shared_ptr<variable_column> variable_column::create_sparse(
    std::string name, const sparse_vector_params& params) {
  const datatype type =
      params.index ? params.index->type.value_or(datatype::float32) : datatype::float32;
  return std::shared_ptr<variable_column>(
      new variable_column(std::move(name), vector_kind::sparse, distance::dot, 0, type));
}

result<void> variable_column::check(const vector_value& given) const {
  if (kind() == vector_kind::sparse) {
    if (given.kind != vector_kind::sparse) return wrong_kind(*this, given.kind);
    for (const float value : given.values)
      if (!std::isfinite(value))
        return fail(errc::bad_input, "a vector holds a value that is not a finite number");
    return {};
  }
  // A dense vector is a multivector of one row.
  if (given.kind == vector_kind::sparse) return wrong_kind(*this, given.kind);
  return check_dim(given, dim_);
}

vector_value variable_column::prepare(const vector_value& given, arena& memory) const {
  vector_value prepared = given;
  prepared.kind = kind();
  if (kind() == vector_kind::multi) {
    const auto values = memory.copy(given.values);
    for (std::uint32_t r = 0; r < given.row_count; ++r)
      prepare_row(values.subspan(std::size_t{r} * dim_, dim_), metric(), type_);
    prepared.values = values;
    return prepared;
  }
  const auto order = memory.array<std::uint32_t>(given.indices.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return given.indices[i]; });
  const auto indices = memory.array<std::uint32_t>(order.size());
  const auto values = memory.array<float>(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    indices[i] = given.indices[order[i]];
    values[i] = given.values[order[i]];
  }
  prepared.indices = indices;
  prepared.values = values;
  return prepared;
}

result<void> variable_column::insert(std::span<const slot_index> slots,
                                     std::span<const slot_generation>,
                                     std::span<const vector_value> values, arena&) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const slot_index slot = slots[i];
    const vector_value& given = values[i];
    if (slot / chunk_rows >= chunk_table<chunk>::chunk_count_max)
      return fail(errc::insufficient_storage, "a collection holds too many points");
    if (!chunk_of(slot)) chunks_.add(slot / chunk_rows, std::make_unique<chunk>());
    const std::size_t bytes = sizeof(row) + given.values.size_bytes() + given.indices.size_bytes();
    void* memory = ::operator new(bytes, std::nothrow);
    if (!memory) {
      for (const slot_index stored : slots.first(i))
        remove(stored);
      return fail(errc::insufficient_storage, "out of memory for vectors");
    }
    auto* made = std::construct_at(static_cast<row*>(memory));
    made->row_count = given.row_count;
    made->value_count = static_cast<std::uint32_t>(given.values.size());
    auto* target = reinterpret_cast<std::byte*>(made + 1);
    std::memcpy(target, given.values.data(), given.values.size_bytes());
    if (!given.indices.empty())
      std::memcpy(target + given.values.size_bytes(), given.indices.data(),
                  given.indices.size_bytes());
    chunk& held = *chunk_of(slot);
    ::operator delete(held.rows[slot % chunk_rows].exchange(made, std::memory_order_acq_rel));
    held.present[slot % chunk_rows].store(true, std::memory_order_release);
    count_.fetch_add(1, std::memory_order_relaxed);
  }
  return {};
}

void variable_column::remove(slot_index slot) {
  if (!has(slot)) return;
  chunk_of(slot)->present[slot % chunk_rows].store(false, std::memory_order_release);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

bool variable_column::has(slot_index slot) const {
  if (slot / chunk_rows >= chunk_table<chunk>::chunk_count_max) return false;
  const chunk* held = chunk_of(slot);
  return held && held->present[slot % chunk_rows].load(std::memory_order_acquire);
}

vector_value variable_column::read(slot_index slot, row_reads&, arena& memory) const {
  const row& stored = row_of(slot);
  vector_value value;
  value.kind = kind();
  value.row_count = stored.row_count;
  value.values = memory.copy(std::span(stored.values(), stored.value_count));
  if (kind() == vector_kind::sparse)
    value.indices = memory.copy(std::span(stored.indices(), stored.value_count));
  return value;
}

std::optional<float> variable_column::similarity(const vector_value& query,
                                                 const std::byte* stored) const {
  const row& with = *reinterpret_cast<const row*>(stored);
  if (kind() == vector_kind::sparse) {
    float sum = 0;
    bool shared = false;
    const std::uint32_t* at = with.indices();
    const std::uint32_t* end = at + with.value_count;
    for (std::size_t i = 0; i < query.indices.size(); ++i) {
      at = std::lower_bound(at, end, query.indices[i]);
      if (at == end) break;
      if (*at != query.indices[i]) continue;
      sum += query.values[i] * with.values()[at - with.indices()];
      shared = true;
    }
    if (!shared) return std::nullopt;
    return sum;
  }
  float sum = 0;
  for (std::uint32_t q = 0; q < query.row_count; ++q) {
    float best = -std::numeric_limits<float>::infinity();
    for (std::uint32_t r = 0; r < with.row_count; ++r)
      best = std::max(best, similarity_(query.values.data() + std::size_t{q} * dim_,
                                        reinterpret_cast<const std::byte*>(with.values() +
                                                                           std::size_t{r} * dim_),
                                        dim_));
    sum += best;
  }
  return sum;
}

}  // namespace vexfs
