// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/model/filter.h"

namespace vexfs {

/// Bytes that two filters have in common exactly where they are the same filter, member by member.
/// Nothing where a filter asks for more than payloads and ids, whose changes field_indexes count,
/// or is longer than filter_key_bytes_max.
[[nodiscard]] std::optional<std::string> filter_key(const filter& what);

}  // namespace vexfs
