// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/locality.h"

#include <algorithm>
#include <utility>

#include "bench/vexbench/distance.h"

namespace vexfs::bench {
namespace {

constexpr std::uint32_t part_rows_min = 32;  // smaller ones stay as they are

float along(std::span<const float> direction, std::span<const float> vector) {
  return -fast_distance(metric::dot, direction, vector);
}

}  // namespace

locality::locality(const matrix& of, random_numbers numbers)
    : of_(of), order_(of.rows), places_(of.rows) {
  for (std::uint32_t row = 0; row < of.rows; ++row)
    order_[row] = row;
  parts_.push_back({.begin = 0, .end = of.rows});
  std::vector<std::pair<float, std::uint32_t>> projected;
  for (std::size_t index = 0; index < parts_.size(); ++index) {
    const auto [begin, end] = std::pair(parts_[index].begin, parts_[index].end);
    if (end - begin < 2 * part_rows_min) continue;
    const auto drawn = [&] {
      return of_.row(order_[begin + static_cast<std::uint32_t>(numbers.below(end - begin))]);
    };
    const auto from = drawn();
    const auto to = drawn();
    std::vector<float> direction(of_.columns);
    for (std::uint32_t axis = 0; axis < of_.columns; ++axis)
      direction[axis] = to[axis] - from[axis];
    projected.clear();
    for (std::uint32_t place = begin; place < end; ++place)
      projected.emplace_back(along(direction, of_.row(order_[place])), order_[place]);
    const std::uint32_t half = (end - begin) / 2;
    std::ranges::nth_element(projected, projected.begin() + half);
    for (std::uint32_t place = begin; place < end; ++place)
      order_[place] = projected[place - begin].second;
    parts_[index].middle = projected[half].first;
    parts_[index].direction = std::move(direction);
    parts_[index].halves = static_cast<std::uint32_t>(parts_.size());
    parts_.push_back({.begin = begin, .end = begin + half});
    parts_.push_back({.begin = begin + half, .end = end});
  }
  for (std::uint32_t place = 0; place < of.rows; ++place)
    places_[order_[place]] = place;
}

std::uint32_t locality::place_near(std::span<const float> vector) const {
  const part* at = &parts_.front();
  while (!at->direction.empty())
    at = &parts_[at->halves + (along(at->direction, vector) < at->middle ? 0 : 1)];
  return at->begin + (at->end - at->begin) / 2;
}

}  // namespace vexfs::bench
