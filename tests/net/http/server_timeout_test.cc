// SPDX-License-Identifier: Apache-2.0
// Times are short and only waited for: a slow machine makes these tests slow, not wrong.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/http/server_fixture.h"

namespace vexfs::http {
namespace {

using namespace std::chrono_literals;

connection_limits patient() {
  connection_limits limits;
  limits.keep_alive = limits.request = limits.send = limits.disconnect = 1h;
  return limits;
}

using server_timeout_test = over_transports;
VEXFS_OVER_TRANSPORTS(server_timeout_test);

TEST_P(server_timeout_test, an_idle_connection_is_closed_without_a_word) {
  connection_limits limits = patient();
  limits.keep_alive = 20ms;
  test_server server(GetParam(), 1, limits);
  test_client silent(server.port());
  EXPECT_TRUE(silent.at_end());
  test_client used(server.port());
  EXPECT_EQ(used.ask(get("/hello")), "hello");
  EXPECT_TRUE(used.at_end());
}

TEST_P(server_timeout_test, a_head_that_trickles_in_is_answered_408) {
  connection_limits limits = patient();
  limits.request = 50ms;
  test_server server(GetParam(), 1, limits);
  test_client client(server.port());
  // Every byte would renew a deadline that is set by bytes; this one is set by the head's first.
  std::atomic<bool> ended{false};
  std::thread trickle([&] {
    const std::string request = "GET /hello HTTP/1.1\r\nX: " + std::string(1'000'000, 'a');
    for (std::size_t i = 0; i < request.size() && !ended; ++i) {
      if (!client.send(request.substr(i, 1))) break;
      std::this_thread::sleep_for(1ms);
    }
  });
  const auto got = client.receive();
  ended = true;
  trickle.join();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status(), 408);
}

TEST_P(server_timeout_test, a_body_that_does_not_come_is_cut) {
  connection_limits limits = patient();
  limits.request = 20ms;
  test_server server(GetParam(), 1, limits);
  for (const std::size_t size : {std::size_t{1000}, std::size_t{200'000}, std::size_t{4'000'000}}) {
    test_client client(server.port());
    const std::string request = post("/echo", std::string(size, 'x'));
    ASSERT_TRUE(client.send(request.substr(0, request.size() - size / 2)));
    EXPECT_TRUE(client.at_end());
  }
  EXPECT_EQ(server.answers.handled_count.load(), 0U);
}

TEST_P(server_timeout_test, a_peer_that_does_not_read_is_cut) {
  connection_limits limits = patient();
  limits.send = 20ms;
  test_server server(GetParam(), 1, limits);
  test_client client(server.port(), 4096);
  ASSERT_TRUE(client.send(get("/bytes/50000000")));
  EXPECT_TRUE(eventually(
      [&] { return server.answers.handled_count.load() == 1 && server.connection_count() == 0; }));
}

TEST_P(server_timeout_test, a_request_in_work_is_waited_for) {
  connection_limits limits;
  limits.keep_alive = limits.request = limits.send = limits.disconnect = 10ms;
  test_server server(GetParam(), 1, limits);
  test_client client(server.port());
  ASSERT_TRUE(client.send(get("/held")));
  server.answers.held_count.wait(0);
  // Several of the deadlines' lengths pass on the server's own clock before this one is answered.
  for (int i = 0; i < 5; ++i) {
    test_client other(server.port());
    EXPECT_TRUE(other.at_end());
  }
  EXPECT_EQ(test_client(server.port()).ask(get("/release")), "");
  const auto got = client.receive();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status(), 200);
}

TEST_P(server_timeout_test, a_refused_peer_that_goes_on_sending_is_cut) {
  connection_limits limits = patient();
  limits.disconnect = 20ms;
  test_server server(GetParam(), 1, limits);
  test_client client(server.port());
  ASSERT_TRUE(client.send("garbage\r\n\r\nmore"));
  EXPECT_EQ(client.receive()->status(), 400);
  EXPECT_TRUE(eventually([&] { return server.connection_count() == 0; }));
}

}  // namespace
}  // namespace vexfs::http
