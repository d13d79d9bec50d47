// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <gtest/gtest.h>

#include "core/payload/payload.h"

namespace vexfs {
namespace {

class paths {
 public:
  paths(std::initializer_list<const char*> texts) {
    for (const auto* text : texts)
      all_.push_back(parse_payload_path(text, memory_).value());
  }
  operator std::span<const payload_path>() const { return all_; }
  const payload_path* first() const { return all_.data(); }

 private:
  arena memory_;
  std::vector<payload_path> all_;
};

TEST(merge, top_level_keys_are_replaced_added_and_removed_by_null) {
  EXPECT_EQ(merge_payload(R"({"a":1,"b":{"x":1}})", R"({"b":{"y":2},"c":3})", nullptr),
            R"({"a":1,"b":{"y":2},"c":3})");
  EXPECT_EQ(merge_payload(R"({"a":1,"b":2})", R"({"a":null,"z":null})", nullptr), R"({"b":2})");
  EXPECT_EQ(merge_payload("", R"({"a":1})", nullptr), R"({"a":1})");
  EXPECT_EQ(merge_payload(R"({"a":1})", "", nullptr), R"({"a":1})");
  EXPECT_EQ(merge_payload("", "", nullptr), "{}");
}

TEST(merge, many_changes_are_found_as_few_are) {
  std::string stored = "{", changes = "{", expected = "{";
  for (int i = 0; i < 40; ++i) {
    const auto key = (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":";
    stored += key + "0";
    changes += key + "1";
    expected += key + "1";
  }
  EXPECT_EQ(merge_payload(stored + "}", changes + "}", nullptr), expected + "}");
}

TEST(merge, a_key_merges_at_its_path) {
  const struct {
    const char *stored, *key, *changes, *expected;
  } table[] = {
      {R"({"a":{"b":{"x":1},"c":2}})", "a.b", R"({"y":3})", R"({"a":{"b":{"x":1,"y":3},"c":2}})"},
      {R"({"a":{"b":{"x":1}}})", "a.b", R"({"x":null})", R"({"a":{"b":{}}})"},
      {"{}", "a.b", R"({"x":1})", R"({"a":{"b":{"x":1}}})"},
      {"", "\"p q\"", R"({"x":1})", R"({"p q":{"x":1}})"},
      {R"({"a":5})", "a", R"({"x":1})", R"({"a":{"x":1}})"},
      {R"({"a":5})", "a.b", R"({"x":1})", R"({"a":{"b":{"x":1}}})"},
      {R"({"a":[{"b":1},{"c":2}]})", "a[0]", R"({"x":1})", R"({"a":[{"b":1,"x":1},{"c":2}]})"},
      {R"({"a":[{"b":1},{"c":2}]})", "a[]", R"({"x":1})", R"({"a":[{"b":1,"x":1},{"c":2,"x":1}]})"},
      {R"({"a":[{"b":1}]})", "a[3]", R"({"x":1})", R"({"a":[{"b":1}]})"},
      {R"({"a":[{"b":1}]})", "a[].b.d", R"({"x":1})", R"({"a":[{"b":{"d":{"x":1}}}]})"},
      {R"({"b":1})", "a[0]", R"({"x":1})", R"({"b":1,"a":[]})"},
      {R"({"a":1})", "a[0]", R"({"x":1})", R"({"a":[]})"},
      {"", "a[]", R"({"x":1})", R"({"a":[]})"},
      {R"({"a":[1]})", "a.b[0]", "{}", R"({"a":{"b":[]}})"},
      {R"({"a":{"c":[{"d":1}]}})", "a.c[][]", R"({"x":1})", R"({"a":{"c":[[]]}})"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(merge_payload(row.stored, row.changes, paths{row.key}.first()), row.expected)
        << row.stored << " at " << row.key;
  }
}

TEST(merge, removal_takes_what_the_paths_name) {
  const std::string_view text = R"({"a":{"b":1,"c":[{"d":1,"e":2},{"d":3},4]},"f":5})";
  EXPECT_EQ(remove_payload_keys(text, paths{"f"}),
            R"({"a":{"b":1,"c":[{"d":1,"e":2},{"d":3},4]}})");
  EXPECT_EQ(remove_payload_keys(text, paths{"a.b", "f"}),
            R"({"a":{"c":[{"d":1,"e":2},{"d":3},4]}})");
  EXPECT_EQ(remove_payload_keys(text, paths{"a.c[].d"}),
            R"({"a":{"b":1,"c":[{"e":2},{},4]},"f":5})");
  EXPECT_EQ(remove_payload_keys(text, paths{"a.c[0].d"}),
            R"({"a":{"b":1,"c":[{"e":2},{"d":3},4]},"f":5})");
  EXPECT_EQ(remove_payload_keys(text, paths{"a.c[1]"}),
            R"({"a":{"b":1,"c":[{"d":1,"e":2},4]},"f":5})");
  EXPECT_EQ(remove_payload_keys(text, paths{"a.c[]"}), R"({"a":{"b":1,"c":[]},"f":5})");
  EXPECT_EQ(remove_payload_keys(text, paths{"a", "f", "g.h"}), "{}");
  EXPECT_EQ(remove_payload_keys("", paths{"a"}), "{}");
  EXPECT_EQ(remove_payload_keys(text, paths{"a.c.d", "f.x"}), text);
}

TEST(merge, include_keeps_nodes_that_agree_with_a_path) {
  const std::string_view text = R"({"a":{"b":1,"c":[{"d":1,"e":2},3]},"f":[{"g":1}],"h":5})";
  EXPECT_EQ(include_payload(text, paths{"h"}), R"({"h":5})");
  EXPECT_EQ(include_payload(text, paths{"a"}), R"({"a":{"b":1,"c":[{"d":1,"e":2},3]}})");
  EXPECT_EQ(include_payload(text, paths{"a.b"}), R"({"a":{"b":1}})");
  EXPECT_EQ(include_payload(text, paths{"a.c[].d"}), R"({"a":{"c":[{"d":1},3]}})");
  EXPECT_EQ(include_payload(text, paths{"f.g"}), R"({"f":[]})") << "elements are written []";
  EXPECT_EQ(include_payload(text, paths{"f[0].g"}), R"({"f":[]})") << "[0] never agrees";
  EXPECT_EQ(include_payload(text, paths{"f[].g", "h"}), R"({"f":[{"g":1}],"h":5})");
  EXPECT_EQ(include_payload(text, paths{"h.x"}), R"({"h":5})");
  EXPECT_EQ(include_payload(text, paths{"z"}), "{}");
  EXPECT_EQ(include_payload(text, std::span<const payload_path>{}), "{}");
  EXPECT_EQ(include_payload("", paths{"a"}), "{}");
}

TEST(merge, exclude_drops_nodes_under_a_path) {
  const std::string_view text = R"({"a":{"b":1,"c":[{"d":1,"e":2},3]},"h":5})";
  EXPECT_EQ(exclude_payload(text, paths{"h"}), R"({"a":{"b":1,"c":[{"d":1,"e":2},3]}})");
  EXPECT_EQ(exclude_payload(text, paths{"a.b"}), R"({"a":{"c":[{"d":1,"e":2},3]},"h":5})");
  EXPECT_EQ(exclude_payload(text, paths{"a.c[].d"}), R"({"a":{"b":1,"c":[{"e":2},3]},"h":5})");
  EXPECT_EQ(exclude_payload(text, paths{"a.c[]"}), R"({"a":{"b":1,"c":[]},"h":5})");
  EXPECT_EQ(exclude_payload(text, paths{"a.c[0]"}), text);
  EXPECT_EQ(exclude_payload(text, paths{"a.c.d", "a", "h"}), "{}");
  EXPECT_EQ(exclude_payload(text, std::span<const payload_path>{}), text);
}

}  // namespace
}  // namespace vexfs
