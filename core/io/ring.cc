// SPDX-License-Identifier: Apache-2.0
// The only user of liburing.
#include "core/io/ring.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <liburing.h>
#include <sys/mman.h>

#include "core/base/assert.h"
#include "core/base/limits.h"

namespace vexfs::io {
namespace {

constexpr std::uint16_t receive_group = 1;

// What the server needs, with the kernel version that brought it. Multishot accept (5.19), provided
// buffers as a ring (5.19) and multishot receive (6.0) cannot be probed; that the ring could be
// made with DEFER_TASKRUN (6.1) proves them.
struct needed_feature {
  unsigned flag;
  const char* what;
};
constexpr std::array needed_features{
    needed_feature{IORING_FEAT_NODROP, "lossless completions (5.5)"},
    needed_feature{IORING_FEAT_FAST_POLL, "internal polling (5.7)"},
    needed_feature{IORING_FEAT_EXT_ARG, "waits with a timeout (5.11)"}};

struct needed_opcode {
  int opcode;
  const char* what;
};
constexpr std::array needed_opcodes{needed_opcode{IORING_OP_ACCEPT, "accept (5.5)"},
                                    needed_opcode{IORING_OP_RECV, "recv (5.6)"},
                                    needed_opcode{IORING_OP_SEND, "send (5.6)"},
                                    needed_opcode{IORING_OP_FSYNC, "fsync (5.1)"},
                                    needed_opcode{IORING_OP_READ, "read (5.6)"},
                                    needed_opcode{IORING_OP_CLOSE, "close (5.6)"},
                                    needed_opcode{IORING_OP_ASYNC_CANCEL, "cancel (5.5)"}};

error refusal(int code) {
  switch (code) {
    case EPERM:
    case EACCES:
      return {
          errc::service,
          "io_uring is not allowed here: try 'sysctl -w kernel.io_uring_disabled=0', or run the "
          "container with a seccomp profile that permits io_uring_setup, io_uring_enter and "
          "io_uring_register ('docker run --security-opt seccomp=unconfined' permits them)"};
    case ENOSYS:
      return {errc::service, "this kernel has no io_uring: Linux 6.1 or newer is needed"};
    case EINVAL:
      return {errc::service,
              "this kernel's io_uring lacks SINGLE_ISSUER or DEFER_TASKRUN: Linux 6.1 or newer is "
              "needed"};
    case ENOMEM:
      return {errc::service, "io_uring: out of locked memory: raise 'ulimit -l'"};
    case EMFILE:
    case ENFILE:
      return {errc::service, "io_uring: out of file descriptors: raise 'ulimit -n'"};
    default:
      return {errc::service, std::string("io_uring_queue_init: ") + std::strerror(code)};
  }
}

class ring final : public transport {
 public:
  ~ring() override {
    if (opened_) io_uring_queue_exit(&uring_);
    if (buffers_) munmap(buffers_, receive_buffer_count * sizeof(io_uring_buf));
  }

  result<void> open();

