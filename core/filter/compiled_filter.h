// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/arena.h"
#include "core/filter/point_source.h"
#include "core/model/filter.h"

namespace vexfs {

class field_indexes;
struct compiled_node;

/// A filter prepared once for many points: sorted sets, tokenised texts, prebuilt polygons.
/// Decides every point from its payload, and is right with any set of indexes: `indexes` only says
/// which keys have the meaning that an index gives them (tokens of a text index, any spelling of a
/// uuid, arrays with a null). Points into the filter, the arena and the indexes' analysers: valid
/// while those live and schema_version() stays.
class compiled_filter {
 public:
  /// `indexes` may be null: no key is indexed.
  compiled_filter(const filter& what, const field_indexes* indexes, arena& memory);

  /// False for a slot without a point.
  [[nodiscard]] bool matches(const point_source& source, std::uint32_t slot) const;
  /// The same for a live point whose payload is at hand.
  [[nodiscard]] bool matches(const point_source& source, std::uint32_t slot,
                             std::string_view payload) const;

  [[nodiscard]] const compiled_node& root() const { return *root_; }

 private:
  const compiled_node* root_;
};

}  // namespace vexfs
