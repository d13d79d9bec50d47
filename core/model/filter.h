// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "core/model/point_id.h"
#include "core/payload/path.h"

// A filter as a request carries it: trivially destructible, all memory in the request's arena,
// already validated. Meaning of every part: tests/core/filter and core/README.md.
namespace vexfs {

struct filter;

struct match_value {  // string ==, integer ==, bool ==
  std::variant<std::string_view, std::int64_t, bool> value;
};
struct match_text {  // full text: all tokens (or a substring without an index)
  enum class mode : std::uint8_t { all, any, phrase, prefix };
  mode how = mode::all;
  std::string_view text;
};
struct match_any {  // one of; with except: none of
  bool except = false;
  std::span<const std::string_view> strings;  // at most one of the two is not empty
  std::span<const std::int64_t> integers;
};
using match = std::variant<match_value, match_text, match_any>;

struct number_range {
  std::optional<double> lt, gt, lte, gte;
};
struct datetime_range {  // microseconds since 1970-01-01T00:00:00Z
  std::optional<std::int64_t> lt, gt, lte, gte;
};
struct values_count_range {
  std::optional<std::uint64_t> lt, gt, lte, gte;
};

struct geo_point {  // degrees
  double lon = 0;
  double lat = 0;
};
struct geo_bounding_box {
  geo_point top_left, bottom_right;
};
struct geo_radius {
  geo_point center;
  double radius_meters = 0;
};
struct geo_polygon {  // closed rings
  std::span<const geo_point> exterior;
  std::span<const std::span<const geo_point>> interiors;
};

/// At least one member is set. Several set members follow the contract's precedence:
/// values_count, else is_empty, else is_null, else any of match, range and geo.
struct field_condition {
  payload_path key;
  std::optional<match> matches;
  std::optional<number_range> range;
  std::optional<datetime_range> datetimes;
  std::optional<geo_bounding_box> box;
  std::optional<geo_radius> radius;
  std::optional<geo_polygon> polygon;
  std::optional<values_count_range> values_count;
  std::optional<bool> is_empty;
  std::optional<bool> is_null;
};

struct is_empty_condition {
  payload_path key;
};
struct is_null_condition {
  payload_path key;
};
struct has_id_condition {
  std::span<const point_id> ids;
};
struct has_vector_condition {
  std::string_view name;
};
struct nested_condition {  // key as given, without the trailing []
  payload_path key;
  const filter* inner = nullptr;
};
struct filter_condition {
  const filter* inner = nullptr;
};
struct slice_condition {  // SipHash-2-4 of the id modulo total == index
  std::uint64_t total = 1;
  std::uint64_t index = 0;
};

using condition =
    std::variant<field_condition, is_empty_condition, is_null_condition, has_id_condition,
                 has_vector_condition, nested_condition, filter_condition, slice_condition>;

struct min_should {
  std::span<const condition> conditions;
  std::uint64_t min_count = 1;
};

/// Empty clauses are true.
struct filter {
  std::span<const condition> must, should, must_not;
  std::optional<min_should> at_least;
};

}  // namespace vexfs
