// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/io/loop.h"
#include "core/io/task.h"
#include "core/io/transport.h"
#include "net/http/exchange.h"
#include "net/http/parser.h"

namespace vexfs::http {

struct connection_limits {
  parser_limits parsing;
  std::chrono::milliseconds keep_alive{5000};  // for the first byte of the next request
  std::chrono::milliseconds request{5000};     // for a whole head; for each piece of a body
  std::chrono::milliseconds send{30000};       // for a peer to take a piece of an answer
  std::chrono::milliseconds disconnect{5000};  // for a refused peer to stop sending
  std::uint32_t exchanges_max = connection_exchanges_max;      // in flight on one connection
  std::size_t output_bytes_max = connection_output_bytes_max;  // unsent, before reading stops
  std::uint64_t body_budget_bytes = core_body_bytes_max;       // large bodies of one core together
  std::uint32_t connections_max = connection_count_max;        // of all cores
  bool compress = true;  // answers, for clients that accept it
};

class connection_set;

/// One client: bytes in, requests to the service, answers in order, one send a turn. Lives on the
/// core that owns it and in the pool of its set: open() makes it a new client's, and it goes back
/// when the peer is gone and nothing of it is in flight any more.
///
/// The output half is in connection_output.cc. Handlers may finish their exchanges inside handle(),
/// so nothing there frees the connection: that is left to the events of the transport and the loop,
/// each of which ends with settle().
class connection {
 public:
  explicit connection(connection_set& owner);
  ~connection();
  connection(const connection&) = delete;

  void open(int socket);
  /// Answers what is in flight, then closes.
  void drain();

  connection* previous = nullptr;  // links of the set: open ones, or (next alone) free ones
  connection* next = nullptr;

 private:
  friend struct exchange;
  friend class connection_set;
  struct operation : io::completion {
    connection* owner = nullptr;
  };
  enum class wait : std::uint8_t { none, idle, head, body, send, linger };

  // Input.
  void arm_receive();
  void received(int result, std::uint32_t buffer, bool more);
  void take_bytes(std::string_view bytes);
  std::size_t parse(std::string_view bytes);
  void await_body();
  void take_outcome(parser::outcome outcome);
  void begin_large_body();
  void body_granted();
  void refuse(std::uint16_t status, std::string_view text);
  void dispatch();
  io::detached unpack_body(exchange& call);
  void pause_reading();
  void resume_reading();

  // Output.
  void finished(exchange& call);
  io::detached pack_answer(exchange& call);
  void queue_flush();
  void take_answers();
  void flush();
  void send_piece();
  void sent(int result);

  // Life.
  void settle();
  void close();
  void update_deadline();
  void deadline_reached();
  void queue_exchange(exchange& call);
  [[nodiscard]] bool output_full() const;

  connection_set& set_;
  int socket_ = -1;
  parser parser_;
  exchange* head_ = nullptr;  // oldest unanswered, in order of arrival
  exchange* tail_ = nullptr;
  exchange* parsing_ = nullptr;  // being received
  std::uint32_t in_flight_ = 0;
  std::string pending_;  // received, not yet parsed
  std::string out_;      // answers that wait for the send that is going on
  std::string sending_;
  std::size_t sent_ = 0;
  std::uint64_t lingered_bytes_ = 0;
  std::uint64_t body_mark_bytes_ = 0;  // of the body, when its deadline was set
  operation receive_;
  operation send_;
  bool receive_armed_ = false;
  bool receive_in_place_ = false;  // the armed one fills the body
  bool reading_paused_ = false;
  bool awaiting_budget_ = false;
  bool continue_wanted_ = false;    // "100 Continue" goes out behind the answers before it
  bool input_ended_ = false;        // the peer will send nothing more
  bool no_more_requests_ = false;   // we take none
  bool last_answer_taken_ = false;  // answers behind it are dropped
  bool unread_input_ = false;       // closing at once would reset the connection under the answer
  bool lingering_ = false;
  bool send_in_flight_ = false;
  bool flush_queued_ = false;
  bool closing_ = false;
  wait waiting_ = wait::none;
  struct end_of_turn : io::runnable {
    connection* owner = nullptr;
  } flush_work_;
  struct deadline_timer : io::timer {
    connection* owner = nullptr;
  } timer_;
  io::clock_time deadline_ = io::clock_time::max();
  connection* next_waiting_ = nullptr;  // for body memory
};

}  // namespace vexfs::http
