// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/arena.h"
#include "core/filter/geo.h"
#include "core/model/filter.h"
#include "core/model/point_id.h"

namespace vexfs {

class field_index;
class text_analyzer;

/// How a field condition's match is decided.
enum class match_form : std::uint8_t {
  none,
  nothing,  // can never be true
  boolean,
  substring,    // any of `strings` is contained
  starts_with,  // strings[0]
  one_of,       // in strings or uuids, or in integers
  all_tokens,
  any_token,
  phrase,
};

/// A field condition in the form that evaluation wants. Immutable, in the plan's arena.
struct field_predicate {
  enum class form : std::uint8_t { values, values_count, is_empty, is_null };
  form kind = form::values;
  bool expected = true;  // is_empty, is_null
  values_count_range count;

  match_form match = match_form::none;
  bool except = false;  // one_of: everything but those, and but null
  bool boolean = false;
  bool of_integers = false;                   // one_of: integers, not strings
  std::span<const std::string_view> strings;  // one_of: sorted
  std::span<const std::int64_t> integers;     // sorted
  std::span<const point_id> uuids;            // sorted; with a uuid index any spelling counts
  std::span<const std::string_view> tokens;   // of the query, in order
  const text_analyzer* analyzer = nullptr;

  std::optional<number_range> range;
  std::optional<datetime_range> datetimes;
  std::optional<geo_bounding_box> box;
  std::optional<geo_radius> radius;
  const prepared_polygon* polygon = nullptr;

  /// How many of match, range and geo are set: a value passes when any of them does.
  [[nodiscard]] int alternatives() const {
    return (match != match_form::none) + range.has_value() + datetimes.has_value() +
           box.has_value() + radius.has_value() + (polygon != nullptr);
  }
};

/// `index` is the one on the condition's key, or null.
[[nodiscard]] const field_predicate* prepare_predicate(const field_condition& what,
                                                       const field_index* index, arena& memory);

/// A value that the key reaches. Arrays pass when an element does.
[[nodiscard]] bool value_passes(const field_predicate& predicate, std::string_view value);
/// The key reaches nothing.
[[nodiscard]] bool missing_passes(const field_predicate& predicate);

[[nodiscard]] bool is_empty_value(std::string_view value);
[[nodiscard]] bool has_null_element(std::string_view value);

template <class Range, class Number>
[[nodiscard]] bool in_range(const Range& range, Number number) {
  return !(range.lt && !(number < *range.lt)) && !(range.gt && !(number > *range.gt)) &&
         !(range.lte && !(number <= *range.lte)) && !(range.gte && !(number >= *range.gte));
}

}  // namespace vexfs
