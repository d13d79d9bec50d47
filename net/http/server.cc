// SPDX-License-Identifier: Apache-2.0
#include "net/http/server.h"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vexfs::http {
namespace {

constexpr std::string_view too_many_answer =
    "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nretry-after: 1\r\n"
    "connection: close\r\n\r\n";

// Without descriptors or memory every accept fails at once; those that close give some back.
constexpr std::chrono::milliseconds accept_retry_time{50};

// A killed process's ring is taken apart by the kernel after the process has gone, and its armed
// accept holds the listening socket until then: a restart right after a kill finds the port taken.
constexpr std::chrono::milliseconds port_wait_time_max{3000};
constexpr std::chrono::milliseconds port_retry_time{10};

/// A listening socket, or -errno.
int open_listener(const addrinfo& where) {
  const int made = ::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) return -errno;
  const int one = 1;
  ::setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (::bind(made, where.ai_addr, where.ai_addrlen) == 0 && ::listen(made, 4096) == 0) return made;
  const int code = errno;
  ::close(made);
  return -code;
}

int open_listener_when_free(const addrinfo& where) {
  for (auto waited = std::chrono::milliseconds::zero();; waited += port_retry_time) {
    const int made = open_listener(where);
    if (made != -EADDRINUSE || waited >= port_wait_time_max) return made;
    ::poll(nullptr, 0,
           static_cast<int>(port_retry_time.count()));  // a plain sleep: no loop runs yet
  }
}

}  // namespace

server::server(const server_config& config, service& behind, std::uint32_t core_count)
    : config_(config) {
  for (std::uint32_t core = 0; core < core_count; ++core)
    cores_.push_back(std::make_unique<connection_set>(behind, config_.limits));
  accept_.owner = this;
  accept_.done = [](io::completion& done, int result, std::uint32_t, bool more) {
    static_cast<accept_completion&>(done).owner->accepted(result, more);
  };
  retry_.owner = this;
  retry_.run = [](io::runnable& work) { static_cast<retry_timer&>(work).owner->accept(); };
}

server::~server() {
  if (socket_ >= 0) ::close(socket_);
}

result<std::unique_ptr<server>> server::listen(const server_config& config, service& behind,
                                               std::uint32_t core_count) {
  auto made = std::unique_ptr<server>(new server(config, behind, core_count));
  const std::string where = config.host + ":" + std::to_string(config.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int code =
          ::getaddrinfo(config.host.c_str(), std::to_string(config.port).c_str(), &hints, &found))
    return fail(errc::service, "cannot listen on " + where + ": " + ::gai_strerror(code));
  made->socket_ = open_listener_when_free(*found);
  ::freeaddrinfo(found);
  if (made->socket_ == -EADDRINUSE)
    return fail(errc::service, "cannot listen on " + where +
                                   ": the port is taken by another process; choose one with "
                                   "QDRANT__SERVICE__HTTP_PORT");
  if (made->socket_ < 0)
    return fail(errc::service, "cannot listen on " + where + ": " + std::strerror(-made->socket_));
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  ::getsockname(made->socket_, reinterpret_cast<sockaddr*>(&bound), &size);
  made->port_ =
      ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                        : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  return made;
}

std::uint32_t server::connection_count() const {
  std::uint32_t count = 0;
  for (const auto& core : cores_)
    count += core->count();
  return count;
}

void server::start(io::loop& here) {
  if (here.core_index() == 0) accept();
}

void server::accept() {
  if (stopping_) return;
  accept_armed_ = true;
  accepting_.enter();
  io::loop::current().transport().accept_multishot(socket_, accept_);
}

void server::accepted(int result, bool more) {
  if (result >= 0) adopt(result);
  if (more) return;
  accept_armed_ = false;
  if (!stopping_) {
    io::loop& here = io::loop::current();
    if (result >= 0 || result == -ECONNABORTED || result == -EINTR)
      accept();
    else
      here.set_timer(retry_, here.now() + accept_retry_time);
  }
  accepting_.leave();
}

void server::adopt(int socket) {
  if (stopping_) {
    ::close(socket);
    return;
  }
  if (connection_count() >= config_.limits.connections_max) {
    // Its send buffer is empty: this does not block, and what does not fit is not missed.
    [[maybe_unused]] const auto sent =
        ::send(socket, too_many_answer.data(), too_many_answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::close(socket);
    return;
  }
  std::uint32_t fewest = 0;
  for (std::uint32_t core = 1; core < cores_.size(); ++core)
    if (cores_[core]->count() < cores_[fewest]->count()) fewest = core;
  cores_[fewest]->expect();
  if (fewest == io::loop::current().core_index())
    cores_[fewest]->open(socket);
  else
    hand_over(fewest, socket);
}

io::detached server::hand_over(std::uint32_t core, int socket) {
  accepting_.enter();
  connection_set& target = *cores_[core];
  co_await io::call_on(core, [&target, socket] {
    target.open(socket);
    return true;
  });
  accepting_.leave();
}

io::task<void> server::stop() {
  io::loop& here = io::loop::current();
  if (here.core_index() == 0) {
    stopping_ = true;
    here.cancel_timer(retry_);
    if (accept_armed_) here.transport().cancel(socket_, accept_);
    co_await accepting_.close();
    // Clients are refused from now on, instead of waiting in the backlog for nobody.
    here.transport().close(std::exchange(socket_, -1));
  }
  auto drained = cores_[here.core_index()]->stop();
  co_await drained;
}

}  // namespace vexfs::http
