// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/result.h"
#include "core/database/collection.h"
#include "core/model/update.h"

namespace vexfs {

/// Everything about an update that the collection's settings decide: vector names, dimensions,
/// finite numbers. What passes can be applied; nothing is logged before. On the owner core.
[[nodiscard]] result<void> check_update(const collection& target,
                                        const update_operation& operation);

}  // namespace vexfs
