// SPDX-License-Identifier: Apache-2.0
#include "net/json/cursor.h"

#include <array>

#include "core/payload/utf8.h"

namespace vexfs::json {
namespace {

/// Documents deeper than this are for the tree, which has the contract's limit.
constexpr int depth_max = 32;
/// Names of all objects that are open at the same time; more are for the tree.
constexpr std::size_t open_names_max = 192;

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// Bytes that stand for themselves inside of a string.
constexpr auto plain_bytes = [] {
  std::array<bool, 256> plain{};
  for (unsigned byte = 0x20; byte < 0x80; ++byte)
    plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

bool is_plain(char c) {
  return plain_bytes[static_cast<unsigned char>(c)];
}

}  // namespace

/// Finds names that an object has twice: such objects are left to the tree.
class cursor::name_list {
 public:
  [[nodiscard]] std::size_t count() const { return count_; }
  void drop_to(std::size_t count) { count_ = count; }
  /// `first` is where the names of this object begin.
  [[nodiscard]] bool add(std::string_view name, std::size_t first) {
    if (count_ == open_names_max) return false;
    for (std::size_t i = first; i < count_; ++i)
      if (names_[i] == name) return false;
    names_[count_++] = name;
    return true;
  }

 private:
  std::size_t count_ = 0;
  std::string_view names_[open_names_max];
};

char cursor::peek() {
  while (at_ != end_ && is_space(*at_))
    ++at_;
  return at_ != end_ ? *at_ : '\0';
}

bool cursor::take(char wanted) {
  if (at_ != end_ && *at_ == wanted) {
    ++at_;
    return true;
  }
  if (peek() != wanted || at_ == end_) return false;
  ++at_;
  return true;
}

bool cursor::word(std::string_view wanted) {
  if (!std::string_view(at_, end_).starts_with(wanted)) return false;
  at_ += wanted.size();
  return true;
}

bool cursor::null() {
  return peek() == 'n' && word("null");
}

bool cursor::plain_string(std::string_view& out) {
  if (!take('"')) return false;
  const char* const first = at_;
  while (at_ != end_ && is_plain(*at_))
    ++at_;
  if (at_ == end_ || *at_ != '"') return false;
  out = {first, at_};
  ++at_;
  return true;
}

bool cursor::whole_number(std::uint64_t& out) {
  if (!is_digit(peek())) return false;
  const char* const first = at_;
  out = 0;
  for (; at_ != end_ && is_digit(*at_); ++at_)
    out = out * 10 + static_cast<std::uint64_t>(*at_ - '0');
  if (at_ - first > 19 || (*first == '0' && at_ - first > 1)) return false;
  return at_ == end_ || (*at_ != '.' && *at_ != 'e' && *at_ != 'E');
}

bool cursor::floats(std::vector<float>& out, std::size_t count_max) {
  out.clear();
  if (!take('[')) return false;
  do {
    if (out.size() == count_max) return false;
    (void)peek();
    float number;
    const char* next = nullptr;
    if (end_ - at_ >= usual_float_bytes) next = read_usual_float(at_, number);
    if (!next) next = read_float(at_, end_, number);
    if (!next) return false;
    at_ = next;
    out.push_back(number);
  } while (take(','));
  return take(']');
}

bool cursor::canonical_value(std::string& out) {
  name_list names;
  return canonical(out, names, 0);
}

bool cursor::canonical(std::string& out, name_list& names, int depth) {
  if (depth > depth_max) return false;
  const char first = peek();
  const char* const start = at_;
  switch (first) {
    case '{':
      return canonical_members(out, names, depth);
    case '[':
      ++at_;
      out += '[';
      if (peek() == ']') {
        ++at_;
        out += ']';
        return true;
      }
      do {
        if (!canonical(out, names, depth + 1)) return false;
        out += ',';
      } while (take(','));
      out.back() = ']';
      return take(']');
    case '"': {
      std::string_view text;
      if (!canonical_string(text)) return false;
      out += text;
      return true;
    }
    case 't':
      if (!word("true")) return false;
      break;
    case 'f':
      if (!word("false")) return false;
      break;
    case 'n':
      if (!word("null")) return false;
      break;
    default:
      if (!canonical_number()) return false;
  }
  out.append(start, at_);
  return true;
}

bool cursor::canonical_members(std::string& out, name_list& names, int depth) {
  const std::size_t first_name = names.count();
  ++at_;
  out += '{';
  if (peek() == '}') {
    ++at_;
    out += '}';
    return true;
  }
  do {
    std::string_view name;
    if (peek() != '"' || !canonical_string(name) || !names.add(name, first_name) || !take(':'))
      return false;
    out += name;
    out += ':';
    if (!canonical(out, names, depth + 1)) return false;
    out += ',';
  } while (take(','));
  names.drop_to(first_name);
  out.back() = '}';
  return take('}');
}

/// With its quotes. Escapes that canonical text would write in another way are left to the tree.
bool cursor::canonical_string(std::string_view& text) {
  const char* const first = at_++;
  for (;;) {
    while (at_ != end_ && is_plain(*at_))
      ++at_;
    if (at_ == end_) return false;
    if (*at_ == '"') {
      ++at_;
      text = {first, at_};
      return true;
    }
    if (*at_ == '\\') {
      if (end_ - at_ < 2 || std::string_view("\"\\bfnrt").find(at_[1]) == std::string_view::npos)
        return false;
      at_ += 2;
    } else if (static_cast<unsigned char>(*at_) < 0x20) {
      return false;
    } else {
      const utf8_char character = read_utf8({at_, end_});
      if (character.code == utf8_char::invalid) return false;
      at_ += character.bytes;
    }
  }
}

/// Without exponents and of a moderate length: certainly in the range of a double.
bool cursor::canonical_number() {
  const char* const first = at_;
  if (at_ != end_ && *at_ == '-') ++at_;
  if (at_ == end_ || !is_digit(*at_)) return false;
  const bool zero = *at_++ == '0';
  if (zero && at_ != end_ && is_digit(*at_)) return false;
  while (at_ != end_ && is_digit(*at_))
    ++at_;
  if (at_ != end_ && *at_ == '.') {
    const char* const fraction = ++at_;
    while (at_ != end_ && is_digit(*at_))
      ++at_;
    if (at_ == fraction) return false;
  }
  return at_ - first < 300 && (at_ == end_ || (*at_ != 'e' && *at_ != 'E'));
}

bool cursor::skip_string() {
  for (++at_; at_ != end_; ++at_) {
    if (*at_ == '"') {
      ++at_;
      return true;
    }
    if (*at_ == '\\' && ++at_ == end_) return false;
  }
  return false;
}

bool cursor::skip_value() {
  std::size_t open = 0;
  do {
    switch (peek()) {
      case '\0':
        return false;
      case '"':
        if (!skip_string()) return false;
        break;
      case '{':
      case '[':
        ++open;
        ++at_;
        break;
      case '}':
      case ']':
        if (open == 0) return false;
        --open;
        ++at_;
        break;
      case ',':
      case ':':
        if (open == 0) return false;
        ++at_;
        break;
      default:
        while (at_ != end_ && !is_space(*at_) &&
               std::string_view(",:]}[{\"").find(*at_) == std::string_view::npos)
          ++at_;
    }
  } while (open > 0);
  return true;
}

}  // namespace vexfs::json
