// SPDX-License-Identifier: Apache-2.0
#include "net/http/request.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace vexfs::http {
namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

TEST(request_test, percent_sequences_are_decoded_and_broken_ones_refused) {
  arena memory;
  EXPECT_EQ(percent_decode("plain", false, memory), "plain");
  EXPECT_EQ(percent_decode("a%20b%2Fc%2f", false, memory), "a b/c/");
  EXPECT_EQ(percent_decode("%E2%82%AC", false, memory), "\xe2\x82\xac");
  EXPECT_EQ(percent_decode("a+b", false, memory), "a+b");
  EXPECT_EQ(percent_decode("a+b", true, memory), "a b");
  EXPECT_EQ(percent_decode("", true, memory), "");
  EXPECT_EQ(percent_decode("end%41", false, memory), "endA");
  for (const char* broken : {"%", "%4", "a%", "a%4", "%zz", "%4g", "%%41"})
    EXPECT_EQ(percent_decode(broken, false, memory), std::nullopt) << broken;
}

TEST(request_test, query_pairs_come_decoded_and_in_order) {
  arena memory;
  pairs seen;
  const auto collect = [&](std::string_view name, std::string_view value) {
    seen.emplace_back(name, value);
  };
  EXPECT_TRUE(visit_query("a=1&b=x%20y&&c&d=e=f&a=+", memory, collect));
  EXPECT_EQ(seen, (pairs{{"a", "1"}, {"b", "x y"}, {"c", ""}, {"d", "e=f"}, {"a", " "}}));
  EXPECT_TRUE(visit_query("", memory, collect));
  EXPECT_FALSE(visit_query("a=%f", memory, collect));
}

}  // namespace
}  // namespace vexfs::http
