// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Steps through canonical JSON text in place. Nothing here allocates, except where it says so.
namespace vexfs {

struct json_value;

/// The byte behind the value that starts at `at`. `at` points into a whole canonical text.
[[nodiscard]] const char* skip_json_value(const char* at, const char* end);
/// The byte behind the string whose opening quote is at `at`.
[[nodiscard]] const char* skip_json_string(const char* at, const char* end);

/// Compares what stands between the quotes of a canonical string with plain text.
[[nodiscard]] bool json_string_equals(std::string_view escaped, std::string_view text);
/// Appends the plain text of what stands between the quotes.
void unescape_json_string(std::string_view escaped, std::string& out);
/// The plain text of a string value: a part of the text itself, or `buffer` where it has escapes.
[[nodiscard]] std::string_view json_string_text(std::string_view value, std::string& buffer);

/// A number as the contract tells them apart: whatever fits 64 bits without a point or exponent is
/// an integer, all else is floating.
struct json_number {
  enum class form : std::uint8_t { integer, natural, floating };
  form kind = form::integer;  // natural: above the largest int64
  std::int64_t integer = 0;
  std::uint64_t natural = 0;

  double floating = 0;  // the number as float64, whatever its form
};
[[nodiscard]] json_number read_json_number(std::string_view text);

/// Visits the members of an object, or the elements of an array; text is the whole value.
class json_cursor {
 public:
  explicit json_cursor(std::string_view text)
      : at_(text.data() + (text.empty() ? 0 : 1)), end_(text.data() + text.size()) {}

  /// False at the end. `key` is what stands between the quotes, escaped.
  bool next_member(std::string_view& key, std::string_view& value) {
    if (!to_next()) return false;
    const char* key_end = skip_json_string(at_, end_);
    key = {at_ + 1, static_cast<std::size_t>(key_end - at_ - 2)};
    take_value(key_end + 1, value);
    return true;
  }
  bool next_element(std::string_view& value) {
    if (!to_next()) return false;
    take_value(at_, value);
    return true;
  }

 private:
  bool to_next() {
    if (at_ >= end_ || *at_ == '}' || *at_ == ']') return false;
    if (*at_ == ',') ++at_;
    return true;
  }
  void take_value(const char* from, std::string_view& value) {
    at_ = skip_json_value(from, end_);
    value = {from, static_cast<std::size_t>(at_ - from)};
  }

  const char* at_;
  const char* end_;
};

}  // namespace vexfs
