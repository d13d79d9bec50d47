// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vexfs {

/// One character of UTF-8 text; `bytes` is at least 1. A byte that starts no valid sequence is a
/// character of its own with an invalid code, so that every text can be walked to its end.
struct utf8_char {
  static constexpr char32_t invalid = 0xffff'ffff;
  char32_t code = invalid;
  std::size_t bytes = 1;
};

[[nodiscard]] utf8_char read_utf8(std::string_view text);
/// No character of it is invalid.
[[nodiscard]] bool is_utf8(std::string_view text);
/// Appends a valid code.
void append_utf8(std::string& out, char32_t code);

/// Alphabetic, or any kind of number.
[[nodiscard]] bool is_alphanumeric(char32_t code);
[[nodiscard]] bool is_white_space(char32_t code);
[[nodiscard]] char32_t to_lower(char32_t code);

}  // namespace vexfs
