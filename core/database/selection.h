// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/arena.h"
#include "core/database/collection.h"
#include "core/io/task.h"
#include "core/model/filter.h"

namespace vexfs {

/// Bits of the points that a filter lets through.
struct selection {
  std::span<const std::uint64_t> words;
  std::uint64_t count = 0;
  [[nodiscard]] bool has(slot_index slot) const {
    return slot / 64 < words.size() && (words[slot / 64] >> (slot % 64) & 1) != 0;
  }
};

/// Plans a filter; without one, all live points pass. In guarded steps, on any core; the bits are
/// in the arena.
[[nodiscard]] io::task<selection> select_points(const collection& source, const filter* what,
                                                arena& memory);

/// The same where the filter's filter_key() is at hand.
[[nodiscard]] io::task<selection> select_points(const collection& source, const filter* what,
                                                std::optional<std::string_view> key, arena& memory);

}  // namespace vexfs
