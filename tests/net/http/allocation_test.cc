// SPDX-License-Identifier: Apache-2.0
// A warm server answers a small GET without the general heap: counted over every thread.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "tests/net/http/server_fixture.h"

namespace {
std::atomic<std::size_t> allocation_count{0};
}

// Not inlined: GCC 12 takes the pair of malloc and delete for a mismatch otherwise.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

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

TEST(allocation_test, a_warm_connection_answers_without_the_heap) {
  test_server server(1);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  response hello;
  hello.ready_body = "hello";
  std::string expected;
  append_response(expected, hello, false, persistence::keep);
  const std::string one = get("/hello", "Accept-Encoding: gzip, deflate\r\nApi-Key: k\r\n");
  std::string sixteen;
  for (int i = 0; i < 16; ++i)
    sixteen += one;

  response echoed;
  echoed.body.assign(2000, 'x');
  echoed.content_type = "application/octet-stream";
  std::string expected_echo;
  append_response(expected_echo, echoed, false, persistence::keep);

  const auto expect_none = [&](std::string_view request, std::size_t answer_bytes) {
    exchange_raw(socket, request, answer_bytes, 100);
    const std::size_t before = allocation_count.load();
    exchange_raw(socket, request, answer_bytes, 2000);
    EXPECT_EQ(allocation_count.load() - before, 0U) << request.substr(0, 20);
  };
  expect_none(one, expected.size());
  expect_none(sixteen, expected.size() * 16);
  expect_none(get("/later/2"), expected.size() - 4);  // "2" instead of "hello"
  expect_none(post("/echo", echoed.body), expected_echo.size());
  ::close(socket);
}

}  // namespace
}  // namespace vexfs::http
