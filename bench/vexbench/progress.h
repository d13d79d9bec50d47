// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace vexfs::bench {

/// The line on stderr that tells what is going on: rewritten in place on a terminal, one line every
/// ten seconds elsewhere. Results never go there.
class progress {
 public:
  explicit progress(bool is_quiet);
  void begin(const std::string& what);
  /// `answered` and `errors` since begin(); may be called as often as one likes.
  void show(std::uint64_t answered, std::uint64_t errors, double seconds_left);
  void end(const std::string& result);

 private:
  void print(const std::string& line, bool is_last);
  const bool is_quiet_;
  const bool is_terminal_;
  std::string what_;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point shown_;
  std::uint64_t shown_answered_ = 0;
};

}  // namespace vexfs::bench
