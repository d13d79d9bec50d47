// SPDX-License-Identifier: Apache-2.0
#include "core/filter/indexes.h"

#include <algorithm>
#include <bit>

#include "core/base/arena.h"
#include "core/base/assert.h"
#include "core/filter/field_index.h"

namespace vexfs {

struct field_indexes::entry {
  std::string field;
  arena memory;  // behind path
  payload_path path;
  payload_field_schema schema;
  std::unique_ptr<field_index> index;
  std::uint32_t built_slots = 0;  // those below are in the index
  bool finished = false;

  [[nodiscard]] bool holds(std::uint32_t slot) const { return finished || slot < built_slots; }
};

field_indexes::field_indexes() = default;
field_indexes::~field_indexes() = default;

result<void> field_indexes::create(std::string_view field, const payload_field_schema& schema) {
  auto made = std::make_unique<entry>();
  const auto path = parse_payload_path(field, made->memory);
  if (!path) return fail(errc::bad_input, "Invalid payload key: " + std::string(field));
  const auto same = std::ranges::find_if(
      entries_, [&](const auto& one) { return std::ranges::equal(one->path.steps, path->steps); });
  if (same != entries_.end() && (*same)->schema == schema) return {};
  VEXFS_TRY(made->index, field_index::create(schema.params));
  made->field = field;
  made->path = *path;
  made->schema = schema;
  if (same != entries_.end()) {
    *same = std::move(made);
  } else {
    entries_.push_back(std::move(made));
  }
  ++schema_version_;
  return {};
}

bool field_indexes::build(const point_source& source, std::uint32_t budget_points) {
  const std::uint32_t slots = source.slot_count();
  for (const auto& one : entries_) {
    while (!one->finished && one->built_slots < slots && budget_points > 0) {
      // A word of slots at a time: its live ones are the group.
      const std::uint32_t first = one->built_slots;
      std::uint64_t live = 0;
      source.live_words(first >> 6, std::span(&live, 1));
      live &= ~0ULL << (first & 63);
      const std::uint64_t next = std::min<std::uint64_t>((first | 63ULL) + 1, slots);
      std::array<std::uint32_t, point_source::point_group_max> group;
      std::array<std::string_view, point_source::point_group_max> payloads;
      std::size_t count = 0;
      for (; live != 0; live &= live - 1) {
        group[count++] = (first & ~63U) | static_cast<std::uint32_t>(std::countr_zero(live));
      }
      source.payloads(std::span(group.data(), count), payloads.data());
      for (std::size_t i = 0; i < count; ++i) {
        one->index->add(group[i], payloads[i], one->path.steps);
      }
      one->built_slots = static_cast<std::uint32_t>(next);
      const auto cost = static_cast<std::uint32_t>(count) + 1;
      budget_points -= std::min(budget_points, cost);
    }
    if (!one->finished && one->built_slots >= slots) {
      one->finished = true;
      ++schema_version_;
    }
    if (!one->finished) return false;
  }
  return true;
}

bool field_indexes::building() const {
  return std::ranges::any_of(entries_, [](const auto& one) { return !one->finished; });
}

bool field_indexes::drop(std::string_view field) {
  arena memory;
  const auto path = parse_payload_path(field, memory);
  if (!path) return false;
  const auto dropped = std::erase_if(
      entries_, [&](const auto& one) { return std::ranges::equal(one->path.steps, path->steps); });
  schema_version_ += dropped;
  return dropped > 0;
}

void field_indexes::note_change(std::uint32_t slot) {
  changed_slots_[change_count_ % filter_change_window] = slot;
  ++change_count_;
}

void field_indexes::on_insert(std::uint32_t slot, std::string_view payload) {
  note_change(slot);
  for (const auto& one : entries_) {
    if (one->holds(slot)) one->index->add(slot, payload, one->path.steps);
  }
}

void field_indexes::on_remove(std::uint32_t slot, std::string_view payload) {
  note_change(slot);
  for (const auto& one : entries_) {
    if (one->holds(slot)) one->index->remove(slot, payload, one->path.steps);
  }
}

void field_indexes::on_payload_change(std::uint32_t slot, std::string_view from,
                                      std::string_view to) {
  if (from == to) return;
  note_change(slot);
  for (const auto& one : entries_) {
    if (!one->holds(slot)) continue;
    one->index->remove(slot, from, one->path.steps);
    one->index->add(slot, to, one->path.steps);
  }
}

const field_indexes::entry* field_indexes::entry_of(std::string_view field) const {
  for (const auto& one : entries_) {
    if (one->field == field) return one.get();
  }
  arena memory;
  const auto path = parse_payload_path(field, memory);
  if (!path) return nullptr;
  for (const auto& one : entries_) {
    if (std::ranges::equal(one->path.steps, path->steps)) return one.get();
  }
  return nullptr;
}

const field_index* field_indexes::find(std::span<const path_step> path) const {
  for (const auto& one : entries_) {
    if (one->finished && std::ranges::equal(one->path.steps, path)) return one->index.get();
  }
  return nullptr;
}

std::uint64_t field_indexes::points_count(std::string_view field) const {
  const entry* its = entry_of(field);
  return its != nullptr ? its->index->points_count() : 0;
}

const payload_field_schema* field_indexes::schema(std::string_view field) const {
  const entry* its = entry_of(field);
  return its != nullptr ? &its->schema : nullptr;
}

std::vector<std::string_view> field_indexes::fields() const {
  std::vector<std::string_view> names;
  for (const auto& one : entries_)
    names.push_back(one->field);
  return names;
}

bool field_indexes::can_order(std::string_view field) const {
  const entry* its = entry_of(field);
  return its != nullptr && its->finished && its->index->can_order();
}

bool field_indexes::can_facet(std::string_view field) const {
  const entry* its = entry_of(field);
  if (its == nullptr || !its->finished || !its->index->can_match()) return false;
  return its->schema.params.type != payload_type::integer || !its->schema.given_as_object ||
         its->schema.params.lookup.value_or(false);
}

std::size_t field_indexes::order(std::string_view field, bool descending, order_position& position,
                                 std::span<order_entry> entries) const {
  const entry* its = entry_of(field);
  // The index may have been dropped between two steps: then there is nothing more.
  return its != nullptr ? its->index->order(descending, position, entries) : 0;
}

bool field_indexes::facet(std::string_view field, std::span<const std::uint64_t> allowed,
                          std::uint32_t budget_points, facet_position& position,
                          std::vector<facet_value>& values) const {
  const entry* its = entry_of(field);
  return its == nullptr || its->index->facet(allowed, budget_points, position, values);
}

}  // namespace vexfs
