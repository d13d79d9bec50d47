// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "core/io/loop.h"
#include "net/http/connection.h"
#include "net/http/exchange.h"
#include "net/http/exchange_pool.h"

namespace vexfs::http {

/// The connections of one core: the open ones, the pools that serve them, and the memory that their
/// large bodies may take together. On its core's thread, except expect() and count().
class connection_set {
 public:
  connection_set(service& behind, const connection_limits& limits)
      : behind_(behind), limits_(limits) {}
  ~connection_set();
  connection_set(const connection_set&) = delete;

  /// Counts a connection that is on its way here; from the accepting core.
  void expect() { count_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }

  /// Takes over an expected connection.
  void open(int socket);

  /// Drains all; continues when none is left. Those that come later are closed at once.
  [[nodiscard]] io::task<void> stop();

 private:
  friend class connection;
  connection& take_connection();
  void give_connection(connection& gone);
  exchange& take_exchange() { return exchanges_.take(); }
  void give_exchange(exchange& used);

  /// Body memory: granted at once if there is room and nobody waits, else later by body_granted().
  [[nodiscard]] bool take_body_bytes(std::uint64_t bytes);
  void wait_for_body_bytes(connection& waiting);
  void forget_waiting(connection& gone);
  void give_body_bytes(std::uint64_t bytes);
  void grant_waiting();

  service& behind_;
  const connection_limits& limits_;
  connection* open_ = nullptr;
  connection* free_connections_ = nullptr;
  std::uint32_t free_connection_count_ = 0;
  exchange_pool exchanges_;
  std::uint64_t body_bytes_ = 0;
  connection* waiting_first_ = nullptr;
  connection* waiting_last_ = nullptr;
  bool granting_ = false;
  bool stopping_ = false;
  io::resume_later emptied_;
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace vexfs::http
