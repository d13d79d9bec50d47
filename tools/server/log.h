// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "net/rest/request_log.h"
#include "tools/server/config.h"

namespace vexfs {

/// One line an event on standard error, as text or as JSON.
void start_log(const logger_config& config);

void log_info(std::string_view text);
void log_warning(std::string_view text);
void log_error(std::string_view text);
/// Failed requests are errors, slow ones warnings, all others for debugging.
void log_request(rest::request_severity severity, std::string_view line);

}  // namespace vexfs
