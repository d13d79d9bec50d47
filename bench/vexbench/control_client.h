// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "bench/vexbench/answer_parser.h"
#include "bench/vexbench/exit_code.h"
#include "bench/vexbench/target.h"

namespace vexfs::bench {

/// Requests whose time does not matter: creating collections, reading metrics. One at a time, each
/// waits for its answer, on one connection that is made again when the server has closed it.
class control_client {
 public:
  struct answer {
    int status = 0;
    std::string body;
    [[nodiscard]] bool is_success() const { return status >= 200 && status < 300; }
  };

  /// `interrupted`: ends waiting when it becomes true.
  explicit control_client(const target& server, const std::atomic<bool>* interrupted = nullptr)
      : server_(server), interrupted_(interrupted) {}
  ~control_client();
  control_client(const control_client&) = delete;
  control_client& operator=(const control_client&) = delete;

  void set_timeout(double seconds) { timeout_ = std::chrono::duration<double>(seconds); }
  /// Any status is an answer; a failure is a connection that is not there or does not answer.
  [[nodiscard]] outcome<answer> ask(std::string_view method, std::string_view path,
                                    std::string_view body = {});
  /// The body of a 2xx; anything else is a failure that quotes the answer.
  [[nodiscard]] outcome<std::string> demand(std::string_view method, std::string_view path,
                                            std::string_view body = {});

 private:
  [[nodiscard]] outcome<answer> ask_once(std::string_view request);
  // False: the time is up, or it was interrupted.
  [[nodiscard]] bool wait_for(short events, std::chrono::steady_clock::time_point deadline) const;
  [[nodiscard]] std::unexpected<failure> lost(std::string_view why) const;
  void close();

  const target& server_;
  const std::atomic<bool>* interrupted_;
  std::chrono::duration<double> timeout_{60};
  int socket_ = -1;
  bool was_stale_ = false;  // the kept connection had been closed: nothing was answered
};

/// What is said of an answer that is not 2xx.
[[nodiscard]] std::string describe_status(std::string_view what, int status, std::string_view body);

}  // namespace vexfs::bench
