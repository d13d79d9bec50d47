// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/io/gate.h"
#include "core/io/loop.h"
#include "core/io/timers.h"
#include "net/http/connection.h"
#include "net/http/connection_set.h"
#include "net/http/exchange.h"

namespace vexfs::http {

struct server_config {
  std::string host = "0.0.0.0";
  std::uint16_t port = 6333;  // 0: any free one
  connection_limits limits;
};

/// The listening socket, and each core's connections. Core 0 accepts and hands a connection to the
/// core with the fewest. Outlives the loops' last turn.
class server {
 public:
  /// Binds and listens; blocks, some seconds where the port is taken. The error names host and
  /// port.
  [[nodiscard]] static result<std::unique_ptr<server>> listen(const server_config& config,
                                                              service& behind,
                                                              std::uint32_t core_count);
  ~server();
  server(const server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Open connections of all cores; from any thread.
  [[nodiscard]] std::uint32_t connection_count() const;

  /// On every core when its loop starts.
  void start(io::loop& here);

  /// Once on every core, core 0 among them: takes no new connections, lets what is in flight be
  /// answered, closes the rest; continues when this core has none left.
  [[nodiscard]] io::task<void> stop();

 private:
  server(const server_config& config, service& behind, std::uint32_t core_count);
  void accept();
  void accepted(int result, bool more);
  void adopt(int socket);
  io::detached hand_over(std::uint32_t core, int socket);

  const server_config config_;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<connection_set>> cores_;

  // Core 0's.
  struct accept_completion : io::completion {
    server* owner = nullptr;
  } accept_;
  struct retry_timer : io::timer {
    server* owner = nullptr;
  } retry_;
  bool accept_armed_ = false;
  bool stopping_ = false;
  io::gate accepting_;  // the accept, and the sockets that are on their way to another core
};

}  // namespace vexfs::http
