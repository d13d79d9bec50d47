// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/database/database.h"
#include "core/model/collection_config.h"
#include "net/rest/decode/decoder.h"

// Bodies of requests about collections, whole: the error is the answer.
namespace vexfs::rest {

[[nodiscard]] result<collection_config> decode_create_collection(std::string_view body,
                                                                 arena& memory);
[[nodiscard]] result<collection_change> decode_update_collection(std::string_view body,
                                                                 arena& memory);
[[nodiscard]] result<std::vector<alias_action>> decode_alias_actions(std::string_view body,
                                                                     arena& memory);

struct create_index_request {
  payload_path field;
  payload_field_schema schema;
};
[[nodiscard]] result<create_index_request> decode_create_index(std::string_view body,
                                                               arena& memory);

struct create_vector_request {
  std::optional<vector_params> dense;  // exactly one of the two
  std::optional<sparse_vector_params> sparse;
};
[[nodiscard]] result<create_vector_request> decode_create_vector(std::string_view body,
                                                                 arena& memory);

/// The contract's rule for names of collections and aliases that are made; "" where it is kept.
[[nodiscard]] std::string check_collection_name(std::string_view name);

}  // namespace vexfs::rest
