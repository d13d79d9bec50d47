// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/vexbench/answer_parser.h"
#include "bench/vexbench/request_source.h"
#include "core/io/transport.h"

namespace vexfs::bench {

/// A request on its way.
struct flight {
  planned_request request;
  std::int64_t planned_ns = 0;  // when it had to leave; the latency counts from here
  std::uint32_t kind = 0;       // of the load's operations
  std::uint32_t phase = 0;
  bool wants_body = false;
};

/// One keep-alive connection of a worker: requests go out in the order given, several in one send
/// where they are pipelined, and answers come back in that order. Speaks HTTP/1.1 and knows nothing
/// of what the requests mean.
class channel {
 public:
  class listener {
   public:
    virtual void answered(channel& from, const flight& ended, const answer_parser& answer) = 0;
    /// The connection is gone; each of its flights has been reported to lost() before.
    virtual void lost(const flight& ended, std::string_view why) = 0;
    virtual void broken(channel& from) = 0;

   protected:
    ~listener() = default;
  };

  channel(io::transport& transport, listener& tell, std::uint32_t depth, std::uint32_t stream);
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  /// Takes over a connected socket.
  void open(int socket);
  [[nodiscard]] bool is_open() const { return socket_ >= 0 && !broken_; }
  /// Lets go of the socket; is_closed() once the ring has returned everything.
  void shut_down();
  [[nodiscard]] bool is_closed() const { return socket_ < 0; }
  /// Since it was opened.
  [[nodiscard]] bool has_answered() const { return has_answered_; }

  [[nodiscard]] std::uint32_t stream() const { return stream_; }
  [[nodiscard]] std::uint32_t depth() const { return static_cast<std::uint32_t>(flights_.size()); }
  [[nodiscard]] std::uint32_t in_flight() const { return count_; }
  [[nodiscard]] bool has_room() const { return count_ < depth(); }
  /// Waits for flush(). There must be room.
  void push(const flight& next);
  /// Sends what was pushed, at once or when the send before has ended. Flights without a planned
  /// time get this one.
  void flush(std::int64_t now_ns);
  template <class Visit>
  void each_flight(Visit visit) const {
    for (std::uint32_t index = 0; index < count_; ++index)
      visit(flights_[(first_ + index) % flights_.size()]);
  }

 private:
  struct owned_completion : io::completion {
    channel* owner = nullptr;
  };

  void received(int result, std::uint32_t buffer, bool more);
  void consume(std::string_view bytes);
  void sent(int result);
  void send_next();
  void pop_answered();
  void break_off(std::string_view why);
  void close_if_idle();

  io::transport& transport_;
  listener& tell_;
  const std::uint32_t stream_;
  int socket_ = -1;
  bool broken_ = false;
  bool has_answered_ = false;
  bool receiving_ = false;
  bool sending_ = false;
  owned_completion receive_done_;
  owned_completion send_done_;
  answer_parser parsing_;
  bool parser_started_ = false;

  std::vector<flight> flights_;  // a ring: from first_, count_ of them, the last unsent_ not sent
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t unsent_ = 0;
  std::string together_;   // several requests in one send
  std::string_view left_;  // what the send going on has to send
};

}  // namespace vexfs::bench
