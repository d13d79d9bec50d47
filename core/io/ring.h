// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/base/result.h"

namespace vexfs::io {

/// What the kernel hands back when an operation ends: intrusive, lives in the object that started
/// the operation and stays alive until its last completion (for a multishot one: until a completion
/// without `more`). done is called between turns' other work, never inside the reap.
struct completion {
  /// result: bytes or a descriptor, or -errno. more: this operation will complete again.
  void (*done)(completion&, int result, std::uint32_t buffer, bool more) = nullptr;
};

inline constexpr std::uint32_t no_buffer = UINT32_MAX;

/// One core's io_uring and its pool of receive buffers. The only user of liburing. All calls on the
/// core's own thread, which must also be the one that opened it.
class ring {
 public:
  /// Probes what the server needs; the error text says what an operator can change.
  [[nodiscard]] static result<std::unique_ptr<ring>> open();
  ~ring();

  // Operations. Each is queued and goes to the kernel with the next submit; a full queue is
  // submitted at once, so none of them fails here.
  void accept_multishot(int socket, completion& done);
  /// Completions carry buffers of the pool; give each back with recycle(). -ENOBUFS: start again.
  void receive_multishot(int socket, completion& done);
  void receive(int socket, std::span<std::byte> buffer, completion& done);
  /// Completes when all bytes are with the kernel, or with fewer after an error.
  void send(int socket, std::span<const std::byte> bytes, completion& done);
  void sync_data(int file, completion& done);
  void read_event(int event, std::uint64_t& counter, completion& done);
  /// The operation still completes: with -ECANCELED, or as if nothing had happened.
  void cancel(completion& operation);
  void close(int descriptor);

  [[nodiscard]] std::span<const std::byte> buffer(std::uint32_t index) const;
  void recycle(std::uint32_t index);

  /// Submits what is queued and takes in what has completed, waiting for the first completion until
  /// `wait_ns` have passed: 0 not at all, nothing forever. No handler runs here.
  void submit_and_wait(std::optional<std::int64_t> wait_ns);

  /// Runs the handlers of what submit_and_wait() has taken in, in the order of completion.
  void run_completions();

 private:
  struct state;
  explicit ring(std::unique_ptr<state> opened);
  std::unique_ptr<state> state_;
};

}  // namespace vexfs::io
