// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/arena.h"
#include "net/http/request.h"

namespace vexfs::http {

struct parser_limits {
  std::uint32_t head_bytes_max = 64 * 1024;
  std::uint64_t body_bytes_max = 32ULL << 20;
};

/// Turns received bytes into requests; knows no socket. Boost.Beast's parser used sans-I/O: its
/// callbacks copy what the server needs into the request's arena, so the received bytes may go
/// away after each call.
class parser {
 public:
  enum class outcome : std::uint8_t {
    need_more,       // everything given was taken or kept; more bytes are needed
    complete,        // the request is whole
    bad_request,     // not HTTP; answer 400 and close
    head_too_large,  // answer 431 and close
    body_too_large,  // answer with the limit's text and close
  };

  explicit parser(const parser_limits& limits);
  ~parser();
  parser(const parser&) = delete;

  /// Begins the next request, which is built in `memory`.
  void start(request& target, arena& memory);

  /// Parses from `bytes`; `taken` is how many belong to this request. While the head is incomplete
  /// nothing of it is taken: give the same bytes again with more behind them.
  [[nodiscard]] outcome feed(std::string_view bytes, std::size_t& taken);

  /// True from the end of the head on.
  [[nodiscard]] bool head_done() const;
  /// The client waits for "100 Continue" before it sends the body; asked once after the head.
  [[nodiscard]] bool take_expect_continue();
  /// Announced or received size of a body that was too large.
  [[nodiscard]] std::uint64_t body_bytes() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace vexfs::http
