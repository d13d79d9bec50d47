// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/collection.h"
#include "core/io/task.h"
#include "core/model/update.h"

namespace vexfs {

/// True where the meaning of an update depends on the points that are there: filters, update modes,
/// and point ids that must exist.
[[nodiscard]] bool depends_on_points(const update_operation& operation);

/// Rewrites such an update into one that names points only, so that replaying it from the log does
/// the same again. Called on the owner core when every earlier update has been applied. Where an
/// explicit id must exist and does not: not_found, "No point with id N found".
[[nodiscard]] io::task<result<update_operation>> resolve_update(const collection& target,
                                                                const update_operation& operation,
                                                                arena& memory);

/// The ids of all points that a filter lets through, in slot order. In steps; on any core.
[[nodiscard]] io::task<std::span<const point_id>> select_ids(const collection& target,
                                                             const filter& condition,
                                                             arena& memory);

}  // namespace vexfs
