// SPDX-License-Identifier: Apache-2.0
#include "core/payload/print.h"

#include <charconv>
#include <cmath>

namespace vexfs {
namespace {

template <class Integer>
void append_integer(std::string& out, Integer number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

/// `point` is the place of the decimal point counted from the first digit. Plain notation while
/// low_max < point <= high_max, else an exponent.
template <class Float>
void append_float(std::string& out, Float number, int low_max, int high_max) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char text[40];
  const char* end =
      std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
  const char* at = text;
  if (*at == '-') {
    out.push_back('-');
    ++at;
  }
  char digits[24];
  int count = 0;
  for (; *at != 'e'; ++at) {
    if (*at != '.') digits[count++] = *at;
  }
  int exponent = 0;
  at += at[1] == '+' ? 2 : 1;
  std::from_chars(at, end, exponent);
  if (number == 0) exponent = 0;

  const int point = exponent + 1;
  const auto size = static_cast<std::size_t>(count);
  if (point > 0 && point <= high_max) {
    if (count <= point) {
      out.append(digits, size);
      out.append(static_cast<std::size_t>(point - count), '0');
      out += ".0";
    } else {
      out.append(digits, static_cast<std::size_t>(point));
      out.push_back('.');
      out.append(digits + point, size - static_cast<std::size_t>(point));
    }
  } else if (point <= 0 && point > low_max) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out.append(digits, size);
  } else {
    out.push_back(digits[0]);
    if (count > 1) {
      out.push_back('.');
      out.append(digits + 1, size - 1);
    }
    out.push_back('e');
    append_integer(out, exponent);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out.push_back('"');
  const char* plain = text.data();
  const char* end = plain + text.size();
  for (const char* at = plain; at != end; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(plain, at);
    plain = at + 1;
    out.push_back('\\');
    switch (byte) {
      case '"':
      case '\\':
        out.push_back(*at);
        break;
      case '\b':
        out.push_back('b');
        break;
      case '\f':
        out.push_back('f');
        break;
      case '\n':
        out.push_back('n');
        break;
      case '\r':
        out.push_back('r');
        break;
      case '\t':
        out.push_back('t');
        break;
      default:
        out += "u00";
        out.push_back(hex[byte >> 4]);
        out.push_back(hex[byte & 15]);
    }
  }
  out.append(plain, end);
  out.push_back('"');
}

void append_json_number(std::string& out, std::int64_t number) {
  append_integer(out, number);
}
void append_json_number(std::string& out, std::uint64_t number) {
  append_integer(out, number);
}
void append_json_number(std::string& out, double number) {
  append_float(out, number, -5, 16);
}
void append_json_number(std::string& out, float number) {
  append_float(out, number, -6, 13);
}

}  // namespace vexfs
