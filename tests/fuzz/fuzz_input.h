// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace vexfs::fuzzing {

/// The bytes of one input, taken from the front; past the end there are zeros.
class fuzz_input {
 public:
  fuzz_input(const std::uint8_t* bytes, std::size_t count)
      : rest_(reinterpret_cast<const char*>(bytes), count) {}

  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::uint16_t half() {
    const std::uint8_t low = byte();
    return static_cast<std::uint16_t>(low | byte() << 8);
  }
  std::string_view bytes(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  /// Up to the next line end, which is dropped.
  std::string_view line() {
    const auto end = rest_.find('\n');
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return taken;
  }
  std::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// What the fuzzer reports as a finding.
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}
inline void require_same(std::string_view got, std::string_view expected, std::string_view what) {
  if (got == expected) return;
  const auto print = [](const char* name, std::string_view text) {
    std::fprintf(stderr, "%s: %.*s\n", name, static_cast<int>(text.size()), text.data());
  };
  print("got", got);
  print("expected", expected);
  require(false, what);
}

}  // namespace vexfs::fuzzing
