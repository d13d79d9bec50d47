// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "tools/server/config.h"

namespace vexfs {

/// One line an event on standard error, as text or as JSON. Levels: OFF, ERROR, WARN, INFO, DEBUG,
/// TRACE, in any case; a list of module levels ("info,actix=warn") counts by its first plain word.
[[nodiscard]] result<void> start_log(const logger_config& config);

void log_info(std::string_view text);
void log_warning(std::string_view text);
void log_error(std::string_view text);

}  // namespace vexfs
