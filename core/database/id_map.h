// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include <boost/unordered/unordered_flat_map.hpp>

#include "core/device.h"
#include "core/model/point_id.h"

namespace vexfs {

template <class Value>
using point_map = boost::unordered_flat_map<point_id, Value, point_id_hash>;

/// Point id to slot. Hashes answer look-ups; an ordered tree beside them gives scroll its pages in
/// O(page). Written by the collection's owner, read under its guard. There are many small hashes:
/// one large one that grows copies itself within a single section, and needs the memory of two.
class id_map {
 public:
  [[nodiscard]] std::optional<slot_index> find(const point_id& id) const {
    const auto& part = parts_[part_of(id)];
    const auto found = part.find(id);
    if (found == part.end()) return std::nullopt;
    return found->second;
  }

  /// Sets or replaces.
  void set(const point_id& id, slot_index slot) {
    const auto [place, added] = parts_[part_of(id)].insert_or_assign(id, slot);
    if (added)
      ordered_.emplace(id, slot);
    else
      ordered_.find(id)->second = slot;
  }

  void erase(const point_id& id) {
    parts_[part_of(id)].erase(id);
    ordered_.erase(id);
  }

  [[nodiscard]] std::size_t size() const { return ordered_.size(); }

  /// All points by id, ascending; start with ordered().lower_bound(id).
  [[nodiscard]] const std::map<point_id, slot_index>& ordered() const { return ordered_; }

 private:
  static constexpr std::size_t part_count = 256;
  [[nodiscard]] static std::size_t part_of(const point_id& id) {
    return point_id_hash()(id) % part_count;
  }

  std::array<point_map<slot_index>, part_count> parts_;
  std::map<point_id, slot_index> ordered_;
};

}  // namespace vexfs
