// SPDX-License-Identifier: Apache-2.0
#include "net/json/document.h"

#include <vector>

#include <gtest/gtest.h>

#include "core/base/limits.h"

namespace vexfs::json {
namespace {

/// Canonical text of the document, or its error.
std::string read(std::string_view text) {
  arena memory;
  const auto root = parse_document(text, memory);
  if (!root) {
    EXPECT_EQ(root.error().code, errc::malformed);
    return root.error().text;
  }
  std::string out;
  append_canonical(out, **root);
  return out;
}

TEST(document, keeps_the_digits_of_numbers) {
  for (const std::string_view number :
       {"0", "-0", "1", "1.0", "1.50", "1e5", "1E+05", "-0.0e-3", "18446744073709551616",
        "0.1000000000000000055511151231257827"})
    EXPECT_EQ(read(number), number);
}

TEST(document, refuses_numbers_that_no_double_holds) {
  EXPECT_EQ(read("1.7976931348623157e308"), "1.7976931348623157e308");
  EXPECT_EQ(read("1" + std::string(308, '0')), "1" + std::string(308, '0'));
  for (const std::string& number : {std::string("1e309"), std::string("-1e400"),
                                    std::string("1.8e308"), "1" + std::string(309, '0')})
    EXPECT_TRUE(read("[" + number + "]").starts_with("number out of range at line 1"))
        << read(number);
  EXPECT_EQ(read("1e-400"), "1e-400");
}

TEST(document, writes_strings_in_the_one_canonical_way) {
  EXPECT_EQ(read(R"("\u0041\/\u00e9\ud83d\ude00\u001f\u007f\b\f\n\r\t\"\\")"),
            "\"A/\xc3\xa9\xf0\x9f\x98\x80\\u001f\x7f\\b\\f\\n\\r\\t\\\"\\\\\"");
}

TEST(document, lets_the_last_of_equal_names_win_in_the_place_of_the_first) {
  EXPECT_EQ(read(R"({"a":1,"b":2,"a":3,"\u0062":4})"), R"({"a":3,"b":4})");
  // Many members are compared in another way.
  for (const std::size_t count : {15U, 16U, 17U, 18U, 100U}) {
    std::string text = "{";
    std::string expected = "{";
    for (std::size_t i = 0; i < count; ++i)
      text += "\"k" + std::to_string(i) + "\":0,";
    for (std::size_t i = 0; i < count; i += 3)
      text += "\"k" + std::to_string(i) + "\":1,\"k" + std::to_string(i) + "\":2,";
    for (std::size_t i = 0; i < count; ++i)
      expected += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + (i % 3 == 0 ? "\":2" : "\":0");
    text.back() = '}';
    EXPECT_EQ(read(text), expected + "}");
  }
}

TEST(document, reads_many_equal_names_in_good_time) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) {
    text += '"';
    text += std::to_string(i / 2);
    text += "\":1,";
  }
  text.back() = '}';
  arena memory;
  const auto root = parse_document(text, memory);
  ASSERT_TRUE(root);
  EXPECT_EQ((*root)->members.size(), 100'000U);
}

TEST(document, nests_as_deep_as_the_limit_and_no_deeper) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(read(nested(json_depth_max)), nested(json_depth_max));
  EXPECT_TRUE(
      read(nested(json_depth_max + 1)).starts_with("recursion limit exceeded at line 1 column"));
  EXPECT_TRUE(read(std::string(1'000'000, '[')).starts_with("recursion limit exceeded"));
}

TEST(document, refuses_what_is_not_json) {
  for (const std::string_view text : {"",
                                      " ",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "'a'",
                                      "[1 2]",
                                      "nul",
                                      "truex",
                                      "NaN",
                                      "-",
                                      "01",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "\"\x01\"",
                                      "\"\xff\"",
                                      "\"\xc0\x80\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"",
                                      R"("\x")",
                                      R"("\u12")",
                                      R"("\ud83d")",
                                      R"("\ud83dx")",
                                      R"("\ude00")",
                                      "1 2",
                                      "{}{}",
                                      "[",
                                      "{\"a\"",
                                      "\"a",
                                      "// c\n1",
                                      "\xef\xbb\xbf{}"}) {
    arena memory;
    const auto root = parse_document(text, memory);
    ASSERT_FALSE(root) << text;
    EXPECT_NE(root.error().text.find(" at line "), std::string::npos) << text;
  }
}

TEST(document, refuses_every_document_that_is_cut) {
  const std::string text = R"({"a":[1,-2.5e3,true,false,null,"x\u00e9\n"],"b":{"c":{}},"d":"e"})";
  EXPECT_EQ(read(text),
            "{\"a\":[1,-2.5e3,true,false,null,\"x\xc3\xa9\\n\"],\"b\":{\"c\":{}},\"d\":\"e\"}");
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    arena memory;
    // Bytes of its own: reading past the end is seen.
    const std::vector<char> bytes(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(cut));
    EXPECT_FALSE(parse_document({bytes.data(), bytes.size()}, memory)) << cut;
  }
}

TEST(document, works_after_a_failure_as_before) {
  EXPECT_TRUE(read("[[[1,2,\"abc").starts_with("EOF"));
  EXPECT_EQ(read("[1]"), "[1]");
}

}  // namespace
}  // namespace vexfs::json
