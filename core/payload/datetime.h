// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vexfs {

/// Microseconds since 1970-01-01T00:00:00Z. RFC 3339; or a date alone; or a date, 'T' or a space,
/// HH:MM, optionally seconds with a fraction, optionally an offset with or without its colon.
/// Without an offset it is UTC. Digits below a microsecond are dropped.
[[nodiscard]] std::optional<std::int64_t> parse_datetime(std::string_view text);

/// RFC 3339 in UTC with 'Z'; a fraction of three or six digits only where there is one.
[[nodiscard]] std::string print_datetime(std::int64_t microseconds);

}  // namespace vexfs
