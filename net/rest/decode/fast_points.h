// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "core/base/arena.h"
#include "core/model/update.h"

namespace vexfs::rest {

/// The usual upsert, a list of points with plain ids, vectors and payload, in one pass and without
/// a tree. Either the very value that the decoder of all forms would give, or nothing: then that
/// one has to look, and to say what is wrong if anything is.
[[nodiscard]] std::optional<upsert_points> fast_upsert(std::string_view body, arena& memory);

}  // namespace vexfs::rest
