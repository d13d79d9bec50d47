// SPDX-License-Identifier: Apache-2.0
#include "core/database/centring.h"

#include <algorithm>
#include <cmath>

#include "core/base/limits.h"
#include "core/database/vector_column.h"
#include "core/io/loop.h"

namespace vexfs {
namespace {

/// The mean square of the rows' distance from a point; without one, from zero.
double mean_square(std::span<const float> rows, std::uint32_t dim, std::span<const float> point) {
  double sum = 0;
  for (std::size_t first = 0; first < rows.size(); first += dim) {
    for (std::uint32_t d = 0; d < dim; ++d) {
      const double difference = double{rows[first + d]} - (point.empty() ? 0.0 : double{point[d]});
      sum += difference * difference;
    }
  }
  return sum * dim / static_cast<double>(rows.size());
}

std::vector<float> mean_of(std::span<const float> rows, std::uint32_t dim) {
  std::vector<double> sums(dim);
  for (std::size_t first = 0; first < rows.size(); first += dim)
    for (std::uint32_t d = 0; d < dim; ++d)
      sums[d] += rows[first + d];
  std::vector<float> mean(dim);
  for (std::uint32_t d = 0; d < dim; ++d)
    mean[d] = static_cast<float>(sums[d] * dim / static_cast<double>(rows.size()));
  return mean;
}

/// Rows one behind the other.
std::span<float> joined(std::span<const std::span<const float>> rows, std::uint32_t dim,
                        arena& memory) {
  const auto values = memory.array<float>(rows.size() * dim);
  auto end = values.begin();
  for (const auto& row : rows)
    end = std::ranges::copy(row, end).out;
  return values;
}

/// Some rows from all over the column.
io::task<result<std::span<const float>>> sample_of(const vector_column& dense, slot_index limit,
                                                   arena& memory) {
  const std::uint32_t dim = dense.dim();
  const std::uint64_t wanted = std::clamp<std::uint64_t>(
      centre_sample_values / dim, centre_sample_rows_min, centre_sample_rows_max);
  const auto found = memory.array<std::span<const float>>(wanted);
  row_reads reads(memory);
  std::size_t count = 0;
  slot_index slot = 0;
  std::uint32_t looks = 0;
  for (std::uint64_t i = 0; i < wanted; ++i) {
    slot = std::max(slot, static_cast<slot_index>(i * limit / wanted));
    for (; slot < limit && !dense.has(slot); ++slot)
      if (++looks % filter_step_points == 0) co_await io::loop::current().yield();
    if (slot == limit) break;
    found[count++] = dense.read(slot++, reads, memory).values;
  }
  VEXFS_CHECK_CO(co_await reads.finish());
  co_return joined(found.first(count), dim, memory);
}

/// All of a column's vectors around another centre.
io::task<result<std::shared_ptr<coded_rows>>> code_anew(const collection& target,
                                                        const vector_column& dense,
                                                        std::vector<float> centre) {
  auto made = dense.make_codes(std::move(centre));
  if (!made) co_return std::unexpected(std::move(made).error());
  const std::uint32_t dim = dense.dim();
  const std::size_t group =
      std::clamp<std::size_t>(apply_group_values / dim, 1, filter_step_points);
  const slot_index limit = target.slots.limit();
  arena memory;
  for (slot_index next = 0; next < limit;) {
    memory.reset();
    const auto slots = memory.array<slot_index>(group);
    const auto generations = memory.array<slot_generation>(group);
    const auto rows = memory.array<std::span<const float>>(group);
    row_reads reads(memory);
    std::size_t count = 0;
    for (slot_index looks = 0; next < limit && count < group && looks < filter_step_points;
         ++next, ++looks) {
      if (!dense.has(next)) continue;
      slots[count] = next;
      generations[count] = target.slots.generation(next);
      rows[count++] = dense.read(next, reads, memory).values;
    }
    VEXFS_CHECK_CO(co_await reads.finish());
    const auto coded = joined(rows.first(count), dim, memory);
    (*made)->move_to_centre(coded);
    VEXFS_CHECK_CO(
        (*made)->file().insert(slots.first(count), generations.first(count), bits_of(coded)));
    co_await io::loop::current().yield();
  }
  co_return std::move(*made);
}

io::task<void> centre_column(collection& target, vector_column& dense) {
  arena memory;
  auto sampling = sample_of(dense, target.slots.limit(), memory);
  const auto sample = co_await sampling;
  if (!sample || sample->empty()) co_return;
  auto centre =
      better_centre(*sample, dense.dim(), dense.codes()->centre(),
                    dense.count() > centre_long_rows ? centre_gain_min_long : centre_gain_min);
  if (!centre) co_return;
  auto coding = code_anew(target, dense, std::move(*centre));
  auto coded = co_await coding;
  if (!coded) co_return;
  // The old ones go after the section, when no search has them any more.
  std::shared_ptr<coded_rows> codes = std::move(*coded);
  const auto section = co_await io::write(target.guard);
  dense.exchange_codes(codes);
  target.touch_info();
}

}  // namespace

std::optional<std::vector<float>> better_centre(std::span<const float> rows, std::uint32_t dim,
                                                std::span<const float> current, double gain_min) {
  std::vector<float> mean = mean_of(rows, dim);
  const double around_zero = mean_square(rows, dim, {});
  const double around_mean = mean_square(rows, dim, mean);
  const double now = mean_square(rows, dim, current);
  // A sample lies nearer to its own mean than to that of another sample of the same vectors.
  const std::size_t row_count = rows.size() / dim;
  const double mean_gain_min = gain_min * static_cast<double>(row_count + 1) /
                               static_cast<double>(std::max<std::size_t>(row_count, 2) - 1);
  // Of rows that are all alike there is nothing to tell apart.
  const bool can_be_mean = around_mean > 0 && std::ranges::all_of(mean, [](float value) {
                             return std::abs(value) <= centre_value_max;
                           });
  if (can_be_mean && around_zero > centre_far_min * around_mean)
    return now > mean_gain_min * around_mean ? std::optional(std::move(mean)) : std::nullopt;
  // What came first lay apart from the rest.
  if (!current.empty() && now > gain_min * around_zero) return std::vector<float>();
  return std::nullopt;
}

io::task<void> centre_codes(collection& target) {
  // Held: awaiting leaves the map to others.
  std::vector<std::shared_ptr<vector_column>> due;
  for (const auto& [name, one] : target.columns) {
    if (one->kind() != vector_kind::dense) continue;
    auto dense = std::static_pointer_cast<vector_column>(one);
    if (dense->is_centring_due()) due.push_back(std::move(dense));
  }
  for (const auto& dense : due) {
    auto centring = centre_column(target, *dense);
    co_await centring;
  }
}

}  // namespace vexfs
