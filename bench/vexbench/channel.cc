// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/channel.h"

#include <cerrno>
#include <cstring>
#include <span>

#include <sys/socket.h>

#include "core/base/assert.h"

namespace vexfs::bench {

channel::channel(io::transport& transport, listener& tell, std::uint32_t depth,
                 std::uint32_t stream)
    : transport_(transport), tell_(tell), stream_(stream), flights_(depth) {
  receive_done_.owner = this;
  receive_done_.done = [](io::completion& done, int result, std::uint32_t buffer, bool more) {
    static_cast<owned_completion&>(done).owner->received(result, buffer, more);
  };
  send_done_.owner = this;
  send_done_.done = [](io::completion& done, int result, std::uint32_t, bool) {
    static_cast<owned_completion&>(done).owner->sent(result);
  };
}

void channel::open(int socket) {
  VEXFS_ASSERT(socket_ < 0 && count_ == 0);
  socket_ = socket;
  broken_ = false;
  has_answered_ = false;
  parser_started_ = false;
  receiving_ = true;
  transport_.receive_multishot(socket_, receive_done_);
}

void channel::shut_down() {
  if (socket_ < 0) return;
  broken_ = true;
  ::shutdown(socket_, SHUT_RDWR);  // ends the receive and the send
  close_if_idle();
}

void channel::close_if_idle() {
  if (receiving_ || sending_ || socket_ < 0) return;
  transport_.close(socket_);
  socket_ = -1;
}

void channel::push(const flight& next) {
  VEXFS_DASSERT(has_room());
  flights_[(first_ + count_) % flights_.size()] = next;
  ++count_;
  ++unsent_;
}

void channel::flush(std::int64_t now_ns) {
  for (std::uint32_t index = count_ - unsent_; index < count_; ++index) {
    flight& each = flights_[(first_ + index) % flights_.size()];
    if (each.planned_ns < 0) each.planned_ns = now_ns;
  }
  if (!sending_) send_next();
}

void channel::send_next() {
  if (unsent_ == 0 || !is_open()) return;
  const std::uint32_t from = count_ - unsent_;
  if (unsent_ == 1) {
    left_ = flights_[(first_ + from) % flights_.size()].request.bytes;
  } else {
    together_.clear();
    for (std::uint32_t index = from; index < count_; ++index)
      together_.append(flights_[(first_ + index) % flights_.size()].request.bytes);
    left_ = together_;
  }
  unsent_ = 0;
  sending_ = true;
  transport_.send(socket_, std::as_bytes(std::span(left_)), send_done_);
}

void channel::sent(int result) {
  sending_ = false;
  if (broken_) {
    close_if_idle();
    return;
  }
  if (result < 0) {
    break_off(std::strerror(-result));
    return;
  }
  left_.remove_prefix(static_cast<std::size_t>(result));
  if (!left_.empty()) {
    sending_ = true;
    transport_.send(socket_, std::as_bytes(std::span(left_)), send_done_);
    return;
  }
  send_next();
}

void channel::received(int result, std::uint32_t buffer, bool more) {
  receiving_ = more;
  if (buffer != io::no_buffer) {
    if (result > 0 && !broken_) {
      const auto bytes = transport_.buffer(buffer).first(static_cast<std::size_t>(result));
      consume({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
    transport_.recycle(buffer);
  }
  if (broken_) {
    close_if_idle();
    return;
  }
  if (result == 0) {
    if (count_ > 0 && parser_started_ && parsing_.finish()) pop_answered();
    break_off("the server closed the connection");
  } else if (result < 0 && result != -ENOBUFS) {
    break_off(std::strerror(-result));
  } else if (!more) {
    // Out of buffers, or the kernel ended the multishot: begin again.
    receiving_ = true;
    transport_.receive_multishot(socket_, receive_done_);
  }
}

void channel::consume(std::string_view bytes) {
  while (!bytes.empty()) {
    if (count_ == unsent_) {
      break_off("the server sent an answer to no request");
      return;
    }
    const flight& front = flights_[first_];
    if (!parser_started_) parsing_.start(front.wants_body);
    parser_started_ = true;
    std::size_t used = 0;
    const auto outcome = parsing_.feed(bytes, used);
    bytes.remove_prefix(used);
    if (outcome == answer_parser::outcome::more) return;
    if (outcome == answer_parser::outcome::bad) {
      break_off(parsing_.fault());
      return;
    }
    pop_answered();
    if (parsing_.closes()) {
      break_off("the server closed the connection");
      return;
    }
  }
}

void channel::pop_answered() {
  parser_started_ = false;
  has_answered_ = true;
  const flight ended = flights_[first_];
  first_ = (first_ + 1) % static_cast<std::uint32_t>(flights_.size());
  --count_;
  tell_.answered(*this, ended, parsing_);
}

void channel::break_off(std::string_view why) {
  while (count_ > 0) {
    const flight ended = flights_[first_];
    first_ = (first_ + 1) % static_cast<std::uint32_t>(flights_.size());
    --count_;
    tell_.lost(ended, why);
  }
  unsent_ = 0;
  shut_down();
  tell_.broken(*this);
}

}  // namespace vexfs::bench
