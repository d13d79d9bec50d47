// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/bytes.h"
#include "core/model/collection_config.h"
#include "core/model/payload_schema.h"

// Settings as bytes, for logs and manifests: per struct a count of members that are set, then
// (name, bytes) pairs. A reader skips names that it does not know, so settings may gain members.
namespace vexfs {

void encode_config(const collection_config& config, byte_writer& out);
[[nodiscard]] collection_config decode_config(byte_reader& in);

void encode_schema(const payload_field_schema& schema, byte_writer& out);
[[nodiscard]] payload_field_schema decode_schema(byte_reader& in);

void encode_vector_params(const vector_params& params, byte_writer& out);
[[nodiscard]] vector_params decode_vector_params(byte_reader& in);
void encode_sparse_params(const sparse_vector_params& params, byte_writer& out);
[[nodiscard]] sparse_vector_params decode_sparse_params(byte_reader& in);

}  // namespace vexfs
