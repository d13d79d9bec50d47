// SPDX-License-Identifier: Apache-2.0
#include "net/http/router.h"

#include <gtest/gtest.h>

namespace vexfs::http {
namespace {

struct router_test : testing::Test {
  router routes;
  exchange call;

  router_test() {
    for (const char* pattern :
         {"/", "/collections", "/collections/{name}", "/collections/{name}/points/{id}",
          "/dashboard", "/dashboard/{file*}", "/cluster/metadata/keys/{key}"})
      routes.add(method::get, pattern, nullptr, nullptr);
    routes.add(method::post, "/collections/aliases", nullptr, nullptr);
    routes.add(method::put, "/collections/{name}", nullptr, nullptr);
    routes.add(method::get, "/collections/{name}/points/count", nullptr, nullptr, 7);
  }

  /// The pattern that takes a path, or how it failed.
  std::string taken_by(method verb, std::string_view path) {
    call.captures = {};
    call.in.verb = verb;
    call.in.path = path;
    switch (routes.match(call)) {
      case router::outcome::found:
        return call.matched->pattern;
      case router::outcome::no_path:
        return "no path";
      case router::outcome::no_method:
        return "no method";
      case router::outcome::bad_path:
        return "bad path";
    }
    return "";
  }
};

TEST_F(router_test, literals_and_captures_are_matched_by_segment) {
  EXPECT_EQ(taken_by(method::get, "/"), "/");
  EXPECT_EQ(taken_by(method::get, "/collections"), "/collections");
  EXPECT_EQ(taken_by(method::get, "/collections/c"), "/collections/{name}");
  EXPECT_EQ(call.captures[0], "c");
  EXPECT_EQ(taken_by(method::get, "/collections/c/points/17"), "/collections/{name}/points/{id}");
  EXPECT_EQ(call.captures[0], "c");
  EXPECT_EQ(call.captures[1], "17");
  EXPECT_EQ(taken_by(method::get, "/collections/c/points/count"),
            "/collections/{name}/points/count");
  EXPECT_EQ(call.matched->flags, 7U);
  EXPECT_EQ(taken_by(method::head, "/collections/c"), "/collections/{name}");
}

TEST_F(router_test, what_is_not_there_says_whether_it_is_the_path_or_the_method) {
  EXPECT_EQ(taken_by(method::get, "/nothing"), "no path");
  EXPECT_EQ(taken_by(method::get, "/collections/c/points"), "no path");
  EXPECT_EQ(taken_by(method::get, "/collections/c/points/1/2"), "no path");
  EXPECT_EQ(taken_by(method::get, "*"), "no path");
  EXPECT_EQ(taken_by(method::remove, "/collections"), "no method");
  EXPECT_EQ(taken_by(method::other, "/"), "no method");
  EXPECT_EQ(taken_by(method::get, "/collections/%zz"), "bad path");
}

TEST_F(router_test, slashes_are_merged_and_the_last_one_removed) {
  EXPECT_EQ(taken_by(method::get, "//collections///c//"), "/collections/{name}");
  EXPECT_EQ(call.captures[0], "c");
  EXPECT_EQ(taken_by(method::get, "///"), "/");
  EXPECT_EQ(taken_by(method::get, ""), "/");
}

TEST_F(router_test, captures_are_decoded_after_the_path_was_cut) {
  EXPECT_EQ(taken_by(method::get, "/collections/a%2Fb%20c"), "/collections/{name}");
  EXPECT_EQ(call.captures[0], "a/b c");
}

TEST_F(router_test, a_collection_may_be_called_as_a_literal_segment_is) {
  EXPECT_EQ(taken_by(method::post, "/collections/aliases"), "/collections/aliases");
  EXPECT_EQ(taken_by(method::put, "/collections/aliases"), "/collections/{name}");
  EXPECT_EQ(call.captures[0], "aliases");
  EXPECT_EQ(taken_by(method::get, "/collections/aliases/points/count"),
            "/collections/{name}/points/count");
  EXPECT_EQ(call.captures[0], "aliases");
}

TEST_F(router_test, a_tail_captures_all_that_is_left) {
  EXPECT_EQ(taken_by(method::get, "/dashboard"), "/dashboard");
  EXPECT_EQ(taken_by(method::get, "/dashboard/"), "/dashboard");
  EXPECT_EQ(taken_by(method::get, "//dashboard//a/b%20c.js/"), "/dashboard/{file*}");
  EXPECT_EQ(call.captures[0], "a/b c.js");
  // The key check looks at the pattern, so that this one does not pass for a collection.
  EXPECT_EQ(taken_by(method::get, "/dashboard/../collections"), "/dashboard/{file*}");
}

TEST_F(router_test, routes_are_numbered_in_order) {
  std::uint32_t index = 0;
  for (const auto& one : routes.routes())
    EXPECT_EQ(one->index, index++);
}

}  // namespace
}  // namespace vexfs::http
