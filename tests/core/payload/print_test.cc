// SPDX-License-Identifier: Apache-2.0
#include "core/payload/print.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "core/payload/walk.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

template <class Number>
std::string printed(Number number) {
  std::string out;
  append_json_number(out, number);
  return out;
}

TEST(print, doubles_have_the_contracts_form) {
  const struct {
    double number;
    const char* text;
  } table[] = {{0.0, "0.0"},
               {-0.0, "-0.0"},
               {1.0, "1.0"},
               {-1.5, "-1.5"},
               {0.1, "0.1"},
               {123456.0, "123456.0"},
               {1e15, "1000000000000000.0"},
               {1e16, "1e16"},
               {1.5e16, "1.5e16"},
               {1e-5, "0.00001"},
               {1e-6, "1e-6"},
               {1e-7, "1e-7"},
               {1.25e-7, "1.25e-7"},
               {1e300, "1e300"},
               {5e-324, "5e-324"},
               {0.00012, "0.00012"},
               {1234567890123456.0, "1234567890123456.0"}};
  for (const auto& row : table)
    EXPECT_EQ(printed(row.number), row.text);
  EXPECT_EQ(printed(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(printed(std::nan("")), "null");
}

TEST(print, floats_have_the_contracts_form) {
  EXPECT_EQ(printed(0.1F), "0.1");
  EXPECT_EQ(printed(1.0F), "1.0");
  EXPECT_EQ(printed(1e12F), "1000000000000.0");
  EXPECT_EQ(printed(1e13F), "1e13");
  EXPECT_EQ(printed(1e-6F), "0.000001");
  EXPECT_EQ(printed(1e-7F), "1e-7");
  EXPECT_EQ(printed(16777216.0F), "16777216.0");
}

TEST(print, every_finite_number_reads_back_bit_for_bit) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const auto wide = std::bit_cast<double>(random());
    if (std::isfinite(wide)) {
      const auto text = printed(wide);
      double back = 0;
      std::from_chars(text.data(), text.data() + text.size(), back);
      ASSERT_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(wide)) << text;
    }
    const auto narrow = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(narrow)) {
      const auto text = printed(narrow);
      float back = 0;
      std::from_chars(text.data(), text.data() + text.size(), back);
      ASSERT_EQ(std::bit_cast<std::uint32_t>(back), std::bit_cast<std::uint32_t>(narrow)) << text;
    }
  }
}

TEST(print, strings_are_escaped_and_read_back) {
  std::string all;
  for (int c = 0; c < 256; ++c)
    all.push_back(static_cast<char>(c));
  std::string text;
  append_json_string(text, all);
  EXPECT_NE(text.find("\\u0001\\u0002"), std::string::npos);
  EXPECT_NE(text.find("\\b\\t\\n\\u000b\\f\\r"), std::string::npos);
  std::string buffer;
  EXPECT_EQ(json_string_text(text, buffer), all);
  EXPECT_TRUE(json_string_equals(std::string_view(text).substr(1, text.size() - 2), all));
}

}  // namespace
}  // namespace vexfs
