// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace vexfs {

/// Appends numbers (little endian, unaligned) and length-prefixed bytes to a string.
class byte_writer {
 public:
  explicit byte_writer(std::string& out) : out_(out) {}

  template <class Number>
    requires std::is_arithmetic_v<Number>
  void number(Number value) {
    char raw[sizeof(value)];
    std::memcpy(raw, &value, sizeof(value));
    out_.append(raw, sizeof(value));
  }
  void count(std::size_t value) { number(static_cast<std::uint32_t>(value)); }
  void text(std::string_view value) {
    count(value.size());
    out_.append(value);
  }
  template <class Number>
  void numbers(std::span<const Number> values) {
    count(values.size());
    out_.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  }

 private:
  std::string& out_;
};

/// Reads the same back. Reading past the end gives zeros and empty views, and fails for good: look
/// at failed() before what was read is used. Counts are checked against the bytes that are left.
class byte_reader {
 public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  template <class Number>
    requires std::is_arithmetic_v<Number>
  [[nodiscard]] Number number() {
    Number value{};
    if (const std::string_view raw = take(sizeof(value)); raw.size() == sizeof(value))
      std::memcpy(&value, raw.data(), sizeof(value));
    return value;
  }
  /// A count of things that take at least `bytes_each` bytes.
  [[nodiscard]] std::size_t count(std::size_t bytes_each) {
    const auto value = number<std::uint32_t>();
    if (value * static_cast<std::uint64_t>(bytes_each) > rest_.size()) {
      fail();
      return 0;
    }
    return value;
  }
  [[nodiscard]] std::string_view text() { return take(number<std::uint32_t>()); }
  /// Unaligned: copy before use as numbers.
  template <class Number>
  [[nodiscard]] std::string_view raw_numbers() {
    return take(count(sizeof(Number)) * sizeof(Number));
  }
  void fail() {
    failed_ = true;
    rest_ = {};
  }

 private:
  std::string_view take(std::size_t bytes) {
    if (bytes > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace vexfs
