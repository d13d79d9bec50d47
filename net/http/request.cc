// SPDX-License-Identifier: Apache-2.0
#include "net/http/request.h"

namespace vexfs::http {
namespace {

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string_view> percent_decode(std::string_view text, bool plus_is_space,
                                               arena& memory) {
  if (text.find_first_of(plus_is_space ? "%+" : "%") == std::string_view::npos) return text;
  const auto decoded = memory.array<char>(text.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded[size++] = static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded[size++] = text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return std::string_view(decoded.data(), size);
}

}  // namespace vexfs::http
