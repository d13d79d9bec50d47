// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/filter.h"
#include "net/rest/decode/decoder.h"

namespace vexfs::rest {

/// A Filter; `path` is where it stands, for messages.
[[nodiscard]] const filter* decode_filter(decoder& in, const node& value, std::string_view path);

}  // namespace vexfs::rest
