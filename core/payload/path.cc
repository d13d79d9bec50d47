// SPDX-License-Identifier: Apache-2.0
#include "core/payload/path.h"

#include <charconv>

#include "core/base/limits.h"
#include "core/payload/utf8.h"

namespace vexfs {
namespace {

/// Bytes of a bare key at the start of `text`.
std::size_t bare_key_bytes(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto [code, bytes] = read_utf8(text.substr(at));
    if (code != '_' && code != '-' && !is_alphanumeric(code)) break;
    at += bytes;
  }
  return at;
}

/// Reads one step and moves `rest` behind it; nothing where there is none.
std::optional<path_step> read_key(std::string_view& rest) {
  path_step step;
  if (rest.starts_with('"')) {
    const auto close = rest.find('"', 1);
    if (close == std::string_view::npos) return std::nullopt;
    step.key = rest.substr(1, close - 1);
    if (step.key.find('\\') != std::string_view::npos || !is_utf8(step.key)) return std::nullopt;
    rest.remove_prefix(close + 1);
    return step;
  }
  const auto bytes = bare_key_bytes(rest);
  if (bytes == 0) return std::nullopt;
  step.key = rest.substr(0, bytes);
  rest.remove_prefix(bytes);
  return step;
}

std::optional<path_step> read_bracket(std::string_view& rest) {
  const auto close = rest.find(']');
  if (close == std::string_view::npos) return std::nullopt;
  const auto digits = rest.substr(1, close - 1);
  path_step step;
  step.kind = path_step::form::all;
  if (!digits.empty()) {
    step.kind = path_step::form::index;
    const auto [end, bad] =
        std::from_chars(digits.data(), digits.data() + digits.size(), step.index);
    if (bad != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  }
  rest.remove_prefix(close + 1);
  return step;
}

/// Reads a whole path; each step goes to `take`.
template <class Take>
bool read_path(std::string_view rest, Take&& take) {
  auto key = read_key(rest);
  if (!key) return false;
  take(*key);
  while (!rest.empty()) {
    std::optional<path_step> step;
    if (rest.front() == '[') {
      step = read_bracket(rest);
    } else if (rest.front() == '.') {
      rest.remove_prefix(1);
      step = read_key(rest);
    }
    if (!step) return false;
    take(*step);
  }
  return true;
}

}  // namespace

std::optional<payload_path> parse_payload_path(std::string_view text, arena& memory) {
  if (text.size() > payload_path_bytes_max) return std::nullopt;
  std::size_t count = 0;
  if (!read_path(text, [&](const path_step&) { ++count; })) return std::nullopt;
  if (count > payload_path_steps_max) return std::nullopt;
  // Keys are cut from a copy: the path lives as long as its memory, not as long as `text`.
  payload_path path;
  path.text = memory.copy(text);
  auto steps = memory.array<path_step>(count);
  std::size_t filled = 0;
  read_path(path.text, [&](const path_step& step) { steps[filled++] = step; });
  path.steps = steps;
  return path;
}

}  // namespace vexfs
