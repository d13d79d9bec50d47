// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/loop.h"
#include "core/io/ring.h"
#include "net/http/exchange.h"
#include "net/http/parser.h"

namespace vexfs::http {

struct connection_limits {
  parser_limits parsing;
  std::chrono::milliseconds keep_alive{5000};      // between two requests
  std::chrono::milliseconds request{5000};         // for a head; for each piece of a body
  std::chrono::milliseconds send{30000};           // for a peer that does not read
  std::uint32_t exchanges_max = 64;                // in flight on one connection
  std::uint64_t body_budget_bytes = 1ULL << 30;    // all bodies of one core together
};

class connection_set;

/// One client: bytes in, requests to the service, answers in order, one send a turn. Everything on
/// the core that owns it. Freed when the peer is gone and nothing of it is in flight any more.
class connection {
 public:
  connection(connection_set& owner, int socket);
  ~connection();

  void start();
  /// Answers what is in flight, then closes.
  void drain();

 private:
  friend struct exchange;
  friend class connection_set;
  struct operation : io::completion {
    connection* owner = nullptr;
  };

  void arm_receive();
  void received(int result, std::uint32_t buffer, bool more);
  void consume(std::string_view bytes);
  std::size_t parse(std::string_view bytes);
  void refuse(std::uint16_t status, std::string_view text);
  void dispatch();
  void exchange_ready();
  void flush();
  void sent(int result);
  void pause_reading();
  void resume_reading();
  void close();
  void maybe_free();
  void set_deadline(std::chrono::milliseconds from_now);
  void deadline_reached();

  connection_set& set_;
  const int socket_;
  parser parser_;
  exchange* head_ = nullptr;     // oldest unanswered, in order of arrival
  exchange* tail_ = nullptr;
  exchange* parsing_ = nullptr;  // being received
  std::uint32_t in_flight_ = 0;
  std::string pending_;          // received, not yet parsed
  std::string out_;              // answers that wait for the send that is going on
  std::string sending_;
  std::size_t sent_ = 0;
  operation receive_;
  operation send_;
  bool receive_armed_ = false;
  bool reading_paused_ = false;
  bool send_in_flight_ = false;
  bool flush_queued_ = false;
  bool close_after_send_ = false;
  bool no_more_requests_ = false;
  bool closing_ = false;
  struct end_of_turn : io::runnable {
    connection* owner = nullptr;
  } flush_work_;
  struct deadline_timer : io::timer {
    connection* owner = nullptr;
  } timer_;
  io::clock_time deadline_{};

 public:
  connection* previous = nullptr;  // links of the set
  connection* next = nullptr;
};

/// The connections of one core, and the exchanges that they share.
class connection_set {
 public:
  connection_set(service& behind, const connection_limits& limits)
      : behind_(behind), limits_(limits) {}
  ~connection_set();

  void open(int socket);
  /// Drains all; continues when none is left.
  [[nodiscard]] io::task<void> stop();
  [[nodiscard]] std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  friend class connection;
  friend struct exchange;
  exchange& take_exchange();
  void give_exchange(exchange& used);
  void remove(connection& gone);

  service& behind_;
  const connection_limits& limits_;
  connection* head_ = nullptr;
  exchange* free_ = nullptr;
  std::vector<std::unique_ptr<exchange>> all_exchanges_;
  std::atomic<std::uint32_t> count_{0};
};

}  // namespace vexfs::http