  // A full submission queue is submitted at once.
  void accept_multishot(int socket, completion& done) override {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_multishot_accept(sqe, socket, nullptr, nullptr, 0);
    io_uring_sqe_set_data(sqe, &done);
  }
  void receive_multishot(int socket, completion& done) override {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_recv_multishot(sqe, socket, nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = receive_group;
    io_uring_sqe_set_data(sqe, &done);
  }
  void receive(int socket, std::span<std::byte> into, completion& done) override {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_recv(sqe, socket, into.data(), into.size(), 0);
    io_uring_sqe_set_data(sqe, &done);
  }
  void send(int socket, std::span<const std::byte> bytes, completion& done) override {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_send(sqe, socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_WAITALL);
    io_uring_sqe_set_data(sqe, &done);
  }
  void sync_data(int file, completion& done) override {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_fsync(sqe, file, IORING_FSYNC_DATASYNC);
    io_uring_sqe_set_data(sqe, &done);
  }
  void read_file(int file, std::uint64_t offset, std::span<std::byte> into,
                 completion& done) override {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_read(sqe, file, into.data(), static_cast<unsigned>(into.size()), offset);
    io_uring_sqe_set_data(sqe, &done);
  }
  void read_event(int event, std::uint64_t& counter, completion& done) override {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_read(sqe, event, &counter, sizeof(counter), 0);
    io_uring_sqe_set_data(sqe, &done);
  }
  void cancel(int, completion& operation) override {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_cancel(sqe, &operation, 0);
    io_uring_sqe_set_data(sqe, nullptr);
  }
  void close(int descriptor) override {
    io_uring_sqe* sqe = next_sqe();
    io_uring_prep_close(sqe, descriptor);
    io_uring_sqe_set_data(sqe, nullptr);
  }
  void recycle(std::uint32_t index) override {
    VEXFS_DASSERT(index < receive_buffer_count);
    io_uring_buf_ring_add(buffers_, writable_buffer(index).data(), receive_buffer_bytes,
                          static_cast<unsigned short>(index),
                          io_uring_buf_ring_mask(receive_buffer_count), 0);
    io_uring_buf_ring_advance(buffers_, 1);
  }
  void submit() override {
    if (io_uring_sq_ready(&uring_) != 0) io_uring_submit(&uring_);
  }
  void submit_and_wait(std::optional<std::int64_t> wait_ns) override;

 private:
  // A full submission queue is handed to the kernel until there is room again. The kernel may
  // refuse because too many completions wait, so those are taken in too; their handlers run later.
  io_uring_sqe* next_sqe() {
    for (;;) {
      if (io_uring_sqe* sqe = io_uring_get_sqe(&uring_)) return sqe;
      if (io_uring_submit_and_get_events(&uring_) < 0) reap();
    }
  }

  // Completions wait in the kernel for this thread to fetch them (TASKRUN_FLAG says so).
  bool kernel_has_completions() const {
    const unsigned flags = __atomic_load_n(uring_.sq.kflags, __ATOMIC_RELAXED);
    return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
  }

  void reap();

  io_uring uring_{};
  bool opened_ = false;
  io_uring_buf_ring* buffers_ = nullptr;
};

void ring::reap() {
  io_uring_cqe* cqe = nullptr;
  unsigned head = 0;
  unsigned count = 0;
  io_uring_for_each_cqe(&uring_, head, cqe) {
    ++count;
    auto* operation = static_cast<completion*>(io_uring_cqe_get_data(cqe));
    if (!operation) continue;  // cancel and close: nobody waits
    ended_.push_back({operation, cqe->res,
                      (cqe->flags & IORING_CQE_F_BUFFER) != 0
                          ? cqe->flags >> IORING_CQE_BUFFER_SHIFT
                          : no_buffer,
                      (cqe->flags & IORING_CQE_F_MORE) != 0});
  }
  io_uring_cq_advance(&uring_, count);
}

result<void> ring::open() {
  io_uring_params params{};
  // SINGLE_ISSUER (6.0) and DEFER_TASKRUN (6.1): completions are made when this thread asks for
  // them. TASKRUN_FLAG (5.19) says in shared memory when asking is worth a system call.
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_CQSIZE;
  params.cq_entries = ring_cq_entries;
  if (const int status = io_uring_queue_init_params(ring_sq_entries, &uring_, &params))
    return std::unexpected(refusal(-status));
  opened_ = true;
  for (const needed_feature& needed : needed_features)
    if ((params.features & needed.flag) == 0)
      return fail(errc::service,
                  std::string("io_uring lacks ") + needed.what + ": Linux 6.1 or newer is needed");

  io_uring_probe* probe = io_uring_get_probe_ring(&uring_);
  if (!probe) return fail(errc::service, "io_uring: the kernel does not answer a probe");
  for (const needed_opcode& needed : needed_opcodes) {
    if (io_uring_opcode_supported(probe, needed.opcode)) continue;
    io_uring_free_probe(probe);
    return fail(errc::service,
                std::string("io_uring lacks ") + needed.what + ": Linux 6.1 or newer is needed");
  }
  io_uring_free_probe(probe);
  io_uring_register_ring_fd(&uring_);  // saves a descriptor lookup a call where it works

  // Provided buffers as a ring came with 5.19.
  void* entries = mmap(nullptr, receive_buffer_count * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                       MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (entries == MAP_FAILED) return fail(errc::service, "out of memory for receive buffers");
  buffers_ = static_cast<io_uring_buf_ring*>(entries);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(buffers_);
  registration.ring_entries = receive_buffer_count;
  registration.bgid = receive_group;
  if (const int status = io_uring_register_buf_ring(&uring_, &registration, 0))
    return std::unexpected(refusal(-status));
  io_uring_buf_ring_init(buffers_);
  for (std::uint32_t index = 0; index < receive_buffer_count; ++index)
    recycle(index);
  return {};
}

void ring::submit_and_wait(std::optional<std::int64_t> wait_ns) {
  // next_sqe() may have taken in what this turn's handlers have not seen.
  if (!ended_.empty()) wait_ns = 0;
  // The errors of both calls (a timeout, a signal, a busy kernel) mean the same here: look what has
  // completed, and submit the rest next time.
  if (wait_ns != 0) {
    __kernel_timespec limit{};
    if (wait_ns) limit = {*wait_ns / 1'000'000'000, *wait_ns % 1'000'000'000};
    io_uring_cqe* first = nullptr;
    io_uring_submit_and_wait_timeout(&uring_, &first, 1, wait_ns ? &limit : nullptr, nullptr);
  } else if (io_uring_sq_ready(&uring_) != 0 || kernel_has_completions()) {
    io_uring_submit_and_get_events(&uring_);
  }
  reap();
}

}  // namespace

result<std::unique_ptr<transport>> open_ring() {
  auto made = std::make_unique<ring>();
  VEXFS_CHECK(made->open());
  return made;
}

}  // namespace vexfs::io
