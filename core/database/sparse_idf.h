// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/arena.h"
#include "core/database/variable_column.h"
#include "core/io/task.h"

namespace vexfs {

/// A prepared sparse query whose values are multiplied by the rarity of their indices,
/// ln((N - n + 0.5) / (n + 0.5) + 1), where n of the N vectors have the index. Counted now, among
/// the slots below `limit`, or the `among` of them. The caller holds a slot_reading.
[[nodiscard]] io::task<vector_value> weigh_by_rarity(
    const variable_column& column, const vector_value& query, slot_index limit,
    std::optional<std::span<const std::uint64_t>> among, arena& memory);

}  // namespace vexfs
