// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <sys/types.h>

#include "bench/vexbench/exit_code.h"
#include "bench/vexbench/scenario.h"
#include "bench/vexbench/target.h"

namespace vexfs::bench {

/// A server that vexbench starts and ends itself: by its process id, never by a name.
class server_process {
 public:
  server_process(const server_spec& how, const target& at) : how_(how), at_(at) {}
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  /// Empties the storage folder, if it is one that vexbench made or that is not there yet.
  [[nodiscard]] outcome<void> prepare_storage() const;
  /// Returns when GET /readyz is answered with 200; how long that took from the exec.
  [[nodiscard]] outcome<double> start(const std::atomic<bool>& interrupted);
  /// SIGKILL, or SIGTERM and waiting; returns when the process is gone.
  void kill();
  [[nodiscard]] outcome<void> stop();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  const server_spec& how_;
  const target& at_;
  pid_t pid_ = -1;
  std::string log_file_;
};

}  // namespace vexfs::bench
