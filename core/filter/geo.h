// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/arena.h"
#include "core/model/filter.h"

namespace vexfs {

/// A payload value as a point: an object whose lon and lat are numbers in their ranges.
[[nodiscard]] std::optional<geo_point> read_geo_point(std::string_view value);

/// Great-circle distance on a sphere of the earth's mean radius.
[[nodiscard]] double haversine_meters(geo_point a, geo_point b);

/// Strictly inside; left above right crosses the antimeridian.
[[nodiscard]] bool inside_box(const geo_bounding_box& box, geo_point point);

/// A polygon with the bounds of its rings at hand. Points on a ring are outside.
struct geo_ring {
  std::span<const geo_point> points;
  geo_point low, high;
};
struct prepared_polygon {
  geo_ring exterior;
  std::span<const geo_ring> interiors;
};
[[nodiscard]] prepared_polygon prepare_polygon(const geo_polygon& polygon, arena& memory);
[[nodiscard]] bool inside_polygon(const prepared_polygon& polygon, geo_point point);

/// Bounds that contain everything a condition can match; at most two rectangles, edges included.
struct geo_bounds {
  struct rectangle {
    geo_point low, high;
  };
  std::array<rectangle, 2> rectangles;
  std::uint32_t count = 0;
};
[[nodiscard]] geo_bounds bounds_of(const geo_bounding_box& box);
[[nodiscard]] geo_bounds bounds_of(const geo_radius& circle);
[[nodiscard]] geo_bounds bounds_of(const prepared_polygon& polygon);

/// Interleaved bits of longitude and latitude: points of one cell of a quad tree are neighbours in
/// the order of codes.
[[nodiscard]] std::uint64_t geo_code(geo_point point);

/// Ranges of codes, edges included, in ascending order, that cover the bounds.
struct geo_code_range {
  std::uint64_t first, last;
};
inline constexpr std::size_t geo_cover_cells_max = 64;
[[nodiscard]] std::vector<geo_code_range> cover(const geo_bounds& bounds);

}  // namespace vexfs
