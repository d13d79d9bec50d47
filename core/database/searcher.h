// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/collection.h"
#include "core/database/example_query.h"
#include "core/database/scored_slot.h"
#include "core/io/task.h"
#include "core/model/query.h"

namespace vexfs {

/// One search of a column, with everything about it known.
struct nearest_search {
  std::shared_ptr<column> over;
  vector_value target;                      // prepared as the column stores its vectors
  const example_query* examples = nullptr;  // instead of a target
  const filter* condition = nullptr;
  std::optional<std::span<const std::uint64_t>> among;  // bits of slots, instead of a condition
  std::span<const point_id> excluded;  // the points that vectors of the query were taken from
  std::uint64_t wanted = 10;           // limit + offset
  std::uint64_t skipped = 0;           // offset
  search_params params;
  std::optional<std::uint64_t> full_scan_threshold;  // kilobytes, of the vector's settings
  std::optional<float> score_threshold;
  payload_selector with_payload;
  vector_selector with_vector;
};

/// What clients are shown for a similarity, and whether it is within the search's threshold.
[[nodiscard]] float shown_score(const nearest_search& search, float similarity);
[[nodiscard]] bool within_threshold(const nearest_search& search, float score);
/// True where a larger shown score is the better one.
[[nodiscard]] bool larger_is_better(const nearest_search& search);

/// The best slots of each search, best first, equal ones by slot: `wanted` and as many more as are
/// excluded. Slots may have died since. The caller holds a slot_reading. On any core.
[[nodiscard]] io::task<result<std::span<const std::span<const scored_slot>>>> rank_nearest(
    collection& source, std::span<const nearest_search> searches, arena& memory);

/// Runs a batch: plan (filters to allow bitmaps; scan or graph) -> device (slices of candidates on
/// all idle cores) -> exact rescoring in the slice -> records. One answer per search, best first;
/// equal scores by id. On any core.
[[nodiscard]] io::task<result<std::span<const std::span<const record>>>> search_nearest(
    collection& source, std::span<const nearest_search> searches, arena& memory);

}  // namespace vexfs
