// SPDX-License-Identifier: Apache-2.0
#include "net/json/syntax_error.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "net/json/document.h"
#include "tests/seeds.h"

namespace vexfs::json {
namespace {

TEST(syntax_error, says_what_the_contract_says) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"", "EOF while parsing a value at line 1 column 0"},
      {"  \n ", "EOF while parsing a value at line 2 column 1"},
      {"x", "expected value at line 1 column 1"},
      {"nul", "EOF while parsing a value at line 1 column 3"},
      {"nulx", "expected ident at line 1 column 4"},
      {"{} {}", "trailing characters at line 1 column 4"},
      {"[1", "EOF while parsing a list at line 1 column 2"},
      {"[1 2]", "expected `,` or `]` at line 1 column 4"},
      {"[1,]", "trailing comma at line 1 column 4"},
      {"[1,", "EOF while parsing a value at line 1 column 3"},
      {"{", "EOF while parsing an object at line 1 column 1"},
      {"{a:1}", "key must be a string at line 1 column 2"},
      {"{\"a\" 1}", "expected `:` at line 1 column 6"},
      {"{\"a\":1 \"b\"}", "expected `,` or `}` at line 1 column 8"},
      {"{\"a\":1,}", "trailing comma at line 1 column 8"},
      {"{\"a\":\n}", "expected value at line 2 column 1"},
      {"\"a", "EOF while parsing a string at line 1 column 2"},
      {"\"a\nb\"",
       "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0"},
      {R"("\x")", "invalid escape at line 1 column 3"},
      {R"("\u12g4")", "invalid escape at line 1 column 7"},
      {R"("\ud83dx")", "unexpected end of hex escape at line 1 column 8"},
      {R"("\ude00")", "lone leading surrogate in hex escape at line 1 column 7"},
      {"\"\xff\"", "invalid unicode code point at line 1 column 3"},
      {"01", "invalid number at line 1 column 2"},
      {"-x", "invalid number at line 1 column 2"},
      {"1.x", "invalid number at line 1 column 3"},
      {"1ex", "invalid number at line 1 column 3"},
      {"-", "EOF while parsing a value at line 1 column 1"},
      {"[1e999]", "number out of range at line 1 column 6"},
  };
  for (const auto& [text, expected] : table)
    EXPECT_EQ(find_syntax_error(text).value_or("none"), expected) << text;
}

TEST(syntax_error, is_found_exactly_where_the_document_is_refused) {
  const std::uint64_t seed = run_seed();
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t bound) {
    return static_cast<std::size_t>(random() % bound);
  };
  const std::string_view good[] = {
      R"({"a":[1,-2.5e3,true,false,null,"x\u00e9\n"],"b":{"c":{}},"d":"e"})",
      R"([[],{},"\ud83d\ude00",0.5,1e-400,12345678901234567890])",
      "{\"caf\xc3\xa9\": \"\xf0\x9f\x98\x80\", \"k\": [ 0 , -0.0 , 1E+5 ] }",
      R"("\"\\\/\b\f\n\r\t")",
      " 17 ",
      "1e308"};
  constexpr std::string_view bytes =
      "{}[]\":,0123.eE-+ntfu\\ \n\x01\xc3\xa9\xff\x80"
      "d8";
  int refused = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text(good[below(std::size(good))]);
    for (std::size_t edits = 1 + below(3); edits-- > 0 && !text.empty();) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = bytes[below(bytes.size())];
          break;
        case 1:
          text.insert(at, 1, bytes[below(bytes.size())]);
          break;
        case 2:
          text.erase(at, 1 + below(4));
          break;
        default:
          text.insert(at, text.substr(below(text.size()), below(9)));
          break;
      }
    }
    // Bytes of its own: reading past the end is seen.
    const std::vector<char> own(text.begin(), text.end());
    arena memory;
    const auto root = parse_document({own.data(), own.size()}, memory);
    const auto found = find_syntax_error({own.data(), own.size()});
    ASSERT_EQ(found.has_value(), !root)
        << text << " " << found.value_or("none") << " seed " << seed;
    refused += found.has_value();
  }
  EXPECT_GT(refused, 50'000);
  EXPECT_LT(refused, 195'000);
}

TEST(syntax_error, counts_the_depth_as_the_document_does) {
  for (const std::size_t depth : {json_depth_max - 1, json_depth_max, json_depth_max + 1}) {
    const std::string text = std::string(depth, '[') + std::string(depth, ']');
    arena memory;
    EXPECT_EQ(find_syntax_error(text).has_value(), !parse_document(text, memory)) << depth;
  }
}

}  // namespace
}  // namespace vexfs::json
