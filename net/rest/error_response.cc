// SPDX-License-Identifier: Apache-2.0
#include "net/rest/error_response.h"

#include "core/payload/print.h"
#include "core/payload/utf8.h"

namespace vexfs::rest {
namespace {

struct error_class {
  errc code;
  std::uint16_t status;
  std::string_view prefix;
};

constexpr error_class classes[] = {
    {errc::bad_input, 400, "Wrong input: "},
    {errc::bad_request, 400, "Bad request: "},
    {errc::malformed, 400, ""},
    {errc::invalid, 422, ""},
    {errc::not_found, 404, "Not found: "},
    {errc::already_exists, 409, "Wrong input: "},
    {errc::forbidden, 403, "Forbidden: "},
    {errc::locked, 403, "Storage locked: "},
    {errc::standalone, 405, "Qdrant is running in standalone mode"},
    {errc::timeout, 408, "Timeout: "},
    {errc::rate_limit, 429, "Rate limiting exceeded: "},
    {errc::service, 500, "Service internal error: "},
    {errc::precondition, 500, "Pre-condition failure: "},
    {errc::unavailable, 503, "Shard temporarily unavailable: "},
    {errc::insufficient_storage, 507, "Insufficient storage: "},
    {errc::unsupported, 501, "Not supported: "},
};
static_assert(std::size(classes) == static_cast<std::size_t>(errc::unsupported) + 1);

/// What a client has sent may be told to it again, and need not be UTF-8.
std::string as_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [code, bytes] = read_utf8(text);
    if (code == utf8_char::invalid)
      append_utf8(out, 0xfffd);
    else
      out += text.substr(0, bytes);
    text.remove_prefix(bytes);
  }
  return out;
}

}  // namespace

void answer_error(http::response& answer, const error& failure, double seconds) {
  const error_class& kind = classes[static_cast<std::size_t>(failure.code)];
  answer.status = kind.status;
  answer.content_type = "application/json";
  answer.body.assign("{\"status\":{\"error\":");
  append_json_string(answer.body, as_utf8(std::string(kind.prefix) + failure.text));
  answer.body += "},\"time\":";
  append_json_number(answer.body, seconds);
  answer.body += '}';
}

}  // namespace vexfs::rest
