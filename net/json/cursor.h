// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vexfs::json {

/// Walks the common forms of JSON from left to right without a tree: what the hot bodies are made
/// of. Every call either takes what it names and stands behind it, or returns false; then the text
/// is not wrong, only unusual or wrong, and the whole of it is for parse_document(). What a call
/// takes has exactly the value that parse_document() would give it. Nothing is copied.
class cursor {
 public:
  explicit cursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  /// Next byte past white space, 0 at the end. Does not take it.
  [[nodiscard]] char peek();
  [[nodiscard]] bool take(char wanted);
  /// Nothing but white space is left.
  [[nodiscard]] bool finished() { return peek() == 0 && at_ == end_; }
  /// Where the next byte stands.
  [[nodiscard]] const char* place() const { return at_; }

  /// A string of printable ASCII without escapes.
  [[nodiscard]] bool plain_string(std::string_view& out);
  /// Digits only.
  [[nodiscard]] bool whole_number(std::uint64_t& out);
  /// Replaces `out` by a non-empty array of numbers, at most `count_max` of them. What `out` holds
  /// after a failure is not said. One that is used again keeps its room.
  [[nodiscard]] bool floats(std::vector<float>& out, std::size_t count_max);
  [[nodiscard]] bool null();
  /// Appends the canonical text of a value (core/payload/payload.h).
  [[nodiscard]] bool canonical_value(std::string& out);

  /// Goes past a value. Only finds its end: whether it is JSON has to be seen by somebody else.
  [[nodiscard]] bool skip_value();

 private:
  class name_list;
  [[nodiscard]] bool canonical(std::string& out, name_list& names, int depth);
  [[nodiscard]] bool canonical_members(std::string& out, name_list& names, int depth);
  [[nodiscard]] bool canonical_string(std::string_view& text);
  [[nodiscard]] bool canonical_number();
  [[nodiscard]] bool word(std::string_view wanted);
  [[nodiscard]] bool skip_string();

  const char* at_;
  const char* end_;
};

/// Takes a number from `at`: the double nearest to the text, rounded to float. Returns the byte
/// after it, or nullptr where the text is no JSON number or beyond the range of a double.
[[nodiscard]] const char* read_float(const char* at, const char* end, float& out);
/// The same for what vectors are made of, one digit, a point, up to 17 digits (18 after a zero) and
/// no exponent; nullptr for all else, which is for read_float(). usual_float_bytes from `at` on can
/// be read, though they are not taken.
[[nodiscard]] const char* read_usual_float(const char* at, float& out);
inline constexpr std::ptrdiff_t usual_float_bytes = 28;

}  // namespace vexfs::json
