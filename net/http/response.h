// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vexfs::http {

/// What a handler answers. The body is appended to `body`, whose memory is kept from request to
/// request; a handler with a ready answer sets `ready_body` instead, which must live until the
/// answer is sent: as long as the server, that is.
struct response {
  std::uint16_t status = 200;
  std::string_view content_type = "application/json";
  std::string body;
  std::string_view ready_body;
  std::string extra_headers;  // whole lines in lower case, each ending in CRLF
  bool close = false;         // close the connection after this answer

  [[nodiscard]] std::string_view content() const { return ready_body.empty() ? body : ready_body; }

  void reset() {
    status = 200;
    content_type = "application/json";
    body.clear();
    ready_body = {};
    extra_headers.clear();
    close = false;
  }
};

/// What the answer says about the connection's future. HTTP/1.0 clients want "keep-alive" said.
enum class persistence : std::uint8_t { keep, keep_said, close };

/// Appends status line, headers and (unless `head_only`) the body as they go over the wire.
void append_response(std::string& out, const response& answer, bool head_only, persistence after);

}  // namespace vexfs::http
