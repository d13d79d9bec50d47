// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/model/filter.h"
#include "net/rest/decode/decoder.h"

namespace vexfs::rest {

/// A Filter; `path` is where it stands, for messages.
[[nodiscard]] const filter* decode_filter(decoder& in, const node& value, std::string_view path);

/// One condition, as a filter that must have it.
[[nodiscard]] const filter* decode_lone_condition(decoder& in, const node& value,
                                                  const std::string& path);
[[nodiscard]] geo_point decode_geo_point(decoder& in, const node& value, const std::string& path);

}  // namespace vexfs::rest
