// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <boost/unordered/unordered_flat_map.hpp>

#include "core/device.h"
#include "core/model/point_id.h"

namespace vexfs {

template <class Value>
using point_map = boost::unordered_flat_map<point_id, Value, point_id_hash>;

/// Point id to slot. A hash answers look-ups; an ordered tree beside it gives scroll its pages in
/// O(page). Written by the collection's owner, read under its guard.
class id_map {
 public:
  [[nodiscard]] std::optional<slot_index> find(const point_id& id) const {
    const auto found = slots_.find(id);
    if (found == slots_.end()) return std::nullopt;
    return found->second;
  }

  /// Sets or replaces.
  void set(const point_id& id, slot_index slot) {
    const auto [place, added] = slots_.insert_or_assign(id, slot);
    if (added)
      ordered_.emplace(id, slot);
    else
      ordered_.find(id)->second = slot;
  }

  void erase(const point_id& id) {
    slots_.erase(id);
    ordered_.erase(id);
  }

  [[nodiscard]] std::size_t size() const { return slots_.size(); }

  /// All points by id, ascending; start with ordered().lower_bound(id).
  [[nodiscard]] const std::map<point_id, slot_index>& ordered() const { return ordered_; }

 private:
  point_map<slot_index> slots_;
  std::map<point_id, slot_index> ordered_;
};

}  // namespace vexfs
