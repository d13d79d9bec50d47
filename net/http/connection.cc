// SPDX-License-Identifier: Apache-2.0
#include "net/http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace vexfs::http {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

void exchange::finish() {
  ready = true;
  owner->exchange_ready();
}

connection::connection(connection_set& owner, int socket)
    : set_(owner), socket_(socket), parser_(owner.limits_.parsing) {
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
  VEXFS_ASSERT(!receive_armed_ && !send_in_flight_ && in_flight_ == 0 && !flush_queued_);
  io::loop::current().cancel_timer(timer_);
  if (parsing_) set_.give_exchange(*parsing_);
  io::loop::current().ring().close(socket_);
}

void connection::start() {
  const int one = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  set_deadline(set_.limits_.keep_alive);
  arm_receive();
}

void connection::arm_receive() {
  if (receive_armed_ || closing_ || reading_paused_) return;
  receive_armed_ = true;
  io::loop::current().ring().receive_multishot(socket_, receive_);
}

void connection::received(int result, std::uint32_t buffer, bool more) {
  io::ring& ring = io::loop::current().ring();
  receive_armed_ = more;
  if (result > 0) {
    if (!closing_ && !no_more_requests_) {
      const auto bytes = ring.buffer(buffer).first(static_cast<std::size_t>(result));
      consume({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    ring.recycle(buffer);
    arm_receive();
  } else if (result == -ENOBUFS || result == -EINTR || result == -ECANCELED) {
    // All buffers are with other connections, or reading was paused: later again.
    arm_receive();
  } else {
    // 0: the peer has sent all it will; what is in flight is still answered. Errors: it is gone.
    no_more_requests_ = true;
    close_after_send_ = true;
    if (result < 0 || (in_flight_ == 0 && !send_in_flight_ && out_.empty())) close();
  }
  maybe_free();
}

void connection::consume(std::string_view bytes) {
  if (reading_paused_) {
    pending_.append(bytes);
    return;
  }
  if (pending_.empty()) {
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
  while (position < bytes.size() && !no_more_requests_) {
    if (in_flight_ >= set_.limits_.exchanges_max) {
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
    switch (outcome) {
      case parser::outcome::complete:
        dispatch();
        continue;
      case parser::outcome::need_more:
        if (parser_.head_done() && parser_.take_expect_continue() && in_flight_ == 0) {
          out_.append(continue_line);
          exchange_ready();
        }
        set_deadline(set_.limits_.request);
        return position;
      case parser::outcome::head_too_large:
        refuse(431, "");
        return bytes.size();
      case parser::outcome::body_too_large:
        refuse(400, "JSON payload (" + std::to_string(parser_.body_bytes()) +
                        " bytes) is larger than allowed (limit: " +
                        std::to_string(set_.limits_.parsing.body_bytes_max) + " bytes).");
        return bytes.size();
      case parser::outcome::bad_request:
        refuse(400, "");
        return bytes.size();
    }
  }
  return position;
}

void connection::refuse(std::uint16_t status, std::string_view text) {
  exchange& refused = *parsing_;
  parsing_ = nullptr;
  no_more_requests_ = true;
  refused.in.keep_alive = false;
  refused.owner = this;
  refused.next = nullptr;
  (tail_ ? tail_->next : head_) = &refused;
  tail_ = &refused;
  ++in_flight_;
  set_.behind_.refuse(refused.answer, status, text);
  refused.answer.close = true;
  refused.finish();
}

void connection::dispatch() {
  exchange& call = *parsing_;
  parsing_ = nullptr;
  call.owner = this;
  call.next = nullptr;
  call.started = io::loop::current().now();
  (tail_ ? tail_->next : head_) = &call;
  tail_ = &call;
  ++in_flight_;
  if (!call.in.keep_alive) no_more_requests_ = true;
  // No deadline while the server works; sends have their own.
  deadline_ = io::clock_time::max();
  set_.behind_.handle(call);
}

void connection::exchange_ready() {
  if (flush_queued_) return;
  flush_queued_ = true;
  io::loop::current().at_end_of_turn(flush_work_);
}

void connection::flush() {
  // Answers go out in the order of their requests.
  while (head_ && head_->ready) {
    exchange& done = *head_;
    head_ = done.next;
    if (!head_) tail_ = nullptr;
    --in_flight_;
    const bool keep = done.in.keep_alive && !done.answer.close;
    if (!keep) close_after_send_ = true;
    if (!closing_) append_response(out_, done.answer, done.in.verb == method::head, keep);
    set_.give_exchange(done);
  }
  if (closing_) {
    maybe_free();
    return;
  }
  if (!send_in_flight_ && !out_.empty()) {
    std::swap(out_, sending_);
    sent_ = 0;
    send_in_flight_ = true;
    set_deadline(set_.limits_.send);
    io::loop::current().ring().send(socket_, bytes_of(sending_), send_);
  }
  if (reading_paused_ && in_flight_ < set_.limits_.exchanges_max / 2) resume_reading();
  if (close_after_send_ && in_flight_ == 0 && !send_in_flight_ && out_.empty()) {
    close();
    maybe_free();
  }
}

void connection::sent(int result) {
  send_in_flight_ = false;
  if (result < 0) {
    close();
    maybe_free();
    return;
  }
  sent_ += static_cast<std::size_t>(result);
  if (sent_ < sending_.size()) {
    send_in_flight_ = true;
    set_deadline(set_.limits_.send);
    io::loop::current().ring().send(socket_, bytes_of(sending_).subspan(sent_), send_);
    return;
  }
  if (sending_.capacity() > connection_buffer_kept_bytes_max)
    std::string().swap(sending_);
  else
    sending_.clear();
  if (in_flight_ == 0 && !parsing_) set_deadline(set_.limits_.keep_alive);
  flush();
}

void connection::pause_reading() {
  reading_paused_ = true;
  if (receive_armed_) io::loop::current().ring().cancel(receive_);
}

void connection::resume_reading() {
  reading_paused_ = false;
  const std::string waiting = std::exchange(pending_, {});
  consume(waiting);
  arm_receive();
}

void connection::drain() {
  no_more_requests_ = true;
  close_after_send_ = true;
  if (!flush_queued_) {
    flush_queued_ = true;
    io::loop::current().at_end_of_turn(flush_work_);
  }
}

void connection::close() {
  if (closing_) return;
  closing_ = true;
  no_more_requests_ = true;
  // Ends a pending send or receive with an error; the descriptor goes when they have completed.
  ::shutdown(socket_, SHUT_RDWR);
  if (receive_armed_) io::loop::current().ring().cancel(receive_);
}

void connection::maybe_free() {
  if (!closing_ || receive_armed_ || send_in_flight_ || in_flight_ != 0 || flush_queued_) return;
  set_.remove(*this);
}

void connection::set_deadline(std::chrono::milliseconds from_now) {
  // The timer is moved only when it fires: setting a deadline costs a store.
  deadline_ = io::loop::current().now() + from_now;
  if (!timer_.is_set() || timer_.due > deadline_)
    io::loop::current().set_timer(timer_, deadline_);
}

void connection::deadline_reached() {
  if (closing_) return;
  io::loop& here = io::loop::current();
  if (deadline_ == io::clock_time::max()) return;
  if (here.now() < deadline_) {
    here.set_timer(timer_, deadline_);
    return;
  }
  close();
  maybe_free();
}

connection_set::~connection_set() { VEXFS_ASSERT(head_ == nullptr); }

void connection_set::open(int socket) {
  auto* opened = new connection(*this, socket);
  opened->next = head_;
  if (head_) head_->previous = opened;
  head_ = opened;
  count_.fetch_add(1, std::memory_order_relaxed);
  opened->start();
}

void connection_set::remove(connection& gone) {
  (gone.previous ? gone.previous->next : head_) = gone.next;
  if (gone.next) gone.next->previous = gone.previous;
  count_.fetch_sub(1, std::memory_order_relaxed);
  delete &gone;
}

exchange& connection_set::take_exchange() {
  if (!free_) {
    all_exchanges_.push_back(std::make_unique<exchange>());
    return *all_exchanges_.back();
  }
  return *std::exchange(free_, free_->next);
}

void connection_set::give_exchange(exchange& used) {
  used.memory.reset();
  if (used.answer.body.capacity() > connection_buffer_kept_bytes_max)
    std::string().swap(used.answer.body);
  used.answer.reset();
  used.ready = false;
  used.matched = nullptr;
  used.owner = nullptr;
  used.next = free_;
  free_ = &used;
}

io::task<void> connection_set::stop() {
  for (connection* open = head_; open != nullptr;) {
    connection* after = open->next;
    open->drain();
    open = after;
  }
  while (head_) co_await io::loop::current().yield();
}

}  // namespace vexfs::http
