// SPDX-License-Identifier: Apache-2.0
#include "net/rest/request_log.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "core/io/loop.h"

namespace vexfs::rest {
namespace {

/// Of what a client sends, a line takes no more, and nothing that could look like another line.
constexpr std::size_t path_bytes_max = 256;
constexpr std::size_t id_bytes_max = 128;
constexpr std::size_t failure_bytes_max = 512;

/// Bytes beyond ASCII are no less dangerous: cut or broken UTF-8 is no JSON, and terminals obey
/// some of its characters.
std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string shown(text.substr(0, bytes_max));
  std::ranges::replace_if(shown, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return shown;
}

std::string_view name_of(http::method verb) {
  switch (verb) {
    case http::method::get:
      return "GET";
    case http::method::head:
      return "HEAD";
    case http::method::post:
      return "POST";
    case http::method::put:
      return "PUT";
    case http::method::patch:
      return "PATCH";
    case http::method::remove:
      return "DELETE";
    case http::method::options:
      return "OPTIONS";
    case http::method::other:
      return "?";
  }
  return "?";
}

}  // namespace

void request_log::answered(const http::exchange& call) {
  if (!config_.write) return;
  // The time of the turn: reading the clock for every request would cost more than the rest here.
  const auto took = io::loop::current().now() - call.started;
  const auto severity = call.answer.status >= 500 ? request_severity::failed
                        : took >= config_.slow    ? request_severity::slow
                                                  : request_severity::usual;
  if (severity == request_severity::usual && !config_.usual_ones) return;
  const std::string_view given = call.in.value_of(http::header::x_request_id);
  const std::string id = given.empty()
                             ? std::to_string(told_.fetch_add(1, std::memory_order_relaxed) + 1)
                             : printable(given, id_bytes_max);
  std::string line =
      fmt::format("request {}: {} {} {}, {:.3f} ms, {} bytes in, {} out", id, name_of(call.in.verb),
                  printable(call.in.path, path_bytes_max), call.answer.status,
                  std::chrono::duration<double, std::milli>(took).count(), call.in.body.size(),
                  call.answer.content().size());
  if (severity == request_severity::failed)
    line += ": " + printable(call.answer.content(), failure_bytes_max);
  config_.write(severity, line);
}

}  // namespace vexfs::rest
