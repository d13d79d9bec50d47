// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/collection.h"
#include "core/database/selection.h"
#include "core/io/task.h"
#include "core/model/query.h"

// Reads that take points in an order of their own, without a vector. Each goes through the guard in
// steps; on any core, inside a slot_reading.
namespace vexfs {

/// A page of points in the order of their ids.
[[nodiscard]] io::task<result<scroll_result>> scroll_by_id(
    collection& source, std::optional<point_id> from, std::uint64_t limit,
    const selection* selected, const payload_selector& with_payload,
    const vector_selector& with_vector, arena& memory);

/// Points in the order of a payload value, once for each value. bad_input where no index orders it.
[[nodiscard]] io::task<result<scroll_result>> scroll_by_value(
    collection& source, const order_by& order, std::uint64_t limit, const selection* selected,
    const payload_selector& with_payload, const vector_selector& with_vector, arena& memory);

/// Random points, drawn without repetition.
[[nodiscard]] io::task<result<std::span<const record>>> sample_points(
    collection& source, std::uint64_t limit, const selection& selected,
    const payload_selector& with_payload, const vector_selector& with_vector, arena& memory);

}  // namespace vexfs
