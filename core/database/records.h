// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/collection.h"
#include "core/database/row_reads.h"
#include "core/model/query.h"

namespace vexfs {

/// Copies what a request asked for out of a live slot into the arena. Under the guard, and inside a
/// slot_reading: vectors are there when reads.finish() has ended.
[[nodiscard]] record make_record(const collection& source, slot_index slot,
                                 const payload_selector& with_payload,
                                 const vector_selector& with_vector, row_reads& reads,
                                 arena& memory);

/// bad_input where a vector is asked for that the collection does not have. Under the guard.
[[nodiscard]] result<void> check_selector(const collection& source,
                                          const vector_selector& with_vector);

}  // namespace vexfs
