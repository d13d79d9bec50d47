// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/model/update.h"

namespace vexfs {

/// An update as bytes of the log: checked and resolved (no filters, no modes). The format is in
/// core/database/README.md.
void encode_update(const update_operation& operation, std::string& out);

/// Reads it back into the arena. Bytes may be damaged: then a `service` error, never a crash.
/// `schema` and the vector parameters of an operation live in the arena's owner: see `settings`.
struct decoded_settings {
  payload_field_schema schema;
  vector_params dense;
  sparse_vector_params sparse;
};
[[nodiscard]] result<update_operation> decode_update(std::string_view bytes,
                                                     decoded_settings& settings, arena& memory);

}  // namespace vexfs
