// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/model/update.h"

// Bodies of writes, whole. Everything lives in the arena.
namespace vexfs::rest {

[[nodiscard]] result<update_operation> decode_upsert(std::string_view body, arena& memory);
/// The same by way of the tree alone: what decode_upsert falls back to, and is tested against.
[[nodiscard]] result<update_operation> decode_upsert_document(std::string_view body, arena& memory);
/// One point of an upsert's list, from its own text. Nothing where it is wrong in any way.
[[nodiscard]] std::optional<point_struct> decode_listed_point(std::string_view text, arena& memory);
[[nodiscard]] result<update_operation> decode_delete_points(std::string_view body, arena& memory);
[[nodiscard]] result<update_operation> decode_update_vectors(std::string_view body, arena& memory);
[[nodiscard]] result<update_operation> decode_delete_vectors(std::string_view body, arena& memory);
[[nodiscard]] result<update_operation> decode_set_payload(std::string_view body, arena& memory);
[[nodiscard]] result<update_operation> decode_overwrite_payload(std::string_view body,
                                                                arena& memory);
[[nodiscard]] result<update_operation> decode_delete_payload(std::string_view body, arena& memory);
[[nodiscard]] result<update_operation> decode_clear_payload(std::string_view body, arena& memory);
[[nodiscard]] result<std::span<const update_operation>> decode_batch(std::string_view body,
                                                                     arena& memory);

}  // namespace vexfs::rest
