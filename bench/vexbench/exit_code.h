// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace vexfs::bench {

/// What vexbench ends with: part of its interface, listed in README.md.
enum class exit_code : int {
  ok = 0,
  failed = 1,         // the machine's fault: a file, memory, io_uring
  usage = 2,          // the command line or the scenario file
  wrong_url = 3,      // not a URL, or a host that does not resolve
  no_connection = 4,  // refused, unreachable, or lost and not to be had again
  error_status = 5,   // the target answered with a status that is not 2xx
  too_few_points = 6,
  check_failed = 7,  // a row of the scenario's table misses what it must reach (--check)
  too_noisy = 8,     // the machine was too noisy for the figures to mean anything (--quiet-machine)
  interrupted = 130,  // Ctrl-C; what was measured until then is written
};

struct failure {
  exit_code code;
  std::string text;
};

/// What bench's functions return that can fail; core's result<T> has no exit codes.
template <class T>
using outcome = std::expected<T, failure>;

[[nodiscard]] inline std::unexpected<failure> fail_with(exit_code code, std::string text) {
  return std::unexpected<failure>(failure{code, std::move(text)});
}

}  // namespace vexfs::bench
