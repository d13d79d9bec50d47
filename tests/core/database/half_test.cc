// SPDX-License-Identifier: Apache-2.0
#include "core/database/half.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace vexfs {
namespace {

TEST(half_test, every_half_survives_the_way_to_float_and_back) {
  for (std::uint32_t bits = 0; bits <= 0xffffU; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value)) continue;
    EXPECT_EQ(half_from_float(value), half);
  }
}

TEST(half_test, a_float_rounds_to_the_nearest_half_and_ties_go_to_even) {
  for (std::uint32_t bits = 0; bits < 0x7bffU; ++bits) {
    const float low = half_to_float(static_cast<std::uint16_t>(bits));
    const float high = half_to_float(static_cast<std::uint16_t>(bits + 1));
    const float middle = (low + high) / 2;
    EXPECT_EQ(half_from_float(middle), bits % 2 == 0 ? bits : bits + 1);
    EXPECT_EQ(half_from_float(std::nextafter(middle, low)), bits);
    EXPECT_EQ(half_from_float(std::nextafter(middle, high)), bits + 1);
  }
  EXPECT_EQ(half_from_float(65520.0F), 0x7c00U);
  EXPECT_EQ(half_from_float(-std::numeric_limits<float>::infinity()), 0xfc00U);
}

}  // namespace
}  // namespace vexfs
