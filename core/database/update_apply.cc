// SPDX-License-Identifier: Apache-2.0
#include "core/database/update_apply.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/database/centring.h"
#include "core/database/linking.h"
#include "core/database/variable_column.h"
#include "core/payload/payload.h"

namespace vexfs {
namespace {

/// A point on its way in: a slot that holds its vectors already, and is not published yet.
struct staged_point {
  point_id id;
  slot_index slot;
  std::string_view payload;
};

/// The vectors of several points, column by column, prepared as they will be stored.
class staging {
 public:
  staging(collection& target, arena& memory, std::size_t point_count)
      : target_(target), memory_(memory), points_(memory.array<staged_point>(point_count)) {}

  /// Takes a slot. False: there is none left.
  [[nodiscard]] bool add(const point_id& id, std::string_view payload) {
    const auto slot =
        target_.slots.take([&](slot_index retired) { return target_.is_free(retired); });
    if (!slot) return false;
    points_[count_++] = {id, *slot, payload};
    return true;
  }
  [[nodiscard]] std::span<const staged_point> points() const { return points_.first(count_); }

  /// Stores one column's vectors: vector_of(i) gives the i-th point's, or nullptr.
  template <class VectorOf>
  [[nodiscard]] result<void> store(column& target, VectorOf&& vector_of) {
    const auto values = memory_.array<vector_value>(count_);
    const auto slots = memory_.array<slot_index>(count_);
    const auto generations = memory_.array<slot_generation>(count_);
    std::size_t stored = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const vector_value* given = vector_of(i);
      // A log may hold vectors of a column that was dropped, and made again with another size.
      if (!given || !target.check(*given)) continue;
      values[stored] = target.prepare(*given, memory_);
      slots[stored] = points_[i].slot;
      generations[stored] = target_.slots.generation(points_[i].slot);
      ++stored;
    }
    return target.insert(slots.first(stored), generations.first(stored), values.first(stored),
                         memory_);
  }

  /// After a failure: takes everything back.
  void undo() {
    for (const staged_point& point : points()) {
      for (const auto& [name, column] : target_.columns)
        column->remove(point.slot);
      target_.slots.give_back(point.slot);
    }
    count_ = 0;
  }

  /// Makes the points visible and retires the slots they replace. Under the guard.
  void publish(std::uint64_t sequence) {
    for (const staged_point& point : points()) {
      if (const auto old = target_.id_to_slot.find(point.id)) retire(*old);
      target_.slots.publish(point.slot);
      slot_record& record = target_.slots[point.slot];
      record.id = point.id;
      record.version = sequence;
      record.payload = point.payload;
      target_.payload_bytes.fetch_add(record.payload.size(), std::memory_order_relaxed);
      target_.id_to_slot.set(point.id, point.slot);
      target_.indexes.on_insert(point.slot, record.payload);
    }
  }

  /// Takes a point out of everything but the id map. Under the guard.
  void retire(slot_index slot) {
    slot_record& record = target_.slots[slot];
    const std::string payload = std::move(record.payload);
    record.payload.clear();
    target_.payload_bytes.fetch_sub(payload.size(), std::memory_order_relaxed);
    for (const auto& [name, column] : target_.columns)
      column->remove(slot);
    target_.slots.retire(slot);
    target_.indexes.on_remove(slot, payload);
  }

 private:
  collection& target_;
  arena& memory_;
  std::span<staged_point> points_;
  std::size_t count_ = 0;
};

/// One operation at work. Between its groups of points others of this core have their turn.
struct applier {
  collection& target;
  std::uint64_t sequence;
  arena& memory;

  /// The slot of a point that this operation has yet to touch.
  std::optional<slot_index> older(const point_id& id) const {
    const auto slot = target.id_to_slot.find(id);
    if (!slot || target.slots[*slot].version >= sequence) return std::nullopt;
    return slot;
  }

  /// So many points that coding their vectors takes about as long as a section may.
  std::size_t group_points() const {
    std::size_t values = 1;
    for (const auto& [name, params] : target.config.vectors.params)
      values += params.size;
    return std::clamp<std::size_t>(apply_group_values / values, 1, apply_group_points);
  }

