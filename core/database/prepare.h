// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/base/result.h"
#include "core/database/column.h"
#include "core/model/vector.h"

namespace vexfs {

/// Unit length. A vector of nearly unit length stays as it is, and so does zero.
void normalise(std::span<float> values);

/// One dense row as it is stored: normalised for cosine (not as bytes), rounded to the datatype and
/// held within its range.
void prepare_row(std::span<float> values, distance metric, datatype type);

/// bad_input where a vector has another length, or a value that is not a finite number.
[[nodiscard]] result<void> check_dim(const vector_value& given, std::uint32_t dim);

/// The refusal of a vector of another kind than the column's.
[[nodiscard]] std::unexpected<error> wrong_kind(const column& target, vector_kind given);

}  // namespace vexfs
