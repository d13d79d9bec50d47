// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/generate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "bench/vexbench/random.h"

namespace vexfs::bench {
namespace {

constexpr std::array<std::string_view, 4> names{"clustered", "anisotropic", "drifting", "uniform"};

// A cluster's own directions: points leave its centre along them, and a little along all others.
constexpr std::uint32_t cluster_directions = 8;
constexpr double noise_share = 0.3;
// How far a drifting centre has come at the end, in distances between centres.
constexpr double drift_length = 1.0;
// The exponent with which an anisotropic variance falls off.
constexpr double variance_exponent = 1.0;

std::vector<double> normals(std::size_t count, double scale, random_numbers& from) {
  std::vector<double> drawn(count);
  for (double& each : drawn)
    each = from.normal() * scale;
  return drawn;
}

class clusters {
 public:
  clusters(const recipe& from, random_numbers& numbers) : from_(from) {
    // Centres about one apart, whatever the dimension.
    const double scale = std::sqrt(0.5 / from.dim);
    double sum = 0;
    for (std::uint32_t index = 0; index < from.clusters; ++index) {
      centres_.push_back(normals(from.dim, scale, numbers));
      drifts_.push_back(normals(from.dim, scale * drift_length, numbers));
      directions_.push_back(normals(std::size_t{from.dim} * cluster_directions,
                                    std::sqrt(1.0 / (from.dim * cluster_directions)), numbers));
      sum += 1.0 / (index + 1);
      shares_.push_back(sum);
    }
  }

  // `time` goes from 0 to 1 over the rows; it moves nothing unless the shape drifts.
  void draw(std::span<float> row, double time, random_numbers& numbers) const {
    const double place = numbers.uniform() * shares_.back();
    const auto chosen =
        static_cast<std::size_t>(std::ranges::upper_bound(shares_, place) - shares_.begin());
    const std::size_t cluster = std::min(chosen, shares_.size() - 1);
    std::array<double, cluster_directions> along;
    for (double& each : along)
      each = numbers.normal() * from_.spread;
    const double noise = from_.spread * noise_share / std::sqrt(static_cast<double>(from_.dim));
    const double moved = from_.which == shape::drifting ? time : 0;
    for (std::uint32_t axis = 0; axis < from_.dim; ++axis) {
      double value =
          centres_[cluster][axis] + moved * drifts_[cluster][axis] + numbers.normal() * noise;
      for (std::uint32_t direction = 0; direction < cluster_directions; ++direction)
        value += along[direction] * directions_[cluster][std::size_t{direction} * from_.dim + axis];
      row[axis] = static_cast<float>(value);
    }
  }

 private:
  const recipe& from_;
  std::vector<std::vector<double>> centres_;
  std::vector<std::vector<double>> drifts_;
  std::vector<std::vector<double>> directions_;
  std::vector<double> shares_;  // summed up
};

class anisotropic {
 public:
  anisotropic(const recipe& from, random_numbers& numbers) : dim_(from.dim) {
    double sum = 0;
    for (std::uint32_t axis = 0; axis < dim_; ++axis) {
      deviations_.push_back(std::pow(axis + 1, -variance_exponent / 2));
      sum += deviations_.back() * deviations_.back();
    }
    for (double& each : deviations_)
      each /= std::sqrt(sum);
    // The turn is a product of a few reflections: orthogonal, and cheap to apply.
    for (int reflection = 0; reflection < 4; ++reflection) {
      mirrors_.push_back(normals(dim_, 1, numbers));
      double squares = 0;
      for (const double each : mirrors_.back())
        squares += each * each;
      for (double& each : mirrors_.back())
        each /= std::sqrt(squares);
    }
  }

  void draw(std::span<float> row, double, random_numbers& numbers) const {
    std::vector<double> values(dim_);
    for (std::uint32_t axis = 0; axis < dim_; ++axis)
      values[axis] = numbers.normal() * deviations_[axis];
    for (const std::vector<double>& mirror : mirrors_) {
      double along = 0;
      for (std::uint32_t axis = 0; axis < dim_; ++axis)
        along += values[axis] * mirror[axis];
      for (std::uint32_t axis = 0; axis < dim_; ++axis)
        values[axis] -= 2 * along * mirror[axis];
    }
    for (std::uint32_t axis = 0; axis < dim_; ++axis)
      row[axis] = static_cast<float>(values[axis]);
  }

 private:
  std::uint32_t dim_;
  std::vector<double> deviations_;
  std::vector<std::vector<double>> mirrors_;
};

struct uniform {
  void draw(std::span<float> row, double, random_numbers& numbers) const {
    for (float& value : row)
      value = static_cast<float>(2 * numbers.uniform() - 1);
  }
};

template <class Source>
made_vectors draw_all(const recipe& from, const Source& source) {
  made_vectors made{matrix(from.points, from.dim), matrix(from.queries, from.dim)};
  // A stream of their own: the queries do not change with the number of points.
  random_numbers base_numbers(from.seed, 1);
  for (std::uint32_t row = 0; row < from.points; ++row)
    source.draw(made.base.row(row), static_cast<double>(row) / std::max(1U, from.points),
                base_numbers);
  random_numbers query_numbers(from.seed, 2);
  for (std::uint32_t row = 0; row < from.queries; ++row)
    source.draw(made.queries.row(row), 1, query_numbers);
  return made;
}

}  // namespace

std::optional<shape> shape_named(std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<shape>(found - names.begin());
}

std::string_view name_of(shape which) {
  return names[static_cast<std::size_t>(which)];
}

made_vectors generate(const recipe& from) {
  random_numbers numbers(from.seed, 0);
  switch (from.which) {
    case shape::clustered:
    case shape::drifting:
      return draw_all(from, clusters(from, numbers));
    case shape::anisotropic:
      return draw_all(from, anisotropic(from, numbers));
    case shape::uniform:
      break;
  }
  return draw_all(from, uniform{});
}

}  // namespace vexfs::bench