  io::task<result<void>> operator()(const upsert_points& operation) const {
    const std::size_t most = group_points();
    for (std::size_t first = 0; first < operation.points.size(); first += most) {
      if (first > 0) co_await io::loop::current().yield();
      const auto group =
          operation.points.subspan(first, std::min(most, operation.points.size() - first));
      auto waiting = make_room(target, group.size());
      VEXFS_CHECK_CO(co_await waiting);
      staging staged(target, memory, group.size());
      const auto sources = memory.array<const point_struct*>(group.size());
      std::size_t count = 0;
      for (std::size_t i = 0; i < group.size(); ++i) {
        const point_struct& point = group[i];
        // Of one id given twice the last one counts.
        const bool repeated =
            std::any_of(group.begin() + static_cast<std::ptrdiff_t>(i) + 1, group.end(),
                        [&](const point_struct& later) { return later.id == point.id; });
        const auto current = target.id_to_slot.find(point.id);
        if (repeated || (current && target.slots[*current].version > sequence)) continue;
        if (!staged.add(point.id, point.payload)) {
          staged.undo();
          co_return fail(errc::insufficient_storage, "a collection holds too many points");
        }
        sources[count++] = &point;
      }
      for (const auto& [name, column] : target.columns) {
        const auto stored = staged.store(
            *column, [&](std::size_t i) { return vector_named(sources[i]->vectors, name); });
        if (!stored) {
          staged.undo();
          co_return stored;
        }
      }
      {
        const auto section = co_await io::write(target.guard);
        staged.publish(sequence);
      }
      auto centring = centre_codes(target);
      co_await centring;
    }
    co_return result<void>{};
  }

  io::task<result<void>> operator()(const update_vectors& operation) const {
    // A slot's vectors never change: the point moves to a new slot with all its vectors.
    std::size_t done = 0;
    for (const point_vectors& point : operation.points) {
      if (++done % apply_group_points == 0) co_await io::loop::current().yield();
      auto waiting = make_room(target, 1);
      VEXFS_CHECK_CO(co_await waiting);
      const auto old = older(point.id);
      if (!old) continue;
      const auto vectors = memory.array<const vector_value*>(target.columns.size());
      row_reads reads(memory);
      std::size_t number = 0;
      for (const auto& [name, column] : target.columns) {
        const vector_value* given = vector_named(point.vectors, name);
        if (!given && column->has(*old))
          given = memory.make<vector_value>(column->read(*old, reads, memory));
        vectors[number++] = given;
      }
      VEXFS_CHECK_CO(co_await reads.finish());
      staging staged(target, memory, 1);
      if (!staged.add(point.id, memory.copy(std::string_view(target.slots[*old].payload))))
        co_return fail(errc::insufficient_storage, "a collection holds too many points");
      number = 0;
      for (const auto& [name, column] : target.columns) {
        const vector_value* given = vectors[number++];
        const auto stored = staged.store(*column, [&](std::size_t) { return given; });
        if (!stored) {
          staged.undo();
          co_return stored;
        }
      }
      {
        const auto section = co_await io::write(target.guard);
        staged.publish(sequence);
      }
      auto centring = centre_codes(target);
      co_await centring;
    }
    co_return result<void>{};
  }

  /// Changes the payload of each point: next(text) gives the new one.
  template <class Next>
  io::task<result<void>> change_payloads(std::span<const point_id> ids, Next next) const {
    for (std::size_t first = 0; first < ids.size(); first += apply_group_points) {
      if (first > 0) co_await io::loop::current().yield();
      const auto section = co_await io::write(target.guard);
      for (const point_id& id :
           ids.subspan(first, std::min<std::size_t>(apply_group_points, ids.size() - first))) {
        const auto slot = older(id);
        if (!slot) continue;
        slot_record& record = target.slots[*slot];
        std::string changed = next(std::string_view(record.payload));
        std::swap(record.payload, changed);
        target.payload_bytes.fetch_add(record.payload.size() - changed.size(),
                                       std::memory_order_relaxed);
        record.version = sequence;
        target.indexes.on_payload_change(*slot, changed, record.payload);
      }
    }
    co_return result<void>{};
  }

