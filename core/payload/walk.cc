// SPDX-License-Identifier: Apache-2.0
#include "core/payload/walk.h"

#include <bit>
#include <charconv>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/payload/payload.h"

namespace vexfs {
namespace {

/// The next quote, bracket or brace. Brackets and braces differ from each other in bit 5 only.
const char* find_structure(const char* at, const char* end) {
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i fold = _mm_set1_epi8(0x20);
  const __m128i open = _mm_set1_epi8('{');
  const __m128i close = _mm_set1_epi8('}');
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i folded = _mm_or_si128(bytes, fold);
    const __m128i found =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quote),
                     _mm_or_si128(_mm_cmpeq_epi8(folded, open), _mm_cmpeq_epi8(folded, close)));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(found));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  for (; at < end; ++at) {
    const char folded = static_cast<char>(*at | 0x20);
    if (*at == '"' || folded == '{' || folded == '}') return at;
  }
  return end;
}

unsigned hex_digit(char c) {
  return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/// One character of an escaped string; `at` moves behind it.
char unescape_one(const char*& at) {
  if (*at != '\\') return *at++;
  const char kind = at[1];
  at += 2;
  switch (kind) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'u': {
      // Canonical text has \u for control characters only: the upper two digits are zeros.
      const char byte = static_cast<char>(hex_digit(at[2]) << 4 | hex_digit(at[3]));
      at += 4;
      return byte;
    }
    default:
      return kind;
  }
}

}  // namespace

const char* skip_json_string(const char* at, const char* end) {
  for (++at; at < end;) {
    const auto* quote =
        static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
    if (quote == nullptr) return end;
    const char* slash = quote;
    while (slash > at && slash[-1] == '\\')
      --slash;
    if (((quote - slash) & 1) == 0) return quote + 1;
    at = quote + 1;
  }
  return end;
}

const char* skip_json_value(const char* at, const char* end) {
  if (at >= end) return end;
  if (*at == '"') return skip_json_string(at, end);
  if (*at == '{' || *at == '[') {
    std::size_t depth = 0;
    for (;;) {
      at = find_structure(at, end);
      if (at == end) return end;
      if (*at == '"') {
        at = skip_json_string(at, end);
        continue;
      }
      const bool opens = (*at | 0x20) == '{';
      ++at;
      if (opens) {
        ++depth;
      } else if (--depth == 0) {
        return at;
      }
    }
  }
  while (at < end && *at != ',' && *at != '}' && *at != ']')
    ++at;
  return at;
}

bool json_string_equals(std::string_view escaped, std::string_view text) {
  // An escape only makes text longer: equal lengths without a backslash decide most comparisons.
  if (escaped.size() < text.size()) return false;
  if (escaped.size() == text.size()) {
    return std::memcmp(escaped.data(), text.data(), text.size()) == 0 &&
           (text.empty() || std::memchr(escaped.data(), '\\', escaped.size()) == nullptr);
  }
  const char* at = escaped.data();
  const char* end = at + escaped.size();
  for (const char c : text) {
    if (at == end || unescape_one(at) != c) return false;
  }
  return at == end;
}

void unescape_json_string(std::string_view escaped, std::string& out) {
  const char* at = escaped.data();
  const char* end = at + escaped.size();
  while (at < end) {
    const auto* slash =
        static_cast<const char*>(std::memchr(at, '\\', static_cast<std::size_t>(end - at)));
    if (slash == nullptr) slash = end;
    out.append(at, slash);
    at = slash;
    if (at < end) out.push_back(unescape_one(at));
  }
}

std::string_view json_string_text(std::string_view value, std::string& buffer) {
  const std::string_view escaped = value.substr(1, value.size() - 2);
  if (escaped.empty() || std::memchr(escaped.data(), '\\', escaped.size()) == nullptr) {
    return escaped;
  }
  buffer.clear();
  unescape_json_string(escaped, buffer);
  return buffer;
}

json_number read_json_number(std::string_view text) {
  json_number number;
  const char* begin = text.data();
  const char* end = begin + text.size();
  // "-0" is the floating minus zero: an integer would lose its sign.
  if (text != "-0" && text.find_first_of(".eE") == std::string_view::npos) {
    if (auto [at, bad] = std::from_chars(begin, end, number.integer); bad == std::errc{}) {
      number.floating = static_cast<double>(number.integer);
      return number;
    }
    number.integer = 0;
    if (auto [at, bad] = std::from_chars(begin, end, number.natural); bad == std::errc{}) {
      number.kind = json_number::form::natural;
      number.floating = static_cast<double>(number.natural);
      return number;
    }
    number.natural = 0;
  }
  number.kind = json_number::form::floating;
  if (auto [at, bad] = std::from_chars(begin, end, number.floating);
      bad == std::errc::result_out_of_range) {
    // Whoever stored the text accepted it as finite, so only underflow gets here.
    number.floating = 0;
  }
  return number;
}

json_value::form json_value::kind() const {
  switch (text.empty() ? '{' : text.front()) {
    case 'n':
      return form::null;
    case 't':
    case 'f':
      return form::boolean;
    case '"':
      return form::string;
    case '[':
      return form::array;
    case '{':
      return form::object;
    default:
      return form::number;
  }
}

}  // namespace vexfs
