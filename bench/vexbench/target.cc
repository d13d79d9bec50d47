// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/target.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vexfs::bench {
namespace {

constexpr std::string_view scheme = "http://";
constexpr std::uint16_t default_port = 6333;
constexpr int connect_wait_ms = 5000;

std::unexpected<failure> wrong(std::string_view url, std::string_view why) {
  return fail_with(
      exit_code::wrong_url,
      fmt::format("'{}' is not the URL of a server: {} (http://HOST[:PORT])", url, why));
}

}  // namespace

outcome<target> target::parse(std::string_view url) {
  target made;
  made.url = url;
  if (url.starts_with("https://")) return wrong(url, "TLS is not supported");
  if (!url.starts_with(scheme)) return wrong(url, "it does not begin with http://");
  std::string_view rest = url.substr(scheme.size());
  const std::size_t path = rest.find('/');
  if (path != std::string_view::npos) {
    made.prefix = rest.substr(path);
    while (made.prefix.ends_with('/'))
      made.prefix.pop_back();
    rest = rest.substr(0, path);
  }
  std::string_view name = rest;
  std::uint16_t port = default_port;
  // An IPv6 address is in brackets, because its colons are not the port's.
  const std::size_t bracket = rest.rfind(']');
  const std::size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view digits = rest.substr(colon + 1);
    const auto [end, bad] = std::from_chars(digits.begin(), digits.end(), port);
    if (bad != std::errc{} || end != digits.end() || port == 0)
      return wrong(url, fmt::format("'{}' is not a port", digits));
    name = rest.substr(0, colon);
  }
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  if (name.empty()) return wrong(url, "it names no host");
  made.host = rest;

  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string name_text(name);
  if (const int status =
          ::getaddrinfo(name_text.c_str(), std::to_string(port).c_str(), &hints, &found))
    return wrong(url, fmt::format("host '{}': {}", name, ::gai_strerror(status)));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, ::freeaddrinfo);
  // 'localhost' is both, and servers listen more often on IPv4 alone.
  const addrinfo* chosen = found;
  for (const addrinfo* each = found; each; each = each->ai_next)
    if (each->ai_family == AF_INET) {
      chosen = each;
      break;
    }
  std::memcpy(&made.address, chosen->ai_addr, chosen->ai_addrlen);
  made.address_bytes = chosen->ai_addrlen;
  return made;
}

std::uint16_t target::port() const {
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

bool target::is_loopback() const {
  if (address.ss_family == AF_INET6)
    return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  return (ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24) == 127;
}

outcome<int> target::connect() const {
  const auto refused = [&](int code) {
    return fail_with(exit_code::no_connection,
                     fmt::format("cannot connect to {}: {}{}", url, std::strerror(code),
                                 code == ECONNREFUSED ? " (is the server running?)" : ""));
  };
  const int made = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0)
    return fail_with(exit_code::failed, fmt::format("socket: {}{}", std::strerror(errno),
                                                    errno == EMFILE ? ": raise 'ulimit -n'" : ""));
  const int one = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  int code = 0;
  if (::connect(made, reinterpret_cast<const sockaddr*>(&address), address_bytes) != 0) {
    code = errno;
    if (code == EINPROGRESS) {
      pollfd waiting{made, POLLOUT, 0};
      code = ::poll(&waiting, 1, connect_wait_ms) == 1 ? 0 : ETIMEDOUT;
      socklen_t code_bytes = sizeof(code);
      if (code == 0) ::getsockopt(made, SOL_SOCKET, SO_ERROR, &code, &code_bytes);
    }
  }
  if (code != 0) {
    ::close(made);
    return refused(code);
  }
  return made;
}

void target::append_head(std::string& out, std::string_view method, std::string_view path,
                         std::size_t body_bytes) const {
  out.append(method).append(" ").append(prefix).append(path).append(" HTTP/1.1\r\nHost: ");
  out.append(host).append("\r\n");
  if (!api_key.empty()) out.append("api-key: ").append(api_key).append("\r\n");
  if (body_bytes > 0)
    out.append("Content-Type: application/json\r\nContent-Length: ")
        .append(std::to_string(body_bytes))
        .append("\r\n");
  out.append("\r\n");
}

std::string target::request(std::string_view method, std::string_view path,
                            std::string_view body) const {
  std::string out;
  append_head(out, method, path, body.size());
  out.append(body);
  return out;
}

}  // namespace vexfs::bench
