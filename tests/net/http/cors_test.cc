// SPDX-License-Identifier: Apache-2.0
#include "net/http/cors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vexfs::http {
namespace {

using testing::HasSubstr;

void set(exchange& call, header which, std::string_view value) {
  call.in.headers[static_cast<std::size_t>(which)] = value;
}

TEST(cors_test, a_preflight_is_allowed_what_it_asks_for) {
  exchange call;
  call.in.verb = method::options;
  set(call, header::origin, "http://page");
  EXPECT_FALSE(answer_preflight(call)) << "plain OPTIONS is no preflight";
  set(call, header::access_control_request_method, "DELETE");
  set(call, header::access_control_request_headers, "api-key, content-type");
  EXPECT_TRUE(answer_preflight(call));
  EXPECT_EQ(call.answer.status, 200);
  const std::string& lines = call.answer.extra_headers;
  EXPECT_THAT(lines, HasSubstr("access-control-allow-origin: http://page\r\n"));
  EXPECT_THAT(lines, HasSubstr("access-control-allow-methods: DELETE\r\n"));
  EXPECT_THAT(lines, HasSubstr("access-control-allow-headers: api-key, content-type\r\n"));
}

TEST(cors_test, an_answer_names_the_origin_and_only_to_who_sent_one) {
  exchange call;
  call.in.verb = method::get;
  set(call, header::access_control_request_method, "GET");
  EXPECT_FALSE(answer_preflight(call));
  allow_origin(call);
  EXPECT_EQ(call.answer.extra_headers, "");
  set(call, header::origin, "http://page");
  allow_origin(call);
  EXPECT_THAT(call.answer.extra_headers, HasSubstr("access-control-allow-origin: http://page\r\n"));
  EXPECT_THAT(call.answer.extra_headers, HasSubstr("vary: origin"));
}

}  // namespace
}  // namespace vexfs::http
