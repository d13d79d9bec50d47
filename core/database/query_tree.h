// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/query_resolver.h"
#include "core/io/task.h"
#include "core/model/query.h"

namespace vexfs {

/// Answers any query, stage by stage: prefetches first, each into a ranking, then the query over
/// the points that these have found, or over all where there are none. Filters go down to the
/// innermost stages. On any core.
[[nodiscard]] io::task<result<std::span<const record>>> evaluate_query(collection& source,
                                                                       query_resolver& resolver,
                                                                       const query_request& request,
                                                                       arena& memory);

}  // namespace vexfs
