// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bench/vexbench/matrix.h"
#include "bench/vexbench/random.h"

namespace vexfs::bench {

/// Rows in an order in which those that are near each other as vectors stand near each other: all
/// are halved along the line between two of them, and each half again. Any stretch of the order is
/// a part of the space, as large as one likes.
class locality {
 public:
  /// Keeps a reference.
  locality(const matrix& of, random_numbers numbers);

  [[nodiscard]] std::uint32_t place_of(std::uint32_t row) const { return places_[row]; }
  [[nodiscard]] std::uint32_t row_at(std::uint32_t place) const { return order_[place]; }
  /// Where a vector that is not among the rows would stand.
  [[nodiscard]] std::uint32_t place_near(std::span<const float> vector) const;

 private:
  // Rows [begin, end) of the order; those before the middle lie on the first row's side of the
  // line.
  struct part {
    std::uint32_t begin;
    std::uint32_t end;
    std::vector<float> direction{};  // empty: too few to be halved
    float middle = 0;                // along the direction
    std::uint32_t halves = 0;        // the first of two parts that follow each other
  };

  const matrix& of_;
  std::vector<std::uint32_t> order_;
  std::vector<std::uint32_t> places_;
  std::vector<part> parts_;
};

}  // namespace vexfs::bench
