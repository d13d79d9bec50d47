// SPDX-License-Identifier: Apache-2.0
#include "core/database/update_resolve.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "core/base/limits.h"
#include "core/database/row_reads.h"
#include "core/database/selection.h"
#include "core/filter/compiled_filter.h"

namespace vexfs {
namespace {

error no_point(const point_id& id) {
  return {errc::not_found, "No point with id " + id.text() + " found"};
}

template <class Point>
std::span<const Point> keep(std::span<const Point> points, arena& memory, auto&& wanted) {
  const auto kept = memory.array<Point>(points.size());
  std::size_t count = 0;
  for (const Point& point : points)
    if (wanted(point)) kept[count++] = point;
  return kept.first(count);
}

/// Each point once, with the last vector of each name that is given for it.
std::span<const point_vectors> merge_repeated(std::span<const point_vectors> points,
                                              arena& memory) {
  const auto merged = memory.array<point_vectors>(points.size());
  point_map<std::size_t> places;
  std::size_t count = 0;
  for (const point_vectors& point : points) {
    const auto [place, added] = places.emplace(point.id, count);
    if (added) {
      merged[count++] = point;
      continue;
    }
    point_vectors& earlier = merged[place->second];
    const auto both = memory.array<named_vector>(earlier.vectors.size() + point.vectors.size());
    auto kept = std::ranges::copy_if(earlier.vectors, both.begin(), [&](const named_vector& one) {
                  return !vector_named(point.vectors, one.name);
                }).out;
    kept = std::ranges::copy(point.vectors, kept).out;
    earlier.vectors = both.first(static_cast<std::size_t>(kept - both.begin()));
  }
  return merged.first(count);
}

/// The vectors that points keep beside those that they are given move with them. A row that cannot
/// be read refuses the update here, before it is in the log; then it could only end the
/// collection's writes.
io::task<result<void>> read_what_stays(const collection& target,
                                       std::span<const point_vectors> points, arena& memory) {
  row_reads reads(memory);
  for (const point_vectors& point : points) {
    const auto slot = target.id_to_slot.find(point.id);
    for (const auto& [name, column] : target.columns)
      if (slot && column->has(*slot) && !vector_named(point.vectors, name))
        std::ignore = column->stored(*slot, reads);
    if (!reads.is_full()) continue;
    VEXFS_CHECK_CO(co_await reads.finish());
    reads.reuse();
  }
  co_return co_await reads.finish();
}

/// A point that is there and does not match an update filter stays as it is.
struct update_condition {
  const collection& target;
  std::optional<compiled_filter> compiled;

  update_condition(const collection& points, const filter* given, arena& memory) : target(points) {
    if (given) compiled.emplace(*given, &points.indexes, memory);
  }
  bool allows(const point_id& id) const {
    if (!compiled) return true;
    const auto slot = target.id_to_slot.find(id);
    return !slot || compiled->matches(target, *slot);
  }
};

struct dependence {
  bool operator()(const upsert_points& operation) const {
    return operation.update_filter || operation.mode != update_mode::upsert;
  }
  bool operator()(const delete_points& operation) const { return operation.selector.condition; }
  bool operator()(const update_vectors&) const { return true; }
  bool operator()(const delete_vectors&) const { return true; }
  bool operator()(const set_payload&) const { return true; }
  bool operator()(const overwrite_payload&) const { return true; }
  bool operator()(const delete_payload&) const { return true; }
  bool operator()(const clear_payload& operation) const { return operation.selector.condition; }
  bool operator()(const create_field_index&) const { return false; }
  bool operator()(const delete_field_index&) const { return false; }
  bool operator()(const create_vector_name&) const { return false; }
  bool operator()(const delete_vector_name&) const { return false; }
};

const point_selector* selector_of(const update_operation& operation) {
  return std::visit(
      [](const auto& one) -> const point_selector* {
        if constexpr (requires { one.selector; })
          return &one.selector;
        else
          return nullptr;
      },
      operation);
}

void set_selector(update_operation& operation, point_selector selector) {
  std::visit(
      [&](auto& one) {
        if constexpr (requires { one.selector; }) one.selector = selector;
      },
      operation);
}

}  // namespace

bool depends_on_points(const update_operation& operation) {
  return std::visit(dependence{}, operation);
}

io::task<std::span<const point_id>> select_ids(const collection& target, const filter& wanted,
                                               arena& memory) {
  auto selecting = select_points(target, &wanted, memory);
  const selection selected = co_await selecting;
  const auto section = co_await io::read(target.guard);
  const auto found = memory.array<point_id>(selected.count);
  std::size_t count = 0;
  for (std::size_t w = 0; w < selected.words.size(); ++w) {
    for (std::uint64_t bits = selected.words[w]; bits != 0; bits &= bits - 1) {
      const auto slot =
          static_cast<slot_index>(w * 64 + static_cast<unsigned>(std::countr_zero(bits)));
      if (target.slots.live(slot) && count < found.size()) found[count++] = target.slots[slot].id;
    }
  }
  co_return found.first(count);
}

io::task<result<update_operation>> resolve_update(const collection& target,
                                                  const update_operation& operation,
                                                  arena& memory) {
  update_operation resolved = operation;
  if (auto* upsert = std::get_if<upsert_points>(&resolved)) {
    const update_condition allowed(target, upsert->update_filter, memory);
    upsert->points = keep(upsert->points, memory, [&](const point_struct& point) {
      const bool exists = target.id_to_slot.find(point.id).has_value();
      if (exists && upsert->mode == update_mode::insert_only) return false;
      if (!exists && upsert->mode == update_mode::update_only) return false;
      return allowed.allows(point.id);
    });
    upsert->update_filter = nullptr;
    upsert->mode = update_mode::upsert;
    co_return resolved;
  }
  if (auto* vectors = std::get_if<update_vectors>(&resolved)) {
    for (const point_vectors& point : vectors->points)
      if (!target.id_to_slot.find(point.id)) co_return std::unexpected(no_point(point.id));
    const update_condition allowed(target, vectors->update_filter, memory);
    vectors->points = keep(vectors->points, memory,
                           [&](const point_vectors& point) { return allowed.allows(point.id); });
    vectors->points = merge_repeated(vectors->points, memory);
    vectors->update_filter = nullptr;
    auto reading = read_what_stays(target, vectors->points, memory);
    VEXFS_CHECK_CO(co_await reading);
    co_return resolved;
  }
  const point_selector* selector = selector_of(operation);
  VEXFS_ASSERT(selector != nullptr);
  if (selector->condition) {
    auto selecting = select_ids(target, *selector->condition, memory);
    const auto selected = co_await selecting;
    set_selector(resolved, {selected, nullptr});
    co_return resolved;
  }
  if (!std::holds_alternative<delete_points>(operation) &&
      !std::holds_alternative<clear_payload>(operation)) {
    for (const point_id& id : selector->ids)
      if (!target.id_to_slot.find(id)) co_return std::unexpected(no_point(id));
  }
  co_return resolved;
}

}  // namespace vexfs
