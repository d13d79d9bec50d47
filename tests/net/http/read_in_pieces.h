// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/parser.h"

namespace vexfs::http {

/// What came out of a whole input: requests as text, and how it ended.
struct reading {
  std::vector<std::string> requests;
  parser::outcome last = parser::outcome::need_more;
  bool operator==(const reading&) const = default;
};

inline std::string described(const request& got) {
  std::string text = std::to_string(static_cast<int>(got.verb));
  text.append(" ").append(got.path).append("?").append(got.query);
  text.append(got.keep_alive ? " keep" : " close").append(got.is_http_1_0 ? " 1.0" : " 1.1");
  for (const std::string_view value : got.headers)
    text.append("|").append(value);
  return text.append("|").append(got.body);
}

/// Feeds `input` as a connection does: pieces that end at the given places, what was not taken
/// first again. `in_place`: what belongs to an accepted body is put where it will lie.
inline reading read_in_pieces(std::string_view input, const std::vector<std::size_t>& cuts,
                              const parser_limits& limits = {}, bool in_place = false) {
  using outcome = parser::outcome;
  parser parsing(limits);
  request target;
  arena memory;
  parsing.start(target, memory);
  reading seen;
  std::string pending;
  std::size_t from = 0;
  for (std::size_t piece = 0; piece <= cuts.size(); ++piece) {
    const std::size_t to = piece < cuts.size() ? cuts[piece] : input.size();
    pending.append(input.substr(from, to - from));
    from = to;
    std::size_t position = 0;
    while (position < pending.size()) {
      std::size_t taken = 0;
      const std::string_view bytes = std::string_view(pending).substr(position);
      if (const auto room = parsing.body_room(); in_place && parsing.head_done() && !room.empty()) {
        taken = std::min(bytes.size(), room.size());
        std::memcpy(room.data(), bytes.data(), taken);
        seen.last = parsing.body_received(taken);
      } else {
        seen.last = parsing.feed(bytes, taken);
      }
      position += taken;
      if (seen.last == outcome::large_body) {
        parsing.accept_body();
        continue;
      }
      if (seen.last == outcome::need_more) {
        if (in_place && taken > 0) continue;
        break;
      }
      if (seen.last != outcome::complete) return seen;
      // What was received may be overwritten after the call: nothing may point into it.
      std::memset(pending.data(), '#', position);
      seen.requests.push_back(described(target));
      memory.reset();
      parsing.start(target, memory);
    }
    pending.erase(0, position);
  }
  return seen;
}

}  // namespace vexfs::http
