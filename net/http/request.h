// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/result.h"

namespace vexfs::http {

enum class method : std::uint8_t { get, head, post, put, patch, remove, options, other };
inline constexpr std::size_t method_count = 8;

/// Headers that some part of the server looks at; all others are dropped by the parser.
enum class header : std::uint8_t {
  accept_encoding,
  access_control_request_headers,
  access_control_request_method,
  api_key,
  authorization,
  content_encoding,
  content_type,
  origin,
  x_request_id,
};
inline constexpr std::size_t header_count = 9;

/// One request, whole. All memory is the arena's of its exchange.
struct request {
  method verb = method::other;
  std::string_view path;   // as sent, without the query string
  std::string_view query;  // behind the '?', as sent
  std::array<std::string_view, header_count> headers{};
  std::string_view body;
  bool keep_alive = true;
  bool is_http_1_0 = false;

  [[nodiscard]] std::string_view value_of(header which) const {
    return headers[static_cast<std::size_t>(which)];
  }
};

/// Decodes %XX (and '+' as a space where asked for). Nothing where a sequence is broken.
[[nodiscard]] std::optional<std::string_view> percent_decode(std::string_view text,
                                                             bool plus_is_space, arena& memory);

/// Visits the pairs of a query string, decoded, in order: visit(name, value). False: it is broken.
template <class Visit>
[[nodiscard]] bool visit_query(std::string_view query, arena& memory, Visit&& visit) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto name = percent_decode(pair.substr(0, equals), true, memory);
    const auto value = percent_decode(
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true,
        memory);
    if (!name || !value) return false;
    visit(*name, *value);
  }
  return true;
}

}  // namespace vexfs::http
