// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/collection.h"
#include "core/io/task.h"
#include "core/model/query.h"

namespace vexfs {

/// One nearest-neighbour search, with everything about it known.
struct nearest_search {
  std::shared_ptr<column> over;
  vector_value target;  // prepared as the column stores its vectors
  const filter* condition = nullptr;
  std::optional<point_id> excluded;  // the point that the query was taken from
  std::uint64_t wanted = 10;         // limit + offset
  std::uint64_t skipped = 0;         // offset
  std::optional<float> score_threshold;
  payload_selector with_payload;
  vector_selector with_vector;
};

/// Runs a batch: plan (filters to allow bitmaps) -> device (slices of candidates on all idle cores)
/// -> exact rescoring in the slice -> records. One answer per search, best first; equal scores by
/// id. On any core.
[[nodiscard]] io::task<result<std::span<const std::span<const record>>>> search_nearest(
    collection& source, std::span<const nearest_search> searches, arena& memory);

}  // namespace vexfs
