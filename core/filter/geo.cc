// SPDX-License-Identifier: Apache-2.0
#include "core/filter/geo.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/payload/walk.h"

namespace vexfs {
namespace {

constexpr double earth_radius_meters = 6'371'008.8;
constexpr double radians = std::numbers::pi / 180;

enum class side : std::uint8_t { outside, on, inside };

geo_ring prepare_ring(std::span<const geo_point> points) {
  geo_ring ring{points, {180, 90}, {-180, -90}};
  for (const geo_point& p : points) {
    ring.low = {std::min(ring.low.lon, p.lon), std::min(ring.low.lat, p.lat)};
    ring.high = {std::max(ring.high.lon, p.lon), std::max(ring.high.lat, p.lat)};
  }
  return ring;
}

side side_of(const geo_ring& ring, geo_point p) {
  if (p.lon < ring.low.lon || p.lon > ring.high.lon || p.lat < ring.low.lat ||
      p.lat > ring.high.lat) {
    return side::outside;
  }
  // Counts the edges that a ray towards greater longitudes crosses; an edge owns its lower end.
  bool inside = false;
  for (std::size_t i = 1; i < ring.points.size(); ++i) {
    const geo_point a = ring.points[i - 1];
    const geo_point b = ring.points[i];
    const double turn = (b.lon - a.lon) * (p.lat - a.lat) - (b.lat - a.lat) * (p.lon - a.lon);
    if (turn == 0 && p.lon >= std::min(a.lon, b.lon) && p.lon <= std::max(a.lon, b.lon) &&
        p.lat >= std::min(a.lat, b.lat) && p.lat <= std::max(a.lat, b.lat)) {
      return side::on;
    }
    if ((a.lat > p.lat) != (b.lat > p.lat) && (turn > 0) == (b.lat > a.lat)) inside = !inside;
  }
  return inside ? side::inside : side::outside;
}

std::uint64_t spread(std::uint32_t value) {
  std::uint64_t bits = value;
  bits = (bits | bits << 16) & 0x0000'ffff'0000'ffff;
  bits = (bits | bits << 8) & 0x00ff'00ff'00ff'00ff;
  bits = (bits | bits << 4) & 0x0f0f'0f0f'0f0f'0f0f;
  bits = (bits | bits << 2) & 0x3333'3333'3333'3333;
  return (bits | bits << 1) & 0x5555'5555'5555'5555;
}

/// Monotone, so that a rectangle of degrees is a rectangle of grid lines.
std::uint32_t grid(double degrees, double low, double size) {
  const double scaled = (degrees - low) / size * 4294967296.0;
  return static_cast<std::uint32_t>(std::clamp(scaled, 0.0, 4294967295.0));
}
std::uint32_t grid_lon(double lon) {
  return grid(lon, -180, 360);
}
std::uint32_t grid_lat(double lat) {
  return grid(lat, -90, 180);
}

struct grid_rectangle {
  std::uint32_t lon_first, lat_first, lon_last, lat_last;
};
/// A quad tree cell: `level` leading bits of both coordinates are fixed.
struct cell {
  std::uint32_t lon, lat, level;

