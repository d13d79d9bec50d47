// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/progress.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace vexfs::bench {

progress::progress(bool is_quiet) : is_quiet_(is_quiet), is_terminal_(::isatty(2) == 1) {}

void progress::print(const std::string& line, bool is_last) {
  if (is_quiet_) return;
  if (is_terminal_)
    std::fprintf(stderr, "\r\x1b[K%s%s", line.c_str(), is_last ? "\n" : "");
  else
    std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
}

void progress::begin(const std::string& what) {
  what_ = what;
  began_ = shown_ = std::chrono::steady_clock::now();
  shown_answered_ = 0;
  if (is_terminal_) print(what_ + " ...", false);
}

void progress::show(std::uint64_t answered, std::uint64_t errors, double seconds_left) {
  const auto now = std::chrono::steady_clock::now();
  const double since = std::chrono::duration<double>(now - shown_).count();
  if (since < (is_terminal_ ? 0.5 : 10.0)) return;
  const double rate = static_cast<double>(answered - shown_answered_) / since;
  print(fmt::format("{}: {} answered, {:.0f} /s{}{}", what_, answered, rate,
                    errors > 0 ? fmt::format(", {} ERRORS", errors) : "",
                    seconds_left > 0 ? fmt::format(", {:.0f} s left", seconds_left) : ""),
        false);
  shown_ = now;
  shown_answered_ = answered;
}

void progress::end(const std::string& result) {
  print(fmt::format("{}: {}", what_, result), true);
}

}  // namespace vexfs::bench
