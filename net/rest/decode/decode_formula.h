// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/model/formula.h"
#include "net/rest/decode/decoder.h"

namespace vexfs::rest {

/// An object with "formula" and maybe "defaults"; `path` is where it stands, for messages.
[[nodiscard]] formula_query decode_formula(decoder& in, const node& value, const std::string& path);

}  // namespace vexfs::rest
