// SPDX-License-Identifier: Apache-2.0
#pragma once

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

  explicit control_client(const target& server) : server_(server) {}
  ~control_client();
  control_client(const control_client&) = delete;
  control_client& operator=(const control_client&) = delete;

  void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }
  /// Any status is an answer; a failure is a connection that is not there or does not answer.
  [[nodiscard]] outcome<answer> ask(std::string_view method, std::string_view path,
                                    std::string_view body = {});
  /// The body of a 2xx; anything else is a failure that quotes the answer.
  [[nodiscard]] outcome<std::string> demand(std::string_view method, std::string_view path,
                                            std::string_view body = {});

 private:
  [[nodiscard]] outcome<answer> ask_once(std::string_view request);
  void close();

  const target& server_;
  std::chrono::milliseconds timeout_{60'000};
  int socket_ = -1;
};

/// What is said of an answer that is not 2xx.
[[nodiscard]] std::string describe_status(std::string_view what, int status, std::string_view body);

}  // namespace vexfs::bench
