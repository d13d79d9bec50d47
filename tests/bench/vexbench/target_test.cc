// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/target.h"

#include <gtest/gtest.h>

namespace vexfs::bench {
namespace {

TEST(target, takes_urls_apart) {
  const auto plain = target::parse("http://127.0.0.1:7000");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->port(), 7000);
  EXPECT_TRUE(plain->is_loopback());
  EXPECT_EQ(plain->request("GET", "/x", ""), "GET /x HTTP/1.1\r\nHost: 127.0.0.1:7000\r\n\r\n");

  const auto prefixed = target::parse("http://127.0.0.1/vectors/");
  ASSERT_TRUE(prefixed);
  EXPECT_EQ(prefixed->port(), 6333);
  EXPECT_EQ(prefixed->prefix, "/vectors");

  const auto six = target::parse("http://[::1]:80");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->port(), 80);
  EXPECT_TRUE(six->is_loopback());
}

TEST(target, says_what_is_wrong_with_a_url) {
  for (const auto& [url, why] : {std::pair{"127.0.0.1:6333", "http://"},
                                 {"https://127.0.0.1", "TLS"},
                                 {"http://", "names no host"},
                                 {"http://127.0.0.1:x", "port"},
                                 {"http://127.0.0.1:70000", "port"},
                                 {"http://no-such-host.invalid", "no-such-host.invalid"}}) {
    const auto parsed = target::parse(url);
    ASSERT_FALSE(parsed) << url;
    EXPECT_EQ(parsed.error().code, exit_code::wrong_url);
    EXPECT_NE(parsed.error().text.find(why), std::string::npos) << parsed.error().text;
  }
}

TEST(target, puts_the_key_and_the_length_into_the_head) {
  auto made = target::parse("http://127.0.0.1:1/p");
  ASSERT_TRUE(made);
  made->api_key = "secret";
  EXPECT_EQ(made->request("POST", "/q", "{}"),
            "POST /p/q HTTP/1.1\r\nHost: 127.0.0.1:1\r\napi-key: secret\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

}  // namespace
}  // namespace vexfs::bench
