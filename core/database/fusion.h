// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/database/ranking.h"
#include "core/model/query.h"

namespace vexfs {

/// One list out of several, best first, equal scores by id. bad_input where there are weights, and
/// not as many as lists.
[[nodiscard]] result<std::vector<ranked_point>> fuse(const fusion_query& how,
                                                     std::span<const ranking> lists);

}  // namespace vexfs
