// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/filter/field_predicate.h"

namespace vexfs {

/// A condition or a clause of the compiled tree. Immutable, in the plan's arena.
struct compiled_node {
  enum class form : std::uint8_t {
    all,   // every child; a filter is an `all` over its clauses
    any,   // at least min_count children
    none,  // no child
    field,
    is_empty,
    is_null,
    has_id,
    has_vector,
    nested,  // children.front() on one of the objects that key and [] reach
    slice,
    never,
  };
  form kind = form::all;
  bool array_with_null = false;  // is_null: counts as null, because the key is indexed
  std::uint64_t min_count = 1;
  std::span<const compiled_node> children;
  std::span<const path_step> key;
  const field_predicate* predicate = nullptr;
  const field_index* index =
      nullptr;                    // the finished index on the key, inside nested: on the joined key
  std::span<const point_id> ids;  // sorted
  std::string_view vector_name;
  std::uint64_t slice_total = 1;
  std::uint64_t slice_index = 0;
};

}  // namespace vexfs
