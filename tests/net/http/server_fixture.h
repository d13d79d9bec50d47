// SPDX-License-Identifier: Apache-2.0
// A server on loopback over a real transport, and a client that blocks.
#pragma once

#include <atomic>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/http/routed_service.h"
#include "core/base/assert.h"
#include "core/io/loop.h"
#include "net/http/server.h"

namespace vexfs::http {

/// GET /hello, /bytes/{count}, /later/{turns}, /held (answered by GET /release on the same core);
/// POST /echo. Every other path is 404.
class test_service final : public routed_service {
 public:
  test_service() {
    const auto add = [this](method verb, std::string_view pattern,
                            void (*handler)(exchange&, void*)) {
      routes.add(verb, pattern, handler, this);
    };
    add(method::get, "/hello", [](exchange& call, void*) {
      call.answer.ready_body = "hello";
      call.finish();
    });
    add(method::get, "/bytes/{count}", [](exchange& call, void*) {
      call.answer.body.assign(number(call.captures[0]), 'x');
      call.answer.content_type = "application/octet-stream";
      call.finish();
    });
    add(method::get, "/text/{count}", [](exchange& call, void*) {
      call.answer.body.assign(number(call.captures[0]), 'x');
      call.finish();
    });
    add(method::get, "/later/{turns}",
        [](exchange& call, void*) { answer_later(call, number(call.captures[0])); });
    add(method::get, "/close", [](exchange& call, void*) {
      call.answer.close = true;
      call.finish();
    });
    add(method::post, "/echo", [](exchange& call, void*) {
      call.answer.body.append(call.in.body);
      call.answer.content_type = "application/octet-stream";
      call.finish();
    });
    add(method::get, "/held", [](exchange& call, void* context) {
      auto& self = *static_cast<test_service*>(context);
      self.held_of_core_[io::loop::current().core_index()].push_back(&call);
      self.held_count.fetch_add(1);
      self.held_count.notify_all();
    });
    add(method::get, "/release", [](exchange& call, void* context) {
      auto& self = *static_cast<test_service*>(context);
      for (exchange* held : std::exchange(self.held_of_core_[io::loop::current().core_index()], {}))
        held->finish();
      call.finish();
    });
  }

  void handle(exchange& call) override {
    handled_count.fetch_add(1, std::memory_order_relaxed);
    routed_service::handle(call);
  }

  std::atomic<std::uint32_t> handled_count{0};
  std::atomic<std::uint32_t> held_count{0};

 private:
  static std::size_t number(std::string_view text) {
    std::size_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  static io::detached answer_later(exchange& call, std::size_t turns) {
    for (std::size_t turn = 0; turn < turns; ++turn)
      co_await io::loop::current().yield();
    call.answer.body.append(std::to_string(turns));
    call.finish();
  }

  std::array<std::vector<exchange*>, 8> held_of_core_;
};

class test_server {
 public:
  explicit test_server(io::transport_kind kind, std::uint32_t core_count = 2,
                       const connection_limits& limits = {})
      : group_(*io::loop_group::create(core_count, kind)) {
    auto listening =
        server::listen({.host = "127.0.0.1", .port = 0, .limits = limits}, answers, core_count);
    VEXFS_ASSERT(listening.has_value());
    server_ = std::move(*listening);
    thread_ = std::thread([this] {
      const auto outcome = group_->run(
          [](io::loop& core, void* given) -> result<void> {
            auto& self = *static_cast<test_server*>(given);
            self.server_->start(core);
            if (core.core_index() == 0) self.watch();
            return {};
          },
          this);
      EXPECT_TRUE(outcome) << outcome.error().text;
    });
  }
  ~test_server() { stop(); }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::uint32_t connection_count() const { return server_->connection_count(); }

  /// Begins a graceful stop without waiting for its end.
  void begin_stop() { stop_wanted_.store(true); }
  void stop() {
    begin_stop();
    if (thread_.joinable()) thread_.join();
  }

