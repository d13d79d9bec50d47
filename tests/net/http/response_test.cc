// SPDX-License-Identifier: Apache-2.0
#include "net/http/response.h"

#include <gtest/gtest.h>

namespace vexfs::http {
namespace {

std::string printed(const response& answer, bool head_only = false,
                    persistence after = persistence::keep) {
  std::string out;
  append_response(out, answer, head_only, after);
  return out;
}

TEST(response_test, an_answer_is_printed_with_its_length_and_type) {
  response answer;
  answer.body = "{}";
  EXPECT_EQ(printed(answer),
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}");
  answer.ready_body = "other";
  answer.content_type = "text/plain";
  answer.extra_headers = "retry-after: 1\r\n";
  answer.status = 429;
  EXPECT_EQ(printed(answer, false, persistence::close),
            "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 5\r\ncontent-type: text/plain\r\n"
            "connection: close\r\nretry-after: 1\r\n\r\nother");
}

TEST(response_test, head_prints_the_length_without_the_content) {
  response answer;
  answer.body = "{}";
  EXPECT_EQ(printed(answer, true, persistence::keep_said),
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n"
            "connection: keep-alive\r\n\r\n");
}

TEST(response_test, an_answer_without_content_has_no_type_and_some_have_no_length) {
  response answer;
  answer.status = 404;
  EXPECT_EQ(printed(answer), "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
  answer.status = 304;
  EXPECT_EQ(printed(answer), "HTTP/1.1 304 Not Modified\r\n\r\n");
  answer.status = 599;
  EXPECT_EQ(printed(answer), "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n");
}

TEST(response_test, reset_forgets_everything) {
  response answer;
  answer.status = 500;
  answer.body = "x";
  answer.ready_body = "y";
  answer.extra_headers = "a: b\r\n";
  answer.close = true;
  answer.content_type = "z";
  answer.reset();
  EXPECT_EQ(printed(answer), printed(response{}));
  EXPECT_FALSE(answer.close);
}

}  // namespace
}  // namespace vexfs::http
