// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/result.h"
#include "net/http/response.h"

namespace vexfs::rest {

/// Fills the enveloped answer for a failure: status and prefix by its class.
void answer_error(http::response& answer, const error& failure, double seconds);

}  // namespace vexfs::rest
