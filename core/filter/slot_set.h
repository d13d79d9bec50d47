// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include <roaring/roaring.hh>

#include "core/filter/field_index.h"

namespace vexfs {

using slot_set = ::Roaring;

/// Calls take(slot) for the slots above cursor.slot where cursor.inside, else for all; stops when
/// the budget is used up, with the cursor inside. True at the end, with the cursor outside.
template <class Take>
bool each_slot(const slot_set& slots, selection_cursor& cursor, std::uint64_t& budget,
               Take&& take) {
  roaring_uint32_iterator_t at;
  roaring_init_iterator(&slots.roaring, &at);
  if (cursor.inside && !roaring_move_uint32_iterator_equalorlarger(&at, cursor.slot + 1)) {
    cursor.inside = false;
    return true;
  }
  std::array<std::uint32_t, 256> group;
  while (budget > 0) {
    const auto wanted = static_cast<std::uint32_t>(std::min<std::uint64_t>(group.size(), budget));
    const std::uint32_t count = roaring_read_uint32_iterator(&at, group.data(), wanted);
    for (std::uint32_t i = 0; i < count; ++i)
      take(group[i]);
    budget -= count;
    if (count < wanted) {
      cursor.inside = false;
      return true;
    }
    cursor.inside = true;
    cursor.slot = group[count - 1];
  }
  return false;
}

inline std::uint64_t count_among(const slot_set& slots, std::span<const std::uint64_t> allowed) {
  if (allowed.empty()) return slots.cardinality();
  std::uint64_t count = 0;
  selection_cursor cursor;
  std::uint64_t budget = UINT64_MAX;
  each_slot(slots, cursor, budget, [&](std::uint32_t slot) {
    count += slot >> 6 < allowed.size() ? allowed[slot >> 6] >> (slot & 63) & 1 : 0;
  });
  return count;
}

inline void set_all(const slot_set& slots, slot_bits bits) {
  selection_cursor cursor;
  std::uint64_t budget = UINT64_MAX;
  each_slot(slots, cursor, budget, [&](std::uint32_t slot) { bits.set(slot); });
}

}  // namespace vexfs