  io::task<result<void>> operator()(const set_payload& operation) const {
    const payload_path* key = operation.key ? &*operation.key : nullptr;
    return change_payloads(operation.selector.ids, [payload = operation.payload, key](auto stored) {
      return merge_payload(stored, payload, key);
    });
  }
  io::task<result<void>> operator()(const overwrite_payload& operation) const {
    // As it was sent: a null, which removes a key where payloads are merged, is kept here.
    return change_payloads(operation.selector.ids,
                           [payload = operation.payload](auto) { return std::string(payload); });
  }
  io::task<result<void>> operator()(const delete_payload& operation) const {
    return change_payloads(operation.selector.ids, [keys = operation.keys](auto stored) {
      return remove_payload_keys(stored, keys);
    });
  }
  io::task<result<void>> operator()(const clear_payload& operation) const {
    return change_payloads(operation.selector.ids, [](auto) { return std::string(); });
  }

  io::task<result<void>> operator()(const delete_points& operation) const {
    const auto ids = operation.selector.ids;
    staging removal(target, memory, 0);
    for (std::size_t first = 0; first < ids.size(); first += apply_group_points) {
      if (first > 0) co_await io::loop::current().yield();
      const auto section = co_await io::write(target.guard);
      for (const point_id& id :
           ids.subspan(first, std::min<std::size_t>(apply_group_points, ids.size() - first))) {
        const auto slot = older(id);
        if (!slot) continue;
        target.id_to_slot.erase(id);
        removal.retire(*slot);
      }
    }
    co_return result<void>{};
  }

  io::task<result<void>> operator()(const delete_vectors& operation) const {
    std::size_t done = 0;
    for (const point_id& id : operation.selector.ids) {
      if (++done % apply_group_points == 0) co_await io::loop::current().yield();
      const auto section = co_await io::write(target.guard);
      const auto slot = older(id);
      if (!slot) continue;
      for (const std::string_view name : operation.names)
        if (const auto column = target.find_column(name)) column->remove(*slot);
      target.slots[*slot].version = sequence;
    }
    co_return result<void>{};
  }

  io::task<result<void>> operator()(const create_field_index& operation) const {
    const payload_field_schema* present = target.indexes.schema(operation.field.text);
    if (present && *present == *operation.schema) co_return result<void>{};
    {
      const auto section = co_await io::write(target.guard);
      const auto created = target.indexes.create(operation.field.text, *operation.schema);
      if (!created) co_return created;
    }
    for (bool done = false; !done;) {
      {
        const auto section = co_await io::write(target.guard);
        done = target.indexes.build(target, filter_step_points);
      }
      co_await io::loop::current().yield();
    }
    co_return result<void>{};
  }
  io::task<result<void>> operator()(const delete_field_index& operation) const {
    const auto section = co_await io::write(target.guard);
    target.indexes.drop(operation.field.text);
    co_return result<void>{};
  }

  io::task<result<void>> operator()(const create_vector_name& operation) const {
    const std::string name(operation.name);
    if (target.columns.contains(name)) co_return result<void>{};
    if (operation.sparse) {
      const auto section = co_await io::write(target.guard);
      target.config.sparse_vectors.emplace(name, *operation.sparse);
      target.columns.emplace(name, variable_column::create_sparse(name, *operation.sparse));
      co_return result<void>{};
    }
    auto column = target.make_column(name, *operation.dense);
    if (!column) co_return std::unexpected(std::move(column).error());
    const auto section = co_await io::write(target.guard);
    target.config.vectors.single = false;
    target.config.vectors.params.emplace(name, *operation.dense);
    target.columns.emplace(name, std::move(*column));
    co_return result<void>{};
  }
  io::task<result<void>> operator()(const delete_vector_name& operation) const {
    const std::string name(operation.name);
    // Its memory, or its file, goes after the section.
    const std::shared_ptr<column> dropped = target.find_column(name);
    const auto section = co_await io::write(target.guard);
    target.config.sparse_vectors.erase(name);
    target.config.vectors.params.erase(name);
    target.columns.erase(name);
    co_return result<void>{};
  }
};

}  // namespace

io::task<result<void>> apply_update(collection& target, const update_operation& operation,
                                    std::uint64_t sequence, arena& memory) {
  const applier apply{target, sequence, memory};
  auto applying = std::visit([&](const auto& one) { return apply(one); }, operation);
  const auto applied = co_await applying;
  if (!applied) co_return applied;
  target.touch_info();
  keep_linked(target);
  co_return result<void>{};
}

}  // namespace vexfs