  test_service answers;

 private:
  // The group has no door for outside threads but stop(): a coroutine looks at the wish.
  io::detached watch() {
    io::loop& here = io::loop::current();
    while (!stop_wanted_.load())
      co_await here.sleep_until(here.now() + std::chrono::milliseconds(1));
    std::uint32_t stopped_count = 0;
    const auto stop_core = [](server& stopping, std::uint32_t core,
                              std::uint32_t& count) -> io::detached {
      co_await io::call_on(core, [&stopping]() -> io::task<bool> {
        auto ended = stopping.stop();
        co_await ended;
        co_return true;
      });
      ++count;
    };
    for (std::uint32_t core = 0; core < here.core_count(); ++core)
      stop_core(*server_, core, stopped_count);
    while (stopped_count < here.core_count())
      co_await here.sleep_until(here.now() + std::chrono::milliseconds(1));
    here.group().stop();
  }

  std::unique_ptr<io::loop_group> group_;
  std::unique_ptr<server> server_;
  std::atomic<bool> stop_wanted_{false};
  std::thread thread_;
};

class test_client {
 public:
  explicit test_client(std::uint16_t port, int receive_buffer_bytes = 0) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer_bytes != 0)
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
                   sizeof(receive_buffer_bytes));
    // What only a hang reaches.
    const timeval limit{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~test_client() { hang_up(); }
  test_client(test_client&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), connected_(other.connected_) {}

  [[nodiscard]] bool connected() const { return connected_; }
  void hang_up() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  /// As a crashed client does: what is not read yet is answered with a reset.
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    hang_up();
  }
  void end_sending() { ::shutdown(socket_, SHUT_WR); }

  /// False if the server does not take it all.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  struct answer {
    std::string head;
    std::string body;
    [[nodiscard]] int status() const {
      int value = 0;
      if (head.size() > 12) std::from_chars(head.data() + 9, head.data() + 12, value);
      return value;
    }
  };
  /// The next answer; nothing if the connection ends before it is whole. `to_head`: without a body.
  std::optional<answer> receive(bool to_head = false) {
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos)
      if (!receive_more()) return std::nullopt;
    answer got{.head = received_.substr(0, end + 4), .body = {}};
    std::size_t length = 0;
    if (const auto at = got.head.find("content-length: "); at != std::string::npos && !to_head)
      std::from_chars(got.head.data() + at + 16, got.head.data() + got.head.size(), length);
    while (received_.size() < end + 4 + length)
      if (!receive_more()) return std::nullopt;
    got.body = received_.substr(end + 4, length);
    received_.erase(0, end + 4 + length);
    return got;
  }
  /// Sends and receives; the body of a 200, or the status.
  std::string ask(std::string_view request) {
    if (!send(request)) return "not sent";
    const auto got = receive();
    if (!got) return "no answer";
    return got->status() == 200 ? got->body : std::to_string(got->status());
  }
  /// True when the server closes without a byte more.
  bool at_end() { return received_.empty() && !receive_more() && ended_; }

 private:
  bool receive_more() {
    char buffer[65536];
    const ssize_t count = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (count == 0 || (count < 0 && errno == ECONNRESET)) ended_ = true;
    if (count <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int socket_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  std::string received_;
};

inline std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view headers = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

/// A suite that holds over every transport: TEST_P, with VEXFS_OVER_TRANSPORTS(suite) once.
using over_transports = testing::TestWithParam<io::transport_kind>;
#define VEXFS_OVER_TRANSPORTS(suite)                                                      \
  INSTANTIATE_TEST_SUITE_P(                                                               \
      over, suite, testing::Values(io::transport_kind::uring, io::transport_kind::epoll), \
      [](const auto& chosen) { return std::string(io::name_of(chosen.param)); })

/// Waits for what another thread brings about; only a hang reaches the limit.
template <class Condition>
bool eventually(Condition&& condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace vexfs::http
