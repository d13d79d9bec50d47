// SPDX-License-Identifier: Apache-2.0
#include "core/payload/path.h"

#include <string>

#include <gtest/gtest.h>

namespace vexfs {
namespace {

std::string steps_text(std::string_view text) {
  arena memory;
  const auto path = parse_payload_path(text, memory);
  if (!path) return "refused";
  std::string out;
  for (const path_step& step : path->steps) {
    switch (step.kind) {
      case path_step::form::key:
        out += "<" + std::string(step.key) + ">";
        break;
      case path_step::form::index:
        out += "[" + std::to_string(step.index) + "]";
        break;
      case path_step::form::all:
        out += "[]";
        break;
    }
  }
  return out;
}

TEST(path, every_form_of_the_grammar_is_read) {
  EXPECT_EQ(steps_text("a"), "<a>");
  EXPECT_EQ(steps_text("a-b_9"), "<a-b_9>");
  EXPECT_EQ(steps_text("a.b.c"), "<a><b><c>");
  EXPECT_EQ(steps_text("a[]"), "<a>[]");
  EXPECT_EQ(steps_text("a[0][12].b[]"), "<a>[0][12]<b>[]");
  EXPECT_EQ(steps_text("\"a.b\".c"), "<a.b><c>");
  EXPECT_EQ(steps_text("a.\"b c[0]\"[1]"), "<a><b c[0]>[1]");
  EXPECT_EQ(steps_text("größe.数"), "<größe><数>");
  EXPECT_EQ(steps_text("\"\""), "<>");
  EXPECT_EQ(steps_text("a.\"\"[]"), "<a><>[]");
}

TEST(path, text_outside_the_grammar_is_refused) {
  for (const auto* text :
       {"",      ".",      "a.",  ".a",       "a..b",     "[0]",
        "[]",    "a[",     "a]",  "a[x]",     "a[-1]",    "a[0",
        "a b",   "a\"b\"", "\"a", "a.[0]",    "\"\xc3\"", "a.\"x\xff\"",
        "a[0]b", "a[1 ]",  "a$",  "\"a\\n\"", "\xff",     "a[99999999999999999999]"}) {
    EXPECT_EQ(steps_text(text), "refused") << text;
  }
}

TEST(path, a_path_outlives_the_text_it_was_parsed_from) {
  arena memory;
  std::string text = "abc.def";
  const auto path = parse_payload_path(text, memory);
  text.assign(text.size(), 'x');
  ASSERT_TRUE(path);
  EXPECT_EQ(path->text, "abc.def");
  EXPECT_EQ(path->steps[1].key, "def");
}

}  // namespace
}  // namespace vexfs
