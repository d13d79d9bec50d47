// SPDX-License-Identifier: Apache-2.0
#include "net/http/connection.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "net/http/connection_set.h"
#include "net/http/content_coding.h"

namespace vexfs::http {

connection::connection(connection_set& owner) : set_(owner), parser_(owner.limits_.parsing) {
  receive_.owner = this;
  receive_.done = [](io::completion& done, int result, std::uint32_t buffer, bool more) {
    static_cast<operation&>(done).owner->received(result, buffer, more);
  };
  send_.owner = this;
  send_.done = [](io::completion& done, int result, std::uint32_t, bool) {
    static_cast<operation&>(done).owner->sent(result);
  };
  flush_work_.owner = this;
  flush_work_.run = [](io::runnable& work) {
    connection& self = *static_cast<end_of_turn&>(work).owner;
    self.flush_queued_ = false;
    self.flush();
  };
  timer_.owner = this;
  timer_.run = [](io::runnable& work) {
    static_cast<deadline_timer&>(work).owner->deadline_reached();
  };
}

connection::~connection() {
  VEXFS_ASSERT(socket_ == -1);
}

void connection::open(int socket) {
  VEXFS_DASSERT(!receive_armed_ && !send_in_flight_ && !flush_queued_ && in_flight_ == 0);
  socket_ = socket;
  sent_ = 0;
  lingered_bytes_ = 0;
  reading_paused_ = awaiting_budget_ = continue_wanted_ = false;
  input_ended_ = no_more_requests_ = last_answer_taken_ = false;
  unread_input_ = lingering_ = closing_ = false;
  waiting_ = wait::none;
  deadline_ = io::clock_time::max();
  const int one = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  arm_receive();
  update_deadline();
}

void connection::arm_receive() {
  if (receive_armed_ || closing_ || reading_paused_ || input_ended_) return;
  io::transport& transport = io::loop::current().transport();
  receive_armed_ = true;
  if (parsing_ && parsing_->body_bytes_taken >= in_place_body_bytes_min && !no_more_requests_) {
    if (const auto room = parser_.body_room(); !room.empty()) {
      receive_in_place_ = true;
      transport.receive(socket_, room.first(std::min(room.size(), in_place_piece_bytes_max)),
                        receive_);
      return;
    }
  }
  transport.receive_multishot(socket_, receive_);
}

void connection::received(int result, std::uint32_t buffer, bool more) {
  const bool in_place = receive_in_place_;
  receive_armed_ = more;
  if (!more) receive_in_place_ = false;
  if (result > 0 && in_place) {
    if (!closing_ && !no_more_requests_ &&
        parser_.body_received(static_cast<std::size_t>(result)) == parser::outcome::complete)
      dispatch();
  } else if (result > 0) {
    io::transport& transport = io::loop::current().transport();
    const auto bytes = transport.buffer(buffer).first(static_cast<std::size_t>(result));
    take_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    transport.recycle(buffer);
  } else if (result == 0) {
    input_ended_ = true;  // what is in flight is still answered: the peer may read on
  } else if (result != -ENOBUFS && result != -EINTR && result != -ECANCELED) {
    input_ended_ = true;
    close();
  }
  // ENOBUFS: all buffers were with other connections of this turn, which give them back. ECANCELED:
  // reading was paused, or a large body goes on in place.
  arm_receive();
  settle();
}

void connection::take_bytes(std::string_view bytes) {
  if (closing_) return;
  if (lingering_) {
    lingered_bytes_ += bytes.size();
    if (lingered_bytes_ > linger_bytes_max) close();
  } else if (no_more_requests_) {
    unread_input_ = true;
  } else if (reading_paused_) {
    pending_.append(bytes);  // was on its way when reading stopped
  } else if (pending_.empty()) {
    const std::size_t taken = parse(bytes);
    pending_.assign(bytes.substr(taken));
  } else {
    pending_.append(bytes);
    const std::size_t taken = parse(pending_);
    pending_.erase(0, taken);
  }
}

std::size_t connection::parse(std::string_view bytes) {
  std::size_t position = 0;
  while (position < bytes.size() && !no_more_requests_ && !reading_paused_) {
    if (in_flight_ >= set_.limits_.exchanges_max || output_full()) {
      pause_reading();
      break;
    }
    if (!parsing_) {
      parsing_ = &set_.take_exchange();
      parser_.start(parsing_->in, parsing_->memory);
    }
    std::size_t taken = 0;
    const auto outcome = parser_.feed(bytes.substr(position), taken);
    position += taken;
    if (outcome == parser::outcome::need_more) break;
    take_outcome(outcome);
  }
  if (parsing_ && !reading_paused_ && parser_.head_done()) await_body();
  if (!no_more_requests_) return position;
  unread_input_ = unread_input_ || position < bytes.size();
  return bytes.size();
}

// The head was seen, the body is not whole.
void connection::await_body() {
  if (parser_.take_expect_continue()) {
    continue_wanted_ = true;
    queue_flush();
  }
  // The rest of a very large body is received where it will lie.
  if (receive_armed_ && !receive_in_place_ &&
      parsing_->body_bytes_taken >= in_place_body_bytes_min && !parser_.body_room().empty())
    io::loop::current().transport().cancel(socket_, receive_);
}

void connection::take_outcome(parser::outcome outcome) {
  switch (outcome) {
    case parser::outcome::need_more:
      break;
    case parser::outcome::complete:
      dispatch();
      break;
    case parser::outcome::large_body:
      begin_large_body();
      break;
    case parser::outcome::bad_request:
      refuse(400, "");
      break;
    case parser::outcome::head_too_large:
      refuse(431, "");
      break;
    case parser::outcome::body_too_large:
      refuse(400, parser_.too_large_text());
      break;
  }
}

void connection::begin_large_body() {
  const std::uint64_t wanted = parser_.body_bytes_wanted();
  if (set_.take_body_bytes(wanted)) {
    parsing_->body_bytes_taken = wanted;
    parser_.accept_body();
  } else {
    awaiting_budget_ = true;
    pause_reading();
    set_.wait_for_body_bytes(*this);
  }
}

// Runs inside an event of another connection, whose request gave memory back: only makes a note.
void connection::body_granted() {
  awaiting_budget_ = false;
  parsing_->body_bytes_taken = parser_.body_bytes_wanted();
  parser_.accept_body();
  if (parser_.take_expect_continue()) continue_wanted_ = true;
  queue_flush();
}

void connection::refuse(std::uint16_t status, std::string_view text) {
  exchange& refused = *std::exchange(parsing_, nullptr);
  no_more_requests_ = true;
  unread_input_ = true;
  continue_wanted_ = false;
  refused.in.keep_alive = false;
  queue_exchange(refused);
  set_.behind_.refuse(refused, status, text);
  refused.finish();
  take_answers();
}

void connection::queue_exchange(exchange& call) {
  call.owner = this;
  call.next = nullptr;
  call.started = io::loop::current().now();
  (tail_ ? tail_->next : head_) = &call;
  tail_ = &call;
  ++in_flight_;
}

void connection::dispatch() {
  exchange& call = *std::exchange(parsing_, nullptr);
  queue_exchange(call);
  continue_wanted_ = false;
  if (!call.in.keep_alive) no_more_requests_ = true;
  if (call.in.value_of(header::content_encoding).empty())
    set_.behind_.handle(call);
  else
    unpack_body(call);
  // An answer that is there at once goes out before the next request is looked at: the next one
  // then finds the same exchange, warm.
  if (head_->ready) take_answers();
}

io::detached connection::unpack_body(exchange& call) {
  const auto coding = coding_of(call.in.value_of(header::content_encoding));
  if (coding == content_coding::identity || (coding && call.in.body.empty())) {
    set_.behind_.handle(call);
    co_return;
  }
  const std::unique_ptr<unpacker> unpacking = coding ? make_unpacker(*coding) : nullptr;
  const std::uint64_t bytes_max = set_.limits_.parsing.body_bytes_max;
  std::string_view refusal = unpacking ? "" : "Content encoding is not supported.";
  std::string_view rest = call.in.body;
  while (refusal.empty()) {
    const std::size_t before = call.unpacked.size();
    const auto outcome = unpacking->unpack(rest, call.unpacked);
    if (call.unpacked.size() > bytes_max)
      refusal = "JSON payload has exceeded limit.";
    else if (outcome == unpacker::outcome::complete)
      break;
    else if (outcome == unpacker::outcome::broken ||
             (rest.empty() && call.unpacked.size() == before))
      refusal = "Content does not match its encoding.";
    else if (outcome == unpacker::outcome::more)
      co_await io::loop::current().yield();  // others have their turn between two pieces
  }
  if (refusal.empty()) {
    call.in.body = call.unpacked;
    set_.behind_.handle(call);
  } else {
    set_.behind_.refuse(call, 400, refusal);
    call.finish();
  }
}

void connection::pause_reading() {
  reading_paused_ = true;
  if (receive_armed_) io::loop::current().transport().cancel(socket_, receive_);
}

void connection::resume_reading() {
  reading_paused_ = false;
  const std::string waiting = std::exchange(pending_, {});
  if (!waiting.empty()) take_bytes(waiting);
  arm_receive();
}

void connection::drain() {
  no_more_requests_ = true;
  queue_flush();
}

void connection::close() {
  if (closing_) return;
  closing_ = true;
  no_more_requests_ = true;
  if (awaiting_budget_) set_.forget_waiting(*this);
  awaiting_budget_ = false;
  io::transport& transport = io::loop::current().transport();
  if (receive_armed_) transport.cancel(socket_, receive_);
  if (send_in_flight_) transport.cancel(socket_, send_);
}

// Where the connection stands after an event. May give it back to the pool: callers do not touch it
// afterwards.
void connection::settle() {
  const bool answered = in_flight_ == 0 && out_.empty() && !send_in_flight_ && !closing_;
  if (answered && (no_more_requests_ || (input_ended_ && !reading_paused_))) {
    if (!unread_input_ || input_ended_) {
      close();
    } else if (!lingering_) {
      lingering_ = true;
      ::shutdown(socket_, SHUT_WR);
      reading_paused_ = false;
      arm_receive();
    }
  }
  if (!closing_) {
    update_deadline();
    return;
  }
  take_answers();
  if (receive_armed_ || send_in_flight_ || flush_queued_ || in_flight_ != 0) return;
  set_.give_connection(*this);
}

void connection::update_deadline() {
  wait now = wait::idle;
  if (lingering_)
    now = wait::linger;
  else if (send_in_flight_)
    now = wait::send;
  else if (in_flight_ != 0 || reading_paused_)
    now = wait::none;  // we work
  else if (parsing_)
    now = parser_.head_done() ? wait::body : wait::head;
  if (now == wait::body) {
    // A body renews its time with every piece worth the name, not with every byte.
    const std::uint64_t bytes = parser_.body_bytes();
    if (waiting_ == wait::body && bytes - body_mark_bytes_ < body_progress_bytes_min) return;
    body_mark_bytes_ = bytes;
  } else if (now == waiting_) {
    return;
  }
  waiting_ = now;
  const connection_limits& limits = set_.limits_;
  std::chrono::milliseconds time{};
  switch (now) {
    case wait::none:
      deadline_ = io::clock_time::max();
      return;
    case wait::idle:
      time = limits.keep_alive;
      break;
    case wait::head:
    case wait::body:
      time = limits.request;
      break;
    case wait::send:
      time = limits.send;
      break;
    case wait::linger:
      time = limits.disconnect;
      break;
  }
  io::loop& here = io::loop::current();
  deadline_ = here.now() + time;
  // The timer is moved back only when it fires: a new deadline mostly costs a store.
  if (!timer_.is_set() || timer_.due > deadline_) here.set_timer(timer_, deadline_);
}

void connection::deadline_reached() {
  io::loop& here = io::loop::current();
  if (deadline_ == io::clock_time::max() || closing_) return;
  if (here.now() < deadline_) {
    here.set_timer(timer_, deadline_);
    return;
  }
  if (waiting_ == wait::head) {
    refuse(408, "");
    queue_flush();
  } else {
    close();
  }
  settle();
}

}  // namespace vexfs::http