  [[nodiscard]] std::uint32_t mask() const {
    return level == 0 ? 0xffff'ffffU : static_cast<std::uint32_t>((1ULL << (32 - level)) - 1);
  }
  [[nodiscard]] bool meets(const grid_rectangle& r) const {
    return lon <= r.lon_last && (lon | mask()) >= r.lon_first && lat <= r.lat_last &&
           (lat | mask()) >= r.lat_first;
  }
  [[nodiscard]] bool within(const grid_rectangle& r) const {
    return lon >= r.lon_first && (lon | mask()) <= r.lon_last && lat >= r.lat_first &&
           (lat | mask()) <= r.lat_last;
  }
};

}  // namespace

std::optional<geo_point> read_geo_point(std::string_view value) {
  if (value.empty() || value.front() != '{') return std::nullopt;
  std::optional<double> lon, lat;
  json_cursor members(value);
  for (std::string_view key, member; members.next_member(key, member);) {
    if (key != "lon" && key != "lat") continue;
    if (member.front() != '-' && (member.front() < '0' || member.front() > '9')) {
      return std::nullopt;
    }
    (key == "lon" ? lon : lat) = read_json_number(member).floating;
  }
  if (!lon || !lat || std::abs(*lon) > 180 || std::abs(*lat) > 90) return std::nullopt;
  return geo_point{*lon, *lat};
}

double haversine_meters(geo_point a, geo_point b) {
  const double lat = std::sin((b.lat - a.lat) * radians / 2);
  const double lon = std::sin((b.lon - a.lon) * radians / 2);
  const double chord =
      lat * lat + std::cos(a.lat * radians) * std::cos(b.lat * radians) * lon * lon;
  return 2 * earth_radius_meters * std::asin(std::sqrt(std::min(chord, 1.0)));
}

bool inside_box(const geo_bounding_box& box, geo_point point) {
  if (point.lat <= box.bottom_right.lat || point.lat >= box.top_left.lat) return false;
  const bool right_of_left = point.lon > box.top_left.lon;
  const bool left_of_right = point.lon < box.bottom_right.lon;
  return box.top_left.lon > box.bottom_right.lon ? right_of_left || left_of_right
                                                 : right_of_left && left_of_right;
}

prepared_polygon prepare_polygon(const geo_polygon& polygon, arena& memory) {
  auto interiors = memory.array<geo_ring>(polygon.interiors.size());
  for (std::size_t i = 0; i < interiors.size(); ++i) {
    interiors[i] = prepare_ring(polygon.interiors[i]);
  }
  return {prepare_ring(polygon.exterior), interiors};
}

bool inside_polygon(const prepared_polygon& polygon, geo_point point) {
  if (side_of(polygon.exterior, point) != side::inside) return false;
  return std::ranges::all_of(polygon.interiors, [&](const geo_ring& hole) {
    return side_of(hole, point) == side::outside;
  });
}

geo_bounds bounds_of(const geo_bounding_box& box) {
  const double low = box.bottom_right.lat;
  const double high = box.top_left.lat;
  geo_bounds bounds;
  if (low > high) return bounds;
  if (box.top_left.lon <= box.bottom_right.lon) {
    bounds.rectangles[bounds.count++] = {{box.top_left.lon, low}, {box.bottom_right.lon, high}};
  } else {
    bounds.rectangles[bounds.count++] = {{box.top_left.lon, low}, {180, high}};
    bounds.rectangles[bounds.count++] = {{-180, low}, {box.bottom_right.lon, high}};
  }
  return bounds;
}

geo_bounds bounds_of(const geo_radius& circle) {
  geo_bounds bounds;
  if (!(circle.radius_meters > 0)) return bounds;
  // A little wider than the circle: the bounds may be loose, never tight.
  const double angle = circle.radius_meters / earth_radius_meters * (1 + 1e-9) + 1e-12;
  const double reach = angle / radians;
  const double low = circle.center.lat - reach;
  const double high = circle.center.lat + reach;
  double width = 180;
  if (low > -90 && high < 90) {
    const double ratio = std::sin(angle) / std::cos(circle.center.lat * radians);
    if (ratio < 1) width = std::asin(ratio) / radians * (1 + 1e-9) + 1e-9;
  }
  const geo_point center = circle.center;
  const auto add = [&](double from, double to) {
    bounds.rectangles[bounds.count++] = {{from, std::max(low, -90.0)}, {to, std::min(high, 90.0)}};
  };
  if (width >= 180) {
    add(-180, 180);
  } else if (center.lon - width < -180) {
    add(center.lon - width + 360, 180);
    add(-180, center.lon + width);
  } else if (center.lon + width > 180) {
    add(center.lon - width, 180);
    add(-180, center.lon + width - 360);
  } else {
    add(center.lon - width, center.lon + width);
    // The two names of the antimeridian are one line.
    if (center.lon - width <= -180 + 1e-9)
      add(180, 180);
    else if (center.lon + width >= 180 - 1e-9)
      add(-180, -180);
  }
  return bounds;
}

geo_bounds bounds_of(const prepared_polygon& polygon) {
  geo_bounds bounds;
  bounds.rectangles[bounds.count++] = {polygon.exterior.low, polygon.exterior.high};
  return bounds;
}

std::uint64_t geo_code(geo_point point) {
  return spread(grid_lon(point.lon)) << 1 | spread(grid_lat(point.lat));
}

std::vector<geo_code_range> cover(const geo_bounds& bounds) {
  std::vector<grid_rectangle> rectangles;
  for (std::uint32_t i = 0; i < bounds.count; ++i) {
    const auto& r = bounds.rectangles[i];
    rectangles.push_back(
        {grid_lon(r.low.lon), grid_lat(r.low.lat), grid_lon(r.high.lon), grid_lat(r.high.lat)});
  }
  const auto meets = [&](const cell& c) {
    return std::ranges::any_of(rectangles, [&](const auto& r) { return c.meets(r); });
  };
  const auto within = [&](const cell& c) {
    return std::ranges::any_of(rectangles, [&](const auto& r) { return c.within(r); });
  };
  // Breadth first: large cells are split while there is room, so that the cover is even.
  std::vector<cell> open{{0, 0, 0}};
  std::vector<cell> done;
  if (!meets(open.front())) open.clear();
  for (std::size_t at = 0; at < open.size(); ++at) {
    const cell c = open[at];
    const std::size_t cells = done.size() + open.size() - at;
    if (c.level == 32 || within(c) || cells + 3 > geo_cover_cells_max) {
      done.push_back(c);
      continue;
    }
    const std::uint32_t half = 1U << (31 - c.level);
    for (std::uint32_t quarter = 0; quarter < 4; ++quarter) {
      const cell child{c.lon | (quarter >> 1) * half, c.lat | (quarter & 1) * half, c.level + 1};
      if (meets(child)) open.push_back(child);
    }
  }
  std::vector<geo_code_range> ranges;
  for (const cell& c : done) {
    const std::uint64_t first = spread(c.lon) << 1 | spread(c.lat);
    ranges.push_back({first, first | spread(c.mask()) << 1 | spread(c.mask())});
  }
  std::ranges::sort(ranges, {}, &geo_code_range::first);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first - 1 == ranges[kept].last) {
      ranges[kept].last = ranges[i].last;
    } else {
      ranges[++kept] = ranges[i];
    }
  }
  if (!ranges.empty()) ranges.resize(kept + 1);
  return ranges;
}

}  // namespace vexfs
