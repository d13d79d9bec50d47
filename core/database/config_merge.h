// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/model/collection_config.h"

namespace vexfs {

/// What of a collection's settings a client may leave out and finds filled in afterwards.
void apply_defaults(collection_config& config, const collection_config& defaults);

/// Merges a PATCH into the settings: members that are set replace, all others stay. An unknown
/// vector name is bad_input and changes nothing.
[[nodiscard]] result<void> merge_change(collection_config& config, const collection_change& change);

}  // namespace vexfs
