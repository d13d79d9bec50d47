// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/collection.h"
#include "core/io/task.h"
#include "core/model/update.h"

namespace vexfs {

/// Applies a checked and resolved update, in groups short enough for one guarded section each.
/// On the owner core, one update after another. `sequence` becomes the version of the points. An
/// operation that a point has seen already (its version is not older) leaves that point alone, so
/// that a log may be replayed over newer data. An error says that the machine failed (memory): the
/// update may then be applied in part.
[[nodiscard]] io::task<result<void>> apply_update(collection& target,
                                                  const update_operation& operation,
                                                  std::uint64_t sequence, arena& memory);

}  // namespace vexfs
