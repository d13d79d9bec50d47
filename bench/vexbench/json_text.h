// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace vexfs::bench {

/// A JSON string literal. Bytes beyond ASCII stay as they are: UTF-8 in, UTF-8 out.
[[nodiscard]] inline std::string quoted_json(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      out.push_back('\\');
      out.push_back(letter);
    } else if (code < 0x20) {
      out.append("\\u00").push_back(digits[code >> 4]);
      out.push_back(digits[code & 15]);
    } else {
      out.push_back(letter);
    }
  }
  out.push_back('"');
  return out;
}

}  // namespace vexfs::bench
