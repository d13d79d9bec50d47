// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/limits.h"
#include "net/http/request.h"

namespace vexfs::http {

struct parser_limits {
  std::uint32_t head_bytes_max = request_head_bytes_max;
  std::uint64_t body_bytes_max = 32ULL << 20;  // also of what a compressed body unpacks to
};

/// Turns received bytes into requests; knows no socket. Heads and chunked bodies are read by
/// Boost.Beast's parser, used sans-I/O: its callbacks copy what the server needs into the request's
/// arena, so the received bytes may go away after each call. A body of announced length is placed
/// by this class, so that a large one can be received where it will lie.
class parser {
 public:
  enum class outcome : std::uint8_t {
    need_more,       // everything given was taken or is wanted again; more bytes are needed
    complete,        // the request is whole
    large_body,      // the head is; accept_body() once body_bytes_wanted() are granted, then go on
    bad_request,     // not HTTP; answer 400 and close
    head_too_large,  // answer 431 and close
    body_too_large,  // answer with too_large_text() and close
  };

  explicit parser(const parser_limits& limits);
  ~parser();
  parser(const parser&) = delete;

  /// Begins the next request, which is built in `memory`.
  void start(request& target, arena& memory);

  /// Parses from `bytes`; `taken` is how many of them are done with. Give what is left again, with
  /// more behind it. Not to be called again after `complete` or an error.
  [[nodiscard]] outcome feed(std::string_view bytes, std::size_t& taken);

  /// True from the end of the head on.
  [[nodiscard]] bool head_done() const;
  /// The client waits for "100 Continue" before it sends the body; asked once after the head.
  [[nodiscard]] bool take_expect_continue();

  /// After `large_body`: memory that the body may come to need.
  [[nodiscard]] std::uint64_t body_bytes_wanted() const;
  /// Makes room for the body. Untouched memory until bytes arrive.
  void accept_body();

  /// Where the next bytes of an accepted body of known length belong; empty for other requests.
  [[nodiscard]] std::span<std::byte> body_room();
  /// `count` bytes were put at the beginning of body_room().
  [[nodiscard]] outcome body_received(std::size_t count);
  /// Bytes of the body so far.
  [[nodiscard]] std::uint64_t body_bytes() const;

  /// The contract's sentence about the limit, for `body_too_large`.
  [[nodiscard]] std::string too_large_text() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace vexfs::http
