// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <vector>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/id_map.h"
#include "core/database/ranking.h"
#include "core/filter/compiled_filter.h"
#include "core/filter/point_source.h"
#include "core/model/formula.h"

namespace vexfs {

class field_indexes;

/// One formula over many points, in float64. Its conditions are compiled once, so one object serves
/// while the collection's indexes stay as they are: one hold of the guard.
class formula_scorer {
 public:
  /// `lists` are the prefetches, in order: the scores that the formula may name.
  formula_scorer(const formula_query& query, std::span<const ranking> lists,
                 const field_indexes& indexes, arena& memory);

  /// bad_input where a value is missing or of another type, or the result is no finite number.
  [[nodiscard]] result<float> score(const point_source& source, const ranked_point& point,
                                    std::string_view payload) const;

 private:
  struct at_point;
  void compile(const expression& part, const field_indexes& indexes, arena& memory);
  [[nodiscard]] result<double> evaluate(const expression& part, const at_point& where) const;
  [[nodiscard]] result<double> decay(const expression& part, const at_point& where) const;
  [[nodiscard]] double score_of_list(std::uint64_t index, const point_id& id) const;
  /// The value at a path, or its default; "" where there is neither.
  [[nodiscard]] std::string_view value_at(const payload_path& path, const at_point& where) const;

  const formula_query& query_;
  std::vector<point_map<float>> scores_;
  std::map<const expression*, compiled_filter> conditions_;
};

}  // namespace vexfs
