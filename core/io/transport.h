// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "core/base/limits.h"
#include "core/base/result.h"

namespace vexfs::io {

/// What a transport hands back when an operation ends: intrusive, lives in the object that started
/// the operation and stays alive until its last completion (for a multishot one: until a completion
/// without `more`). done is called between turns' other work, never while events are taken in.
struct completion {
  /// result: bytes or a descriptor, or -errno. more: this operation will complete again.
  void (*done)(completion&, int result, std::uint32_t buffer, bool more) = nullptr;
};

inline constexpr std::uint32_t no_buffer = UINT32_MAX;

/// A core's way to the operating system for everything it does not wait for in place: sockets,
/// reads and syncs of files, the event that wakes it. Owns the pool of receive buffers. All calls
/// on the core's own thread, which must also be the one that opened it.
///
/// A socket or event has at most one operation under way that takes (accept, receive, read) and one
/// that gives (send); its first operation makes it known, and it is closed by close() or outlives
/// the transport.
class transport {
 public:
  virtual ~transport() = default;
  transport(const transport&) = delete;

  // Operations. Each is begun at the latest by the next submit() or submit_and_wait(), and ends
  // with its completion, in errors too: none of them fails here.
  virtual void accept_multishot(int socket, completion& done) = 0;
  /// Completions carry buffers of the pool; give each back with recycle(). -ENOBUFS: start again.
  virtual void receive_multishot(int socket, completion& done) = 0;
  virtual void receive(int socket, std::span<std::byte> into, completion& done) = 0;
  /// Completes when all bytes are with the kernel, or with fewer after an error.
  virtual void send(int socket, std::span<const std::byte> bytes, completion& done) = 0;
  virtual void sync_data(int file, completion& done) = 0;
  /// Reads a file; completes with the number of bytes, which may be fewer than asked for. Any
  /// number of a file's may be under way, and none of them can be cancelled.
  virtual void read_file(int file, std::uint64_t offset, std::span<std::byte> into,
                         completion& done) = 0;
  virtual void read_event(int event, std::uint64_t& counter, completion& done) = 0;
  /// The operation still completes: with -ECANCELED, or as if nothing had happened. A sync cannot
  /// be cancelled.
  virtual void cancel(int descriptor, completion& operation) = 0;
  /// When no operation of the descriptor is under way.
  virtual void close(int descriptor) = 0;
  virtual void recycle(std::uint32_t buffer) = 0;

  /// Begins what is queued, before work that takes long.
  virtual void submit() = 0;
  /// Begins what is queued and takes in what has completed, waiting for the first completion until
  /// `wait_ns` have passed: 0 not at all, nothing forever. No handler runs here.
  virtual void submit_and_wait(std::optional<std::int64_t> wait_ns) = 0;

  /// Runs the handlers of what submit_and_wait() has taken in, in the order of completion; false
  /// where there was nothing.
  bool run_completions();

  [[nodiscard]] std::span<const std::byte> buffer(std::uint32_t index) const {
    VEXFS_DASSERT(index < receive_buffer_count);
    return {pool_.get() + std::size_t{index} * receive_buffer_bytes, receive_buffer_bytes};
  }

 protected:
  struct ended {
    completion* operation;
    int result;
    std::uint32_t buffer;
    bool more;
  };

  transport();
  [[nodiscard]] std::span<std::byte> writable_buffer(std::uint32_t index) {
    return {pool_.get() + std::size_t{index} * receive_buffer_bytes, receive_buffer_bytes};
  }

  std::vector<ended> ended_;  // taken in, not yet run

 private:
  std::unique_ptr<std::byte[]> pool_;
};

enum class transport_kind : std::uint8_t { uring, epoll };

[[nodiscard]] std::string_view name_of(transport_kind kind);

/// The error text says what an operator can change.
[[nodiscard]] result<std::unique_ptr<transport>> open_transport(transport_kind kind);

}  // namespace vexfs::io
