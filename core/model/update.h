// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "core/model/collection_config.h"
#include "core/model/filter.h"
#include "core/model/payload_schema.h"
#include "core/model/point_id.h"
#include "core/model/vector.h"
#include "core/payload/path.h"

// Writes as a request carries them. Trivially destructible unless said otherwise; memory belongs to
// the request's arena. Payload is canonical JSON text of an object (core/payload/README.md), or
// empty.
namespace vexfs {

struct point_struct {
  point_id id;
  std::span<const named_vector> vectors;
  std::string_view payload;
};

enum class update_mode : std::uint8_t { upsert, insert_only, update_only };

/// Points by id, or by filter. Exactly one is given.
struct point_selector {
  std::span<const point_id> ids;
  const filter* condition = nullptr;
};

struct upsert_points {
  std::span<const point_struct> points;
  const filter* update_filter = nullptr;
  update_mode mode = update_mode::upsert;
};
struct delete_points {
  point_selector selector;
};
struct point_vectors {
  point_id id;
  std::span<const named_vector> vectors;
};
struct update_vectors {
  std::span<const point_vectors> points;
  const filter* update_filter = nullptr;
};
struct delete_vectors {
  point_selector selector;
  std::span<const std::string_view> names;
};
/// Merges top-level keys, or at `key` where that is given; a JSON null removes its key.
struct set_payload {
  point_selector selector;
  std::string_view payload;
  std::optional<payload_path> key;
};
struct overwrite_payload {
  point_selector selector;
  std::string_view payload;
};
struct delete_payload {
  point_selector selector;
  std::span<const payload_path> keys;
};
struct clear_payload {
  point_selector selector;
};
struct create_field_index {
  payload_path field;
  const payload_field_schema* schema = nullptr;
};
struct delete_field_index {
  payload_path field;
};
struct create_vector_name {
  std::string_view name;
  const vector_params* dense = nullptr;  // exactly one of the two
  const sparse_vector_params* sparse = nullptr;
};
struct delete_vector_name {
  std::string_view name;
};

using update_operation =
    std::variant<upsert_points, delete_points, update_vectors, delete_vectors, set_payload,
                 overwrite_payload, delete_payload, clear_payload, create_field_index,
                 delete_field_index, create_vector_name, delete_vector_name>;

enum class update_status : std::uint8_t { acknowledged, completed, wait_timeout };

struct update_result {
  std::optional<std::uint64_t> operation_id;
  update_status status = update_status::completed;
};

}  // namespace vexfs
