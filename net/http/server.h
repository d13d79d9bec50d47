// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/io/loop.h"
#include "net/http/connection.h"
#include "net/http/exchange.h"
#include "net/http/parser.h"

namespace vexfs::http {

struct server_config {
  std::string host = "0.0.0.0";
  std::uint16_t port = 6333;  // 0: any free one
  connection_limits limits;
};

/// The listening socket, and each core's connections. A connection is handed to the core with the
/// fewest.
class server {
 public:
  /// Binds and listens; blocks. The error names host and port.
  [[nodiscard]] static result<std::unique_ptr<server>> listen(const server_config& config,
                                                              service& behind,
                                                              std::uint32_t core_count);
  ~server();

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// On every core when its loop starts. Core 0 accepts.
  void start(io::loop& here);

  /// On every core: takes no new connections, lets what is in flight be answered, closes the rest;
  /// continues when this core has none left.
  [[nodiscard]] io::task<void> stop();

 private:
  server(const server_config& config, service& behind, std::uint32_t core_count);
  void accepted(int result, bool more);
  void adopt(int socket);

  const server_config config_;
  service& service_;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  struct accept_completion : io::completion {
    server* owner = nullptr;
  } accept_;
  std::vector<std::unique_ptr<connection_set>> cores_;
};

}  // namespace vexfs::http
