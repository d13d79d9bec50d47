// SPDX-License-Identifier: Apache-2.0
#include "net/json/cursor.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "tests/seeds.h"

namespace vexfs::json {
namespace {

/// The double that from_chars gives, rounded to float.
std::uint32_t exact_bits(const std::string& text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return std::bit_cast<std::uint32_t>(static_cast<float>(number));
}

/// As read_float() reads it. Where read_usual_float() takes it, that has to be the same.
std::uint32_t read_bits(const std::string& text) {
  float number = -7;
  const char* const end = read_float(text.data(), text.data() + text.size(), number);
  EXPECT_EQ(end, text.data() + text.size()) << text;
  const std::string padded = text + "," + std::string(usual_float_bytes, '7');
  float usual = -7;
  if (const char* const usual_end = read_usual_float(padded.data(), usual)) {
    EXPECT_EQ(usual_end, padded.data() + text.size()) << text;
    EXPECT_EQ(std::bit_cast<std::uint32_t>(usual), std::bit_cast<std::uint32_t>(number)) << text;
  }
  return std::bit_cast<std::uint32_t>(number);
}

TEST(read_float, rounds_as_the_exact_conversion_does) {
  const std::uint64_t seed = run_seed();
  std::mt19937_64 random(seed);
  for (int i = 0; i < 30'000; ++i) {
    const auto single = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    const auto wide = std::bit_cast<double>(random());
    const float near_one = static_cast<float>(std::generate_canonical<double, 53>(random) * 2 - 1);
    const double middle =
        (static_cast<double>(near_one) + static_cast<double>(std::nextafter(near_one, 9.0F))) / 2;
    const double values[] = {
        single, wide, near_one, middle, std::nextafter(middle, 9.0), std::nextafter(middle, -9.0)};
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      for (const char* form : {"%.17g", "%.9g", "%.17f", "%.20f", "%.6f", "%.25g"}) {
        char text[512];
        if (std::abs(value) > 1e200 && form[3] == 'f') continue;
        std::snprintf(text, sizeof text, form, value);
        float read;
        const std::string digits(text);
        if (!read_float(text, text + digits.size(), read)) continue;  // beyond a double
        ASSERT_EQ(read_bits(digits), exact_bits(digits)) << digits << " seed " << seed;
      }
    }
  }
}

TEST(read_usual_float, takes_what_clients_print_and_nothing_else) {
  const std::string rest(usual_float_bytes, ' ');
  float number;
  for (const std::string_view text : {"0.1", "-0.1", "0.100240365", "-0.10024036467075348",
                                      "9.99999999999999999", "0.123456789012345678", "-0.0"}) {
    const std::string padded = std::string(text) + rest;
    EXPECT_EQ(read_usual_float(padded.data(), number), padded.data() + text.size()) << text;
  }
  for (const std::string_view text :
       {"1", "0", "-", "0.", "-.5", ".5", "10.5", "01.5", "0.5e1", "1e5", "0.1234567890123456789",
        "1.123456789012345678", "NaN", "--0.5", "0,5"}) {
    const std::string padded = std::string(text) + rest;
    EXPECT_EQ(read_usual_float(padded.data(), number), nullptr) << text;
  }
}

TEST(read_float, refuses_what_json_refuses) {
  for (const std::string_view text : {"", "-", "+1", "01", "-01", ".5", "1.", "1.e3", "1e", "1e+",
                                      "e5", "NaN", "Infinity", "-.1", "- 1", "1e400", "-1e999"}) {
    float number;
    const char* const end = read_float(text.data(), text.data() + text.size(), number);
    EXPECT_NE(end, text.data() + text.size()) << text;
  }
}

TEST(read_float, keeps_the_sign_of_zero) {
  EXPECT_EQ(read_bits("-0"), 0x8000'0000);
  EXPECT_EQ(read_bits("-0.000"), 0x8000'0000);
  EXPECT_EQ(read_bits("0e9"), 0U);
}

std::string canonical(std::string_view text) {
  cursor in(text);
  std::string out;
  return in.canonical_value(out) && in.finished() ? out : "declined";
}

TEST(cursor, makes_payload_canonical) {
  EXPECT_EQ(canonical(R"( { "a" : [ 1 , 2.50 , -0 ] , "b" : { } , "c" : [ ] , "d" : null } )"),
            R"({"a":[1,2.50,-0],"b":{},"c":[],"d":null})");
  EXPECT_EQ(canonical("{\"caf\xc3\xa9\":\"\\\"\\\\\\n\"}"), "{\"caf\xc3\xa9\":\"\\\"\\\\\\n\"}");
}

TEST(cursor, declines_what_has_another_canonical_form_or_none) {
  for (const std::string_view text :
       {R"({"a":1,"a":2})", R"("\/")", R"("\u0041")", "1e5", "\"\x01\"", "\"\xff\"", R"(["a")", "{",
        "[1,]", "{\"a\":1,}", "01", "tru", "", "nulll", "1 2", R"({"a" 1})", R"({a:1})", "[1}"})
    EXPECT_EQ(canonical(text), "declined") << text;
  EXPECT_EQ(canonical(std::string(200, '[') + std::string(200, ']')), "declined");
}

TEST(cursor, finds_the_end_of_values) {
  for (const std::string_view text :
       {R"({"a":"}","b":[1,{}]})", R"("a\"]b")", "12.5e3", "true", "[[],[]]"}) {
    const std::string whole = std::string(text) + " ,";
    cursor in(whole);
    EXPECT_TRUE(in.skip_value()) << text;
    EXPECT_TRUE(in.take(',')) << text;
  }
  for (const std::string_view text : {"", "[", "\"a", "{\"a\":", "]", ",", "\"\\"}) {
    cursor in(text);
    EXPECT_FALSE(in.skip_value()) << text;
  }
}

}  // namespace
}  // namespace vexfs::json
