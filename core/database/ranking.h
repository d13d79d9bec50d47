// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "core/device.h"
#include "core/model/point_id.h"

namespace vexfs {

/// A point in a list inside of a query. Its slot stays what it is while a slot_reading lives.
struct ranked_point {
  slot_index slot = 0;
  float score = 1.0F;  // as clients see it
  point_id id;
  std::variant<std::monostate, std::int64_t, double> order_value;
};

/// Best first.
using ranking = std::span<const ranked_point>;

}  // namespace vexfs
