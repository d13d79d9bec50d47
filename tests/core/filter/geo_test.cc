// SPDX-License-Identifier: Apache-2.0
#include "core/filter/geo.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/seeds.h"

namespace vexfs {
namespace {

bool covered(const std::vector<geo_code_range>& ranges, geo_point point) {
  const std::uint64_t code = geo_code(point);
  for (const auto& range : ranges) {
    if (code >= range.first && code <= range.last) return true;
  }
  return false;
}

TEST(geo, a_cover_contains_every_point_of_its_condition) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto in = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  for (int i = 0; i < 3'000; ++i) {
    // Poles and the antimeridian as often as anywhere else.
    const geo_point center{i % 3 == 0 ? (i % 2 == 0 ? 180.0 : -179.999) : in(-180, 180),
                           i % 5 == 0 ? (i % 2 == 0 ? 90.0 : -89.99) : in(-90, 90)};
    const geo_radius circle{center, std::pow(10, in(0, 7.3))};
    const auto ranges = cover(bounds_of(circle));
    ASSERT_LE(ranges.size(), geo_cover_cells_max);
    const double reach = circle.radius_meters / 111'000;
    for (int j = 0; j < 20; ++j) {
      geo_point point{in(center.lon - 2 * reach, center.lon + 2 * reach),
                      std::clamp(in(center.lat - reach, center.lat + reach), -90.0, 90.0)};
      point.lon = std::remainder(point.lon, 360);
      if (haversine_meters(center, point) < circle.radius_meters) {
        ASSERT_TRUE(covered(ranges, point))
            << center.lon << " " << center.lat << " r " << circle.radius_meters << " point "
            << point.lon << " " << point.lat;
      }
    }
  }
}

TEST(geo, a_small_circle_is_covered_by_few_codes) {
  const auto ranges = cover(bounds_of(geo_radius{{13.4, 52.5}, 1000}));
  EXPECT_TRUE(covered(ranges, {13.4, 52.5}));
  EXPECT_FALSE(covered(ranges, {13.5, 52.5}));
  EXPECT_FALSE(covered(ranges, {13.4, 52.6}));
}

TEST(geo, a_box_is_open_at_its_edges_and_may_cross_the_antimeridian) {
  const geo_bounding_box box{{170, 10}, {-170, -10}};
  EXPECT_TRUE(inside_box(box, {175, 0}));
  EXPECT_TRUE(inside_box(box, {-175, 0}));
  EXPECT_TRUE(inside_box(box, {180, 0}));
  EXPECT_FALSE(inside_box(box, {0, 0}));
  EXPECT_FALSE(inside_box(box, {170, 0}));
  EXPECT_FALSE(inside_box(box, {175, 10}));
  const auto ranges = cover(bounds_of(box));
  EXPECT_TRUE(covered(ranges, {180, 0}));
  EXPECT_TRUE(covered(ranges, {-180, 0}));
}

TEST(geo, a_polygon_excludes_its_rings_and_its_holes) {
  arena memory;
  const geo_point outer[] = {{0, 0}, {10, 0}, {10, 10}, {0, 10}, {0, 0}};
  const geo_point hole[] = {{4, 4}, {6, 4}, {6, 6}, {4, 6}, {4, 4}};
  const std::span<const geo_point> holes[] = {hole};
  const auto polygon = prepare_polygon({outer, holes}, memory);
  EXPECT_TRUE(inside_polygon(polygon, {2, 2}));
  EXPECT_TRUE(inside_polygon(polygon, {2, 4})) << "level with corners of the hole";
  EXPECT_FALSE(inside_polygon(polygon, {5, 5}));
  EXPECT_FALSE(inside_polygon(polygon, {4, 5})) << "on the hole";
  EXPECT_FALSE(inside_polygon(polygon, {0, 5})) << "on the ring";
  EXPECT_FALSE(inside_polygon(polygon, {10, 10}));
  EXPECT_FALSE(inside_polygon(polygon, {11, 5}));
}

TEST(geo, only_an_object_with_coordinates_in_range_is_a_point) {
  EXPECT_TRUE(read_geo_point(R"({"lon":1,"lat":2.5,"x":[]})"));
  EXPECT_FALSE(read_geo_point(R"({"lon":181,"lat":0})"));
  EXPECT_FALSE(read_geo_point(R"({"lon":1})"));
  EXPECT_FALSE(read_geo_point(R"({"lon":"1","lat":2})"));
  EXPECT_FALSE(read_geo_point("[1,2]"));
}

}  // namespace
}  // namespace vexfs
