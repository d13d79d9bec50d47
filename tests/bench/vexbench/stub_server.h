// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vexfs::bench::testing {

/// An HTTP server that answers by a function: one thread a connection, blocking, in order.
class stub_server {
 public:
  struct answer {
    std::string bytes;  // the whole answer; empty: the connection is closed instead
    bool closes = false;
  };
  /// Called with the request's line and body, from the connection's thread.
  using handler = std::function<answer(std::string_view line, std::string_view body)>;

  static std::string http(std::string_view body, std::string_view status = "200 OK") {
    return std::string("HTTP/1.1 ").append(status).append("\r\nContent-Length: ") +
           std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }

  explicit stub_server(handler answers) : answers_(std::move(answers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    ::listen(listener_, 128);
    socklen_t bytes = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &bytes);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~stub_server() {
    stopping_ = true;
    accepting_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(lock_);
      for (const int socket : sockets_)
        ::shutdown(socket, SHUT_RDWR);
    }
    for (std::thread& each : serving_)
      each.join();
  }

  /// How many connections there have been.
  [[nodiscard]] std::size_t accepted() {
    const std::lock_guard lock(lock_);
    return serving_.size();
  }
  /// Closes the oldest connection that is open.
  void cut_one() {
    const std::lock_guard lock(lock_);
    if (!sockets_.empty()) ::shutdown(sockets_.front(), SHUT_RDWR);
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  void accept_all() {
    while (!stopping_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 10) <= 0) continue;
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      const int one = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
      const std::lock_guard lock(lock_);
      sockets_.push_back(socket);
      serving_.emplace_back([this, socket] { serve(socket); });
    }
  }

  void serve(int socket) {
    std::string held;
    for (bool open = true; open;) {
      const std::size_t head_end = held.find("\r\n\r\n");
      if (head_end == std::string::npos) {
        open = receive(socket, held);
        continue;
      }
      std::size_t body_bytes = 0;
      const std::size_t length = held.find("Content-Length: ");
      if (length < head_end) body_bytes = std::stoul(held.substr(length + 16));
      const std::size_t whole = head_end + 4 + body_bytes;
      while (open && held.size() < whole)
        open = receive(socket, held);
      if (!open) break;
      const answer given = answers_(std::string_view(held).substr(0, held.find("\r\n")),
                                    std::string_view(held).substr(head_end + 4, body_bytes));
      held.erase(0, whole);
      for (std::string_view left = given.bytes; !left.empty();) {
        const auto sent = ::send(socket, left.data(), left.size(), MSG_NOSIGNAL);
        if (sent <= 0) break;
        left.remove_prefix(static_cast<std::size_t>(sent));
      }
      open = !given.bytes.empty() && !given.closes;
    }
    const std::lock_guard lock(lock_);
    std::erase(sockets_, socket);
    ::close(socket);
  }

  static bool receive(int socket, std::string& held) {
    char buffer[16 * 1024];
    const auto got = ::recv(socket, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    held.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  handler answers_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread accepting_;
  std::mutex lock_;
  std::vector<int> sockets_;
  std::vector<std::thread> serving_;
};

}  // namespace vexfs::bench::testing
