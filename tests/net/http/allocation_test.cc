// SPDX-License-Identifier: Apache-2.0
// A warm server answers without the general heap: counted over every thread.

#include <gtest/gtest.h>

#include "bench/allocation_count.h"
#include "tests/net/http/server_fixture.h"

namespace vexfs::http {
namespace {

/// Sends the same bytes again and again and reads the same number back, without the heap.
void exchange_raw(int socket, std::string_view request, std::size_t answer_bytes, int rounds) {
  char buffer[16384];
  for (int round = 0; round < rounds; ++round) {
    ASSERT_EQ(::send(socket, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    for (std::size_t left = answer_bytes; left > 0;) {
      const ssize_t count = ::recv(socket, buffer, std::min(left, sizeof(buffer)), 0);
      ASSERT_GT(count, 0);
      left -= static_cast<std::size_t>(count);
    }
  }
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool frames_are_kept = false;
#else
constexpr bool frames_are_kept = true;
#endif
constexpr std::string_view no_frames_kept =
    "frames are not kept under AddressSanitizer, which must see their end";

/// A server of one core, with one connection to it.
class allocation_test : public over_transports {
 protected:
  void SetUp() override {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  void TearDown() override { ::close(socket_); }

  void expect_no_allocation(std::string_view request, std::size_t answer_bytes) {
    exchange_raw(socket_, request, answer_bytes, 100);
    const std::size_t before = allocation_count.load();
    exchange_raw(socket_, request, answer_bytes, 2000);
    EXPECT_EQ(allocation_count.load() - before, 0U) << request.substr(0, 20);
  }
  static std::size_t printed_size(const response& answer) {
    std::string printed;
    append_response(printed, answer, false, persistence::keep);
    return printed.size();
  }

 private:
  test_server server_{GetParam(), 1};
  int socket_ = -1;
};

VEXFS_OVER_TRANSPORTS(allocation_test);

TEST_P(allocation_test, a_warm_connection_answers_without_the_heap) {
  // Asio's records of waits are kept as frames are.
  if (!frames_are_kept && GetParam() == io::transport_kind::epoll) GTEST_SKIP() << no_frames_kept;
  response hello;
  hello.ready_body = "hello";
  const std::string one = get("/hello", "Accept-Encoding: gzip, deflate\r\nApi-Key: k\r\n");
  std::string sixteen;
  for (int i = 0; i < 16; ++i)
    sixteen += one;
  expect_no_allocation(one, printed_size(hello));
  expect_no_allocation(sixteen, printed_size(hello) * 16);

  response echoed;
  echoed.body.assign(2000, 'x');
  echoed.content_type = "application/octet-stream";
  expect_no_allocation(post("/echo", echoed.body), printed_size(echoed));
}

TEST_P(allocation_test, a_handler_that_answers_from_a_coroutine_takes_a_kept_frame) {
  if (!frames_are_kept) GTEST_SKIP() << no_frames_kept;
  response later;
  later.body = "2";
  expect_no_allocation(get("/later/2"), printed_size(later));
}

}  // namespace
}  // namespace vexfs::http
