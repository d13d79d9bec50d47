// SPDX-License-Identifier: Apache-2.0
#include "net/http/cors.h"

namespace vexfs::http {
namespace {

constexpr std::string_view vary_line =
    "vary: origin, access-control-request-method, access-control-request-headers\r\n";

}  // namespace

bool answer_preflight(exchange& call) {
  if (call.in.verb != method::options) return false;
  const std::string_view wanted = call.in.value_of(header::access_control_request_method);
  if (wanted.empty() || call.in.value_of(header::origin).empty()) return false;
  allow_origin(call);
  std::string& lines = call.answer.extra_headers;
  // Header values come from the parser, which refuses control characters: no line can be smuggled.
  lines.append("access-control-allow-methods: ").append(wanted).append("\r\n");
  const std::string_view headers = call.in.value_of(header::access_control_request_headers);
  if (!headers.empty())
    lines.append("access-control-allow-headers: ").append(headers).append("\r\n");
  return true;
}

void allow_origin(exchange& call) {
  const std::string_view origin = call.in.value_of(header::origin);
  if (origin.empty()) return;
  std::string& lines = call.answer.extra_headers;
  lines.append("access-control-allow-origin: ").append(origin).append("\r\n");
  lines.append("access-control-expose-headers: *\r\n");
  lines.append(vary_line);
}

}  // namespace vexfs::http
