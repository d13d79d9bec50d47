// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <netinet/in.h>
#include <sys/socket.h>

#include "bench/vexbench/exit_code.h"

namespace vexfs::bench {

/// A server to be measured: http://HOST[:PORT][/PREFIX], resolved once.
struct target {
  std::string url;
  std::string host;    // as written, for the Host header: with the port
  std::string prefix;  // without a slash at its end
  std::string api_key;
  sockaddr_storage address{};
  socklen_t address_bytes = 0;

  [[nodiscard]] static outcome<target> parse(std::string_view url);
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] bool is_loopback() const;

  /// A connected TCP socket without Nagle's delay.
  [[nodiscard]] outcome<int> connect() const;

  /// A whole HTTP/1.1 request; `body` may be empty.
  [[nodiscard]] std::string request(std::string_view method, std::string_view path,
                                    std::string_view body) const;
  /// The same for callers that write the body themselves, of which they know the length.
  void append_head(std::string& out, std::string_view method, std::string_view path,
                   std::size_t body_bytes) const;
};

}  // namespace vexfs::bench
