// SPDX-License-Identifier: Apache-2.0
#include "net/http/response.h"

#include <array>
#include <charconv>

namespace vexfs::http {
namespace {

std::string_view status_line(std::uint16_t status) {
  switch (status) {
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 202:
      return "HTTP/1.1 202 Accepted\r\n";
    case 204:
      return "HTTP/1.1 204 No Content\r\n";
    case 304:
      return "HTTP/1.1 304 Not Modified\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 401:
      return "HTTP/1.1 401 Unauthorized\r\n";
    case 403:
      return "HTTP/1.1 403 Forbidden\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 405:
      return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 408:
      return "HTTP/1.1 408 Request Timeout\r\n";
    case 409:
      return "HTTP/1.1 409 Conflict\r\n";
    case 422:
      return "HTTP/1.1 422 Unprocessable Entity\r\n";
    case 413:
      return "HTTP/1.1 413 Payload Too Large\r\n";
    case 415:
      return "HTTP/1.1 415 Unsupported Media Type\r\n";
    case 429:
      return "HTTP/1.1 429 Too Many Requests\r\n";
    case 431:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case 501:
      return "HTTP/1.1 501 Not Implemented\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    case 507:
      return "HTTP/1.1 507 Insufficient Storage\r\n";
    default:
      return "HTTP/1.1 500 Internal Server Error\r\n";
  }
}

}  // namespace

void append_response(std::string& out, const response& answer, bool head_only, persistence after) {
  const std::string_view content = answer.content();
  out.append(status_line(answer.status));
  const bool has_body = answer.status != 204 && answer.status != 304;
  if (has_body) {
    std::array<char, 20> digits;
    const char* end =
        std::to_chars(digits.data(), digits.data() + digits.size(), content.size()).ptr;
    out.append("content-length: ");
    out.append(std::string_view(digits.data(), end));
    if (!content.empty()) {
      out.append("\r\ncontent-type: ");
      out.append(answer.content_type);
    }
    out.append("\r\n");
  }
  if (after == persistence::close) out.append("connection: close\r\n");
  if (after == persistence::keep_said) out.append("connection: keep-alive\r\n");
  out.append(answer.extra_headers);
  out.append("\r\n");
  if (has_body && !head_only) out.append(content);
}

}  // namespace vexfs::http
