// SPDX-License-Identifier: Apache-2.0
// Asio says when a descriptor is ready, and this file makes the system call then. No buffer is ever
// in Asio's hands, so that a cancelled operation ends at once and nothing outlives its owner.
#include "core/io/epoll_transport.h"

#include <cerrno>
#include <chrono>
#include <exception>
#include <expected>
#include <string>
#include <vector>

// A context runs on its core alone, so its handlers need no fences, which GCC's TSan does not know.
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/io/task.h"

namespace vexfs::io {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Of one listening socket, before others have their turn.
constexpr int accepts_of_turn_max = 64;

/// Asio's records of waits come from the lists of coroutine frames, not from the heap.
template <class T>
struct frame_allocator {
  using value_type = T;
  frame_allocator() = default;
  template <class Other>
  explicit frame_allocator(const frame_allocator<Other>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(allocate_frame(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) { free_frame(memory, count * sizeof(T)); }
  bool operator==(const frame_allocator&) const = default;
};

enum class action : std::uint8_t { accept, receive_pooled, receive_in_place, read_event, send };

/// What a descriptor takes, or what it gives.
struct half {
  completion* operation = nullptr;
  action kind{};
  std::span<std::byte> into{};
  std::span<const std::byte> from{};
  std::size_t sent_bytes = 0;
  bool waiting = false;  // for readiness; a wait whose operation was cancelled serves the next one
};

struct endpoint {
  explicit endpoint(asio::io_context& context) : descriptor(context) {}
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> descriptor;
  half taking;
  half giving;
};

int status_of(ssize_t outcome) {
  return outcome < 0 ? -errno : static_cast<int>(outcome);
}

class epoll_transport final : public transport {
 public:
  epoll_transport() {
    for (std::uint32_t index = 0; index < receive_buffer_count; ++index)
      free_buffers_.push_back(index);
  }
  // Descriptors that are open still belong to who opened them.
  ~epoll_transport() override {
    for (const auto& known : endpoints_)
      if (known) known->descriptor.release();
  }

  void accept_multishot(int socket, completion& done) override {
    start(socket, &endpoint::taking, {.operation = &done, .kind = action::accept});
  }
  void receive_multishot(int socket, completion& done) override {
    start(socket, &endpoint::taking, {.operation = &done, .kind = action::receive_pooled});
  }
  void receive(int socket, std::span<std::byte> into, completion& done) override {
    start(socket, &endpoint::taking,
          {.operation = &done, .kind = action::receive_in_place, .into = into});
  }
  void send(int socket, std::span<const std::byte> bytes, completion& done) override {
    start(socket, &endpoint::giving, {.operation = &done, .kind = action::send, .from = bytes});
  }
  void read_event(int event, std::uint64_t& counter, completion& done) override {
    start(event, &endpoint::taking,
          {.operation = &done,
           .kind = action::read_event,
           .into = std::as_writable_bytes(std::span(&counter, 1))});
  }

  void sync_data(int file, completion& done) override {
    asio::post(files_, [this, file, &done] { end_file(done, status_of(::fdatasync(file))); });
  }
  void read_file(int file, std::uint64_t offset, std::span<std::byte> into,
                 completion& done) override {
    // What is in memory is taken at once; the disk is waited for elsewhere.
    const iovec place{into.data(), into.size()};
    const auto at = static_cast<off_t>(offset);
    const int status = status_of(::preadv2(file, &place, 1, at, RWF_NOWAIT));
    if (status != -EAGAIN && status != -EOPNOTSUPP) {
      ended_.push_back({&done, status, no_buffer, false});
      return;
    }
    asio::post(files_, [this, file, at, into, &done] {
      end_file(done, status_of(::pread(file, into.data(), into.size(), at)));
    });
  }

  void cancel(int descriptor, completion& operation) override {
    const auto index = static_cast<std::size_t>(descriptor);
    if (index >= endpoints_.size() || !endpoints_[index]) return;
    for (half* way : {&endpoints_[index]->taking, &endpoints_[index]->giving})
      if (way->operation == &operation) end(*way, -ECANCELED);
  }

  void close(int descriptor) override {
    const auto index = static_cast<std::size_t>(descriptor);
    if (index < endpoints_.size() && endpoints_[index]) {
      endpoint& gone = *endpoints_[index];
      VEXFS_DASSERT(!gone.taking.operation && !gone.giving.operation);
      gone.descriptor.release();
      endpoints_[index].reset();  // handlers of its waits may keep it for a while
    }
    ::close(descriptor);
  }

  void recycle(std::uint32_t index) override { free_buffers_.push_back(index); }

  void submit() override {
    for (const int descriptor : queued_)
      begin(descriptor);
    queued_.clear();
  }
  void submit_and_wait(std::optional<std::int64_t> wait_ns) override {
    submit();
    if (!ended_.empty()) wait_ns = 0;
    if (!wait_ns)
      context_.run_one();
    else if (*wait_ns > 0)
      context_.run_one_for(std::chrono::nanoseconds(*wait_ns));
    context_.poll();
  }

 private:
  void start(int descriptor, half endpoint::* way, half given) {
    const auto index = static_cast<std::size_t>(descriptor);
    if (index >= endpoints_.size()) endpoints_.resize(index + 1);
    if (!endpoints_[index]) {
      auto made = std::make_shared<endpoint>(context_);
      error_code code;
      made->descriptor.assign(descriptor, code);
      if (code) {
        ended_.push_back({given.operation, -code.value(), no_buffer, false});
        return;
      }
      endpoints_[index] = std::move(made);
    }
    half& slot = *endpoints_[index].*way;
    VEXFS_DASSERT(!slot.operation);
    given.waiting = slot.waiting;
    slot = given;
    queued_.push_back(descriptor);
  }

  /// From the thread that does what blocks.
  void end_file(completion& done, int status) {
    asio::post(context_,
               [this, status, &done] { ended_.push_back({&done, status, no_buffer, false}); });
  }

  void end(half& way, int result) {
    ended_.push_back({std::exchange(way.operation, nullptr), result, no_buffer, false});
  }

  // A send mostly has room at once; for what comes in, readiness is waited for first. Everything
  // that is taken in belongs to the next turn, so one descriptor is served once a turn at most.
  void begin(int descriptor) {
    const std::shared_ptr<endpoint>& at = endpoints_[static_cast<std::size_t>(descriptor)];
    if (!at) return;  // closed since it was queued
    if (at->taking.operation && !at->taking.waiting) wait(at, &endpoint::taking);
    if (at->giving.operation && !at->giving.waiting && !go_on(descriptor, at->giving))
      wait(at, &endpoint::giving);
  }

  void wait(const std::shared_ptr<endpoint>& at, half endpoint::* way) {
    (*at.*way).waiting = true;
    at->descriptor.async_wait(
        way == &endpoint::taking ? asio::posix::descriptor_base::wait_read
                                 : asio::posix::descriptor_base::wait_write,
        asio::bind_allocator(frame_allocator<void>(), [this, at, way](const error_code& code) {
          half& ready = *at.*way;
          ready.waiting = false;
          if (!ready.operation) return;  // cancelled, perhaps closed
          const int descriptor = at->descriptor.native_handle();
          if (code)
            end(ready, -code.value());
          else if (!go_on(descriptor, ready))
            queued_.push_back(descriptor);
        }));
  }

  /// One try. False where the operation goes on.
  bool go_on(int descriptor, half& way) {
    switch (way.kind) {
      case action::accept:
        return accept_some(descriptor, way);
      case action::receive_pooled:
        return receive_pooled(descriptor, way);
      case action::receive_in_place:
        return end_unless_early(
            way, status_of(::recv(descriptor, way.into.data(), way.into.size(), MSG_DONTWAIT)));
      case action::read_event:
        return end_unless_early(way,
                                status_of(::read(descriptor, way.into.data(), way.into.size())));
      case action::send:
        return send_some(descriptor, way);
    }
    return true;
  }

  bool end_unless_early(half& way, int status) {
    if (status == -EAGAIN) return false;
    end(way, status);
    return true;
  }

  bool accept_some(int listener, half& way) {
    for (int count = 0; count < accepts_of_turn_max; ++count) {
      const int status = status_of(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      if (status < 0) return end_unless_early(way, status);
      ended_.push_back({way.operation, status, no_buffer, true});
    }
    return false;
  }

  bool receive_pooled(int socket, half& way) {
    if (free_buffers_.empty()) return end_unless_early(way, -ENOBUFS);
    const std::uint32_t index = free_buffers_.back();
    const auto room = writable_buffer(index);
    const int status = status_of(::recv(socket, room.data(), room.size(), MSG_DONTWAIT));
    if (status <= 0) return end_unless_early(way, status);
    free_buffers_.pop_back();
    ended_.push_back({way.operation, status, index, true});
    return false;
  }

  bool send_some(int socket, half& way) {
    for (;;) {
      const auto rest = way.from.subspan(way.sent_bytes);
      const int status =
          status_of(::send(socket, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
      if (status == -EAGAIN) return false;
      if (status > 0) way.sent_bytes += static_cast<std::size_t>(status);
      if (status > 0 && way.sent_bytes < way.from.size()) continue;
      end(way, way.sent_bytes > 0 ? static_cast<int>(way.sent_bytes) : status);
      return true;
    }
  }

  asio::io_context context_{1};  // one thread runs it; those of files_ post to it
  asio::executor_work_guard<asio::io_context::executor_type> open_end_{context_.get_executor()};
  std::vector<std::shared_ptr<endpoint>> endpoints_;  // by descriptor
  std::vector<int> queued_;                           // have something to begin
  std::vector<std::uint32_t> free_buffers_;
  asio::thread_pool files_{2};  // last: is joined before what its work uses goes
};

}  // namespace

result<std::unique_ptr<transport>> open_epoll_transport() {
  // Asio reports what it cannot set up by exceptions: they end here.
  try {
    return std::make_unique<epoll_transport>();
  } catch (const std::exception& refused) {
    return fail(errc::service, std::string("epoll: ") + refused.what() +
                                   ": raise 'ulimit -n' and the limit of threads ('ulimit -u', or "
                                   "the container's pids limit)");
  }
}

}  // namespace vexfs::io
