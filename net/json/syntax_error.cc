// SPDX-License-Identifier: Apache-2.0
#include "net/json/syntax_error.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "core/base/limits.h"
#include "core/payload/utf8.h"

namespace vexfs::json {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads one document by the grammar. Each reader returns false after it has failed; `at_` stays in
/// the text. A failure names the place before or after the byte that does not fit, as the
/// contract's own reader happens to do in each case.
class syntax_walk {
 public:
  explicit syntax_walk(std::string_view text) : text_(text) {}

  [[nodiscard]] std::optional<std::string> run() {
    if (value(0)) {
      skip_space();
      if (at_ < text_.size()) (void)fail_at_next("trailing characters");
    }
    if (!failure_) return std::nullopt;
    return std::string(failure_) + position_text(text_, place_);
  }

 private:
  bool fail_here(const char* what) {
    failure_ = what;
    place_ = at_;
    return false;
  }
  /// Behind the byte that has been looked at and not taken.
  bool fail_at_next(const char* what) {
    failure_ = what;
    place_ = std::min(at_ + 1, text_.size());
    return false;
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  [[nodiscard]] bool ended() const { return at_ == text_.size(); }
  /// 0 at the end.
  [[nodiscard]] char next() const { return ended() ? '\0' : text_[at_]; }

  bool value(std::uint32_t depth) {
    skip_space();
    if (ended()) return fail_at_next("EOF while parsing a value");
    switch (text_[at_]) {
      case '{':
      case '[':
        if (depth == json_depth_max) return fail_at_next("recursion limit exceeded");
        return text_[at_] == '{' ? object(depth + 1) : array(depth + 1);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        if (next() == '-' || is_digit(next())) return number();
        return fail_at_next("expected value");
    }
  }

  bool array(std::uint32_t depth) {
    ++at_;
    for (bool first = true;; first = false) {
      skip_space();
      if (ended()) return fail_at_next("EOF while parsing a list");
      if (next() == ']') break;
      if (!first) {
        if (next() != ',') return fail_at_next("expected `,` or `]`");
        ++at_;
        skip_space();
        if (next() == ']') return fail_at_next("trailing comma");
      }
      if (!value(depth)) return false;
    }
    ++at_;
    return true;
  }

  bool object(std::uint32_t depth) {
    ++at_;
    for (bool first = true;; first = false) {
      skip_space();
      if (ended()) return fail_at_next("EOF while parsing an object");
      if (next() == '}') break;
      if (!first) {
        if (next() != ',') return fail_at_next("expected `,` or `}`");
        ++at_;
        skip_space();
        if (ended()) return fail_at_next("EOF while parsing a value");
        if (next() == '}') return fail_at_next("trailing comma");
      }
      if (next() != '"') return fail_at_next("key must be a string");
      if (!string()) return false;
      skip_space();
      if (ended()) return fail_at_next("EOF while parsing an object");
      if (next() != ':') return fail_at_next("expected `:`");
      ++at_;
      if (!value(depth)) return false;
    }
    ++at_;
    return true;
  }

  bool word(std::string_view wanted) {
    for (const char c : wanted) {
      if (ended()) return fail_here("EOF while parsing a value");
      if (text_[at_++] != c) return fail_here("expected ident");
    }
    return true;
  }

  bool number() {
    const std::size_t start = at_;
    if (next() == '-') ++at_;
    if (ended()) return fail_here("EOF while parsing a value");
    const char first = text_[at_++];
    if (!is_digit(first)) return fail_here("invalid number");
    if (first == '0' && is_digit(next())) return fail_at_next("invalid number");
    while (is_digit(next()))
      ++at_;
    if (next() == '.') {
      ++at_;
      if (ended()) return fail_at_next("EOF while parsing a value");
      if (!is_digit(next())) return fail_at_next("invalid number");
      while (is_digit(next()))
        ++at_;
    }
    if (next() == 'e' || next() == 'E') {
      ++at_;
      if (next() == '+' || next() == '-') ++at_;
      if (ended()) return fail_here("EOF while parsing a value");
      if (!is_digit(text_[at_++])) return fail_here("invalid number");
      while (is_digit(next()))
        ++at_;
    }
    return in_range(text_.substr(start, at_ - start)) || fail_here("number out of range");
  }

  /// Too small is zero, too large is nothing; and an exponent has 32 bits.
  static bool in_range(std::string_view digits) {
    double exact = 0;
    const char* const end = digits.data() + digits.size();
    const bool representable = std::from_chars(digits.data(), end, exact).ec == std::errc{};
    std::size_t exponent = digits.find_first_of("eE");
    if (exponent == std::string_view::npos)
      return representable || digits.starts_with("0.") || digits.starts_with("-0.");
    if (digits[++exponent] == '+') ++exponent;
    std::int32_t power = 0;
    const bool small = std::from_chars(digits.data() + exponent, end, power).ec == std::errc{};
    return small && (representable || power < 0);
  }

  bool string() {
    bool valid = true;
    for (++at_;;) {
      if (ended()) return fail_here("EOF while parsing a string");
      const char c = text_[at_];
      if (c == '"') break;
      if (c == '\\') {
        ++at_;
        if (!escape()) return false;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        ++at_;
        return fail_here("control character (\\u0000-\\u001F) found while parsing a string");
      } else {
        const utf8_char character = read_utf8(text_.substr(at_));
        valid = valid && character.code != utf8_char::invalid;
        at_ += character.bytes;
      }
    }
    ++at_;
    return valid || fail_here("invalid unicode code point");
  }

  bool escape() {
    if (ended()) return fail_here("EOF while parsing a string");
    const char kind = text_[at_++];
    if (std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos) return true;
    if (kind != 'u') return fail_here("invalid escape");
    unsigned code = 0;
    if (!hex_digits(code)) return false;
    if (code >= 0xdc00 && code <= 0xdfff) return fail_here("lone leading surrogate in hex escape");
    if (code < 0xd800 || code > 0xdfff) return true;
    for (const char wanted : {'\\', 'u'}) {
      if (ended()) return fail_here("EOF while parsing a string");
      if (text_[at_++] != wanted) return fail_here("unexpected end of hex escape");
    }
    if (!hex_digits(code)) return false;
    return (code >= 0xdc00 && code <= 0xdfff) || fail_here("lone leading surrogate in hex escape");
  }

  bool hex_digits(unsigned& code) {
    const std::string_view digits = text_.substr(at_, 4);
    at_ += digits.size();
    if (digits.size() < 4) return fail_here("EOF while parsing a string");
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + 4, code, 16);
    return (failed == std::errc{} && end == digits.data() + 4) || fail_here("invalid escape");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  const char* failure_ = nullptr;
  std::size_t place_ = 0;
};

}  // namespace

std::optional<std::string> find_syntax_error(std::string_view text) {
  return syntax_walk(text).run();
}

std::string position_text(std::string_view document, std::size_t offset) {
  const std::string_view before = document.substr(0, offset);
  const auto lines = 1 + std::ranges::count(before, '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column =
      newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
  std::string out = " at line ";
  out += std::to_string(lines);
  out += " column ";
  out += std::to_string(column);
  return out;
}

}  // namespace vexfs::json
