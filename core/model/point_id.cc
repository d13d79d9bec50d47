// SPDX-License-Identifier: Apache-2.0
#include "core/model/point_id.h"

#include <charconv>

namespace vexfs {
namespace {

constexpr std::size_t uuid_digits = 32;

bool at_hyphen(std::size_t digit) {
  return digit == 8 || digit == 12 || digit == 16 || digit == 20;
}

}  // namespace

std::optional<point_id> point_id::from_uuid(std::string_view text) {
  constexpr std::string_view urn = "urn:uuid:";
  if (text.size() == 38 && text.front() == '{' && text.back() == '}') {
    text = text.substr(1, 36);
  } else if (text.size() == urn.size() + 36 || text.size() == urn.size() + uuid_digits) {
    for (std::size_t i = 0; i < urn.size(); ++i) {
      const char c = text[i];
      if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != urn[i]) return std::nullopt;
    }
    text.remove_prefix(urn.size());
  }
  const bool hyphenated = text.size() == 36;
  if (!hyphenated && text.size() != uuid_digits) return std::nullopt;
  point_id id;
  id.kind = form::uuid;
  std::size_t at = 0;
  for (std::size_t digit = 0; digit < uuid_digits; ++digit) {
    if (hyphenated && at_hyphen(digit) && text[at++] != '-') return std::nullopt;
    const char c = text[at++];
    unsigned value = 0;
    if (c >= '0' && c <= '9') {
      value = static_cast<unsigned>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      value = static_cast<unsigned>((c | 0x20) - 'a' + 10);
    } else {
      return std::nullopt;
    }
    std::uint64_t& half = digit < 16 ? id.high : id.low;
    half = half << 4 | value;
  }
  return id;
}

std::optional<point_id> point_id::from_path(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  // Rust's integer parser, which the contract follows, takes one leading plus.
  const char* begin = text.data() + (text.size() > 1 && text.front() == '+' ? 1 : 0);
  if (const auto [at, bad] = std::from_chars(begin, end, number);
      bad == std::errc{} && at == end && begin != end) {
    return from_number(number);
  }
  return from_uuid(text);
}

std::string point_id::text() const {
  if (kind == form::number) return std::to_string(low);
  static constexpr char hex[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t digit = 0; digit < uuid_digits; ++digit) {
    if (at_hyphen(digit)) out.push_back('-');
    const std::uint64_t half = digit < 16 ? high : low;
    out.push_back(hex[half >> (60 - 4 * (digit % 16)) & 15]);
  }
  return out;
}

}  // namespace vexfs
