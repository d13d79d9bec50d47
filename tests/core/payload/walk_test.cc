// SPDX-License-Identifier: Apache-2.0
#include "core/payload/walk.h"

#include <random>

#include <gtest/gtest.h>

#include "core/payload/payload.h"
#include "core/payload/print.h"
#include "tests/seeds.h"

namespace vexfs {
namespace {

std::string reached(std::string_view stored, std::string_view path_text,
                    std::size_t stop_after = 99) {
  arena memory;
  const auto path = parse_payload_path(path_text, memory);
  EXPECT_TRUE(path) << path_text;
  std::string out;
  std::size_t seen = 0;
  visit_payload(stored, *path, [&](json_value value) {
    out += std::string(value.text) + ";";
    return ++seen < stop_after;
  });
  return out;
}

TEST(walk, a_path_reaches_what_it_names_and_nothing_else) {
  const std::string_view text =
      R"({"a":{"b":[{"c":1},{"c":[2,3]},{"d":4},5]},"x\"y":"q\\","e":[],"n":null,"t":true,"k.l":{"m":-1.5e3}})";
  EXPECT_EQ(reached(text, "a.b[].c"), "1;[2,3];");
  EXPECT_EQ(reached(text, "a.b[].c[]"), "2;3;");
  EXPECT_EQ(reached(text, "a.b[1].c[1]"), "3;");
  EXPECT_EQ(reached(text, "a.b[3]"), "5;");
  EXPECT_EQ(reached(text, "a.b[4]"), "");
  EXPECT_EQ(reached(text, "a.b.c"), "") << "no descent into arrays without []";
  EXPECT_EQ(reached(text, "a[]"), "") << "an object has no elements";
  EXPECT_EQ(reached(text, "e[]"), "");
  EXPECT_EQ(reached(text, "e"), "[];");
  EXPECT_EQ(reached(text, "n"), "null;");
  EXPECT_EQ(reached(text, "n.x"), "");
  EXPECT_EQ(reached(text, "\"k.l\".m"), "-1.5e3;");
  EXPECT_EQ(reached(text, "t"), "true;");
  EXPECT_EQ(reached(text, "missing"), "");
  EXPECT_EQ(reached("", "a"), "");
  EXPECT_EQ(reached("{}", "a"), "");
}

TEST(walk, a_visit_that_answers_false_is_the_last) {
  EXPECT_EQ(reached(R"({"a":[[1,2],[3]]})", "a[][]", 2), "1;2;");
  EXPECT_EQ(reached(R"({"a":[[1,2],[3]]})", "a[][]"), "1;2;3;");
}

TEST(walk, numbers_are_told_apart_as_the_contract_does) {
  EXPECT_EQ(read_json_number("1").kind, json_number::form::integer);
  EXPECT_EQ(read_json_number("-9223372036854775808").integer, INT64_MIN);
  EXPECT_EQ(read_json_number("9223372036854775807").kind, json_number::form::integer);
  EXPECT_EQ(read_json_number("9223372036854775808").kind, json_number::form::natural);
  EXPECT_EQ(read_json_number("18446744073709551615").natural, UINT64_MAX);
  EXPECT_EQ(read_json_number("18446744073709551616").kind, json_number::form::floating);
  EXPECT_EQ(read_json_number("-9223372036854775809").kind, json_number::form::floating);
  EXPECT_EQ(read_json_number("1.0").kind, json_number::form::floating);
  EXPECT_EQ(read_json_number("-0").kind, json_number::form::floating);
  EXPECT_DOUBLE_EQ(read_json_number("-2.5e-3").floating, -2.5e-3);
  EXPECT_DOUBLE_EQ(read_json_number("7").floating, 7);
}

/// Prints a random value; strings are full of what could be mistaken for structure.
void print_random(std::mt19937_64& random, int depth, std::string& out) {
  static constexpr std::string_view hostile = "\"\\{}[],:\n a\x01";
  const auto text = [&] {
    std::string plain;
    for (auto n = random() % 40; n > 0; --n)
      plain.push_back(hostile[random() % hostile.size()]);
    append_json_string(out, plain);
  };
  const auto kind = random() % (depth > 0 ? 5 : 3);
  if (kind == 0) {
    text();
  } else if (kind == 1) {
    out += std::to_string(random() % 1000);
  } else if (kind == 2) {
    out += random() % 2 == 0 ? "null" : "true";
  } else {
    out.push_back(kind == 3 ? '[' : '{');
    for (auto n = random() % 5, i = n; i > 0; --i) {
      if (i != n) out.push_back(',');
      if (kind == 4) {
        text();
        out.push_back(':');
      }
      print_random(random, depth - 1, out);
    }
    out.push_back(kind == 3 ? ']' : '}');
  }
}

TEST(walk, skipping_any_value_ends_where_it_ends) {
  const std::uint64_t seed = run_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 5'000; ++i) {
    std::string text;
    print_random(random, 5, text);
    const auto size = text.size();
    for (const auto* behind : {",\"]}", "]", "}"}) {
      std::string whole = text + behind;
      const char* end = skip_json_value(whole.data(), whole.data() + whole.size());
      ASSERT_EQ(end - whole.data(), static_cast<std::ptrdiff_t>(size)) << whole;
    }
  }
}

TEST(walk, a_key_with_escapes_is_compared_by_its_text) {
  EXPECT_TRUE(json_string_equals("a\\nb", "a\nb"));
  EXPECT_FALSE(json_string_equals("a\\nb", "a\\nb"));
  EXPECT_FALSE(json_string_equals("a\\n", "a\nb"));
  EXPECT_FALSE(json_string_equals("abc", "ab"));
  EXPECT_TRUE(json_string_equals("", ""));
  EXPECT_TRUE(json_string_equals("\\u0001", "\x01"));
}

}  // namespace
}  // namespace vexfs
