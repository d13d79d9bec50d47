// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/model/collection_config.h"

namespace vexfs::rest {

/// The "config" of a collection as it is echoed: params, then the effective settings.
void append_config(std::string& out, const collection_config& config);

/// Its member "params" alone.
void append_params(std::string& out, const collection_config& config);

/// What is set and cannot have its effect, a text each.
[[nodiscard]] std::vector<std::string> config_warnings(const collection_config& config);

/// One entry of payload_schema.
void append_schema(std::string& out, const payload_field_schema& schema, std::uint64_t points);

}  // namespace vexfs::rest
