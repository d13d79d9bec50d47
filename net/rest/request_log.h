// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "net/http/exchange.h"

namespace vexfs::rest {

enum class request_severity : std::uint8_t { usual, slow, failed };

struct request_log_config {
  /// Takes one line, on any core. nullptr: nothing is told.
  void (*write)(request_severity severity, std::string_view line) = nullptr;
  bool usual_ones = false;  // requests that are neither slow nor failed, too
  std::chrono::nanoseconds slow{1'200'000'000};
};

/// Tells what requests came to, a line each, with the client's x-request-id or a number of our own:
/// failures of the server, slow ones, and all of them where that is asked for. Thread-safe.
class request_log {
 public:
  explicit request_log(const request_log_config& config) : config_(config) {}

  /// The answer is complete.
  void answered(const http::exchange& call);

 private:
  const request_log_config config_;
  std::atomic<std::uint64_t> told_{0};
};

}  // namespace vexfs::rest
