// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/http/exchange.h"

namespace vexfs::http {

/// Any origin, method and header may be used (service.enable_cors). Goes before the key check: a
/// browser sends its preflight without keys.

/// True if the request is a preflight: the answer is filled, and only to be finished.
[[nodiscard]] bool answer_preflight(exchange& call);

/// Lets the page that asked read the answer; for every other answer, refusals among them.
void allow_origin(exchange& call);

}  // namespace vexfs::http
