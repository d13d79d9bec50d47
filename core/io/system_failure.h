// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string_view>

#include "core/base/result.h"

namespace vexfs::io {

/// What a failed system call on a file means for the caller, with a text that names the file and,
/// where an operator can change something, what. `code` is errno's.
[[nodiscard]] std::unexpected<error> system_failure(std::string_view what, std::string_view path,
                                                    int code);

}  // namespace vexfs::io
