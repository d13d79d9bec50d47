// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/model/vector.h"

namespace vexfs {

/// What recommend's average_vector looks for: twice the mean of the positive examples minus that of
/// the negative ones; without these just the mean. Of multivectors all rows, the negative ones
/// turned around. Sparse indices are ascending. bad_input where there is no positive example, or
/// where kinds or dimensions differ.
[[nodiscard]] result<vector_value> average_vector(std::span<const vector_value> positive,
                                                  std::span<const vector_value> negative,
                                                  arena& memory);

}  // namespace vexfs
