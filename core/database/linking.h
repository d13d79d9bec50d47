// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/result.h"
#include "core/database/collection.h"
#include "core/database/vector_column.h"
#include "core/io/task.h"

// Keeps the graphs of a collection's dense vectors: starts one where there are enough vectors for
// it or its settings have changed, drops it where they want none, lets the vectors of before join,
// links what waits in its tail and takes out what has died. All of it is searchable meanwhile. The
// work is done in slices on all cores: when they have nothing else to do; before other work only
// while a tail is more than half full. Called on the owner core.
namespace vexfs {

/// Slots that may wait in the tail of a column's graph.
[[nodiscard]] std::uint32_t tail_limit(std::uint32_t dim);

/// Has the graphs brought up to date in the background. Cheap where they are.
void keep_linked(collection& target);

/// Waits until every tail has room for so many more points, and until there are slots for them: of
/// those that died the graphs give back all but the spare ones before more memory is used. Links
/// and repairs itself meanwhile. As many vectors of before a graph join it, so that all of them
/// have joined when as many others have come, however fast. insufficient_storage: linking does not
/// go on, for want of memory.
[[nodiscard]] io::task<result<void>> make_room(collection& target, std::size_t point_count);

/// Ends the work in the background for good; continues when it has ended.
[[nodiscard]] io::task<void> end_linking(collection& target);

/// What a column's graph lacks. On any core, in a section of the guard.
struct linking_progress {
  bool wanted = false;       // there is a graph, or there are enough vectors for one
  bool pending = false;      // not all vectors are linked
  std::uint64_t linked = 0;  // vectors
  std::uint64_t waiting = 0;
};
[[nodiscard]] linking_progress progress_of(const collection& source, const vector_column& dense);

}  // namespace vexfs
