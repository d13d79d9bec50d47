// SPDX-License-Identifier: Apache-2.0
#include "net/http/server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vexfs::http {
namespace {

/// A new connection on its way to the core that will own it.
struct handover : io::runnable {
  connection_set* target = nullptr;
  int socket = -1;
};

}  // namespace

server::server(const server_config& config, service& behind, std::uint32_t core_count)
    : config_(config), service_(behind) {
  for (std::uint32_t core = 0; core < core_count; ++core)
    cores_.push_back(std::make_unique<connection_set>(service_, config_.limits));
  accept_.owner = this;
  accept_.done = [](io::completion& done, int result, std::uint32_t, bool more) {
    static_cast<accept_completion&>(done).owner->accepted(result, more);
  };
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
  if (const int code = ::getaddrinfo(config.host.c_str(), std::to_string(config.port).c_str(),
                                     &hints, &found))
    return fail(errc::service, "cannot listen on " + where + ": " + ::gai_strerror(code));
  const int one = 1;
  made->socket_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int code = made->socket_ < 0 ? errno : 0;
  if (!code) {
    ::setsockopt(made->socket_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (::bind(made->socket_, found->ai_addr, found->ai_addrlen) != 0 ||
        ::listen(made->socket_, 4096) != 0)
      code = errno;
  }
  ::freeaddrinfo(found);
  if (code == EADDRINUSE)
    return fail(errc::service, "cannot listen on " + where +
                                   ": the port is taken by another process; choose one with "
                                   "QDRANT__SERVICE__HTTP_PORT");
  if (code) return fail(errc::service, "cannot listen on " + where + ": " + std::strerror(code));
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  ::getsockname(made->socket_, reinterpret_cast<sockaddr*>(&bound), &size);
  made->port_ = ntohs(bound.ss_family == AF_INET6
                          ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                          : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  return made;
}

void server::start(io::loop& here) {
  if (here.core_index() == 0) here.ring().accept_multishot(socket_, accept_);
}

void server::accepted(int result, bool more) {
  if (stopping_) {
    if (result >= 0) ::close(result);
    return;
  }
  if (result >= 0) adopt(result);
  // Out of descriptors or memory: those that close give some back; ask again.
  if (!more) io::loop::current().ring().accept_multishot(socket_, accept_);
}

void server::adopt(int socket) {
  std::uint32_t fewest = 0;
  for (std::uint32_t core = 1; core < cores_.size(); ++core)
    if (cores_[core]->count() < cores_[fewest]->count()) fewest = core;
  if (fewest == io::loop::current().core_index()) {
    cores_[fewest]->open(socket);
    return;
  }
  auto* message = new handover;
  message->target = cores_[fewest].get();
  message->socket = socket;
  message->run = [](io::runnable& work) {
    const std::unique_ptr<handover> arrived(static_cast<handover*>(&work));
    arrived->target->open(arrived->socket);
  };
  io::loop::current().post(fewest, *message);
}

io::task<void> server::stop() {
  io::loop& here = io::loop::current();
  if (here.core_index() == 0) {
    stopping_ = true;
    here.ring().cancel(accept_);
  }
  auto drained = cores_[here.core_index()]->stop();
  co_await drained;
}

}  // namespace vexfs::http
