// SPDX-License-Identifier: Apache-2.0
// The yardstick of HTTP rates: one thread and one io_uring that answer every blank line with the
// same bytes. No parsing, no routing, no timeouts: what the kernel and the socket cost alone.
// Usage: bare_ring PORT [ANSWER_BODY_BYTES]
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr unsigned buffer_count = 1024;
constexpr unsigned buffer_bytes = 16 * 1024;
constexpr std::uint16_t buffer_group = 1;
constexpr std::string_view end_of_head = "\r\n\r\n";

enum class kind : std::uint8_t { accept, receive, send };

struct client {
  std::string out;  // answers that wait for the send that is going on
  std::string sending;
  std::size_t matched = 0;  // bytes of end_of_head seen at the end of what was received
  bool busy = false;
  bool dirty = false;
};

class bare_ring {
 public:
  explicit bare_ring(std::size_t body_bytes)
      : answer_("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'x')),
        clients_(65536),
        pool_(std::make_unique<char[]>(std::size_t{buffer_count} * buffer_bytes)) {}

  bool open(std::uint16_t port) {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                   IORING_SETUP_COOP_TASKRUN | IORING_SETUP_CQSIZE;
    params.cq_entries = 8192;
    if (io_uring_queue_init_params(2048, &ring_, &params) != 0) return false;
    io_uring_register_ring_fd(&ring_);
    buffers_ = static_cast<io_uring_buf_ring*>(
        std::aligned_alloc(4096, buffer_count * sizeof(io_uring_buf)));
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(buffers_);
    registration.ring_entries = buffer_count;
    registration.bgid = buffer_group;
    if (!buffers_ || io_uring_register_buf_ring(&ring_, &registration, 0) != 0) return false;
    io_uring_buf_ring_init(buffers_);
    for (unsigned index = 0; index < buffer_count; ++index)
      give_back(index);

    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int one = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
           ::listen(listener_, 1024) == 0;
  }

  void run() {
    arm_accept();
    for (;;) {
      io_uring_submit_and_wait(&ring_, 1);
      io_uring_cqe* cqe = nullptr;
      unsigned head = 0;
      unsigned count = 0;
      io_uring_for_each_cqe(&ring_, head, cqe) {
        ++count;
        completed(*cqe);
      }
      io_uring_cq_advance(&ring_, count);
      for (const int socket : dirty_)
        send(socket);
      dirty_.clear();
    }
  }

 private:
  io_uring_sqe* next_sqe(kind what, int socket) {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    while (!sqe) {
      io_uring_submit(&ring_);
      sqe = io_uring_get_sqe(&ring_);
    }
    sqe->user_data = static_cast<std::uint64_t>(socket) << 8 | static_cast<std::uint64_t>(what);
    return sqe;
  }

  // io_uring_prep_* clear user_data in some versions: it is set after them.
  void arm_accept() {
    io_uring_sqe* sqe = next_sqe(kind::accept, 0);
    const auto data = sqe->user_data;
    io_uring_prep_multishot_accept(sqe, listener_, nullptr, nullptr, 0);
    sqe->user_data = data;
  }
  void arm_receive(int socket) {
    io_uring_sqe* sqe = next_sqe(kind::receive, socket);
    const auto data = sqe->user_data;
    io_uring_prep_recv_multishot(sqe, socket, nullptr, 0, 0);
    sqe->user_data = data;
    sqe->flags = static_cast<std::uint8_t>(sqe->flags | IOSQE_BUFFER_SELECT);
    sqe->buf_group = buffer_group;
  }
  void send(int socket) {
    client* target = clients_[static_cast<std::size_t>(socket)].get();
    if (!target) return;
    target->dirty = false;
    if (target->busy || target->out.empty()) return;
    std::swap(target->sending, target->out);
    target->busy = true;
    io_uring_sqe* sqe = next_sqe(kind::send, socket);
    const auto data = sqe->user_data;
    io_uring_prep_send(sqe, socket, target->sending.data(), target->sending.size(),
                       MSG_NOSIGNAL | MSG_WAITALL);
    sqe->user_data = data;
  }

  void give_back(unsigned index) {
    io_uring_buf_ring_add(buffers_, pool_.get() + std::size_t{index} * buffer_bytes, buffer_bytes,
                          static_cast<unsigned short>(index), io_uring_buf_ring_mask(buffer_count),
                          0);
    io_uring_buf_ring_advance(buffers_, 1);
  }

  void completed(const io_uring_cqe& cqe) {
    const int socket = static_cast<int>(cqe.user_data >> 8);
    const bool more = (cqe.flags & IORING_CQE_F_MORE) != 0;
    switch (static_cast<kind>(cqe.user_data & 0xff)) {
      case kind::accept: {
        if (cqe.res >= 0) {
          const int one = 1;
          ::setsockopt(cqe.res, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
          clients_[static_cast<std::size_t>(cqe.res)] = std::make_unique<client>();
          arm_receive(cqe.res);
        }
        if (!more) arm_accept();
        return;
      }
      case kind::receive: {
        if (cqe.res > 0) {
          const unsigned index = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
          received(socket, {pool_.get() + std::size_t{index} * buffer_bytes,
                            static_cast<std::size_t>(cqe.res)});
          give_back(index);
        } else if (cqe.res != -ENOBUFS) {
          ::close(socket);
          clients_[static_cast<std::size_t>(socket)].reset();
          return;
        }
        if (!more) arm_receive(socket);
        return;
      }
      case kind::send: {
        client* target = clients_[static_cast<std::size_t>(socket)].get();
        if (!target) return;
        target->busy = false;
        if (cqe.res >= 0 && static_cast<std::size_t>(cqe.res) < target->sending.size())
          target->out.insert(0, target->sending.substr(static_cast<std::size_t>(cqe.res)));
        target->sending.clear();
        if (!target->out.empty()) mark(socket, *target);
        return;
      }
    }
  }

  void received(int socket, std::string_view bytes) {
    client& from = *clients_[static_cast<std::size_t>(socket)];
    // The rest of an end that was cut, then whole ones.
    while (from.matched != 0 && !bytes.empty()) {
      from.matched = bytes.front() == end_of_head[from.matched] ? from.matched + 1 : 0;
      bytes.remove_prefix(1);
      if (from.matched == end_of_head.size()) {
        from.matched = 0;
        from.out.append(answer_);
      }
    }
    for (std::size_t end = bytes.find(end_of_head); end != std::string_view::npos;
         end = bytes.find(end_of_head)) {
      bytes.remove_prefix(end + end_of_head.size());
      from.out.append(answer_);
    }
    for (std::size_t size = end_of_head.size() - 1; size > 0 && from.matched == 0; --size)
      if (bytes.ends_with(end_of_head.substr(0, size))) from.matched = size;
    if (!from.out.empty()) mark(socket, from);
  }

  void mark(int socket, client& with_answers) {
    if (with_answers.dirty || with_answers.busy) return;
    with_answers.dirty = true;
    dirty_.push_back(socket);
  }

  const std::string answer_;
  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  int listener_ = -1;
  std::vector<std::unique_ptr<client>> clients_;
  std::unique_ptr<char[]> pool_;
  std::vector<int> dirty_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bare_ring PORT [ANSWER_BODY_BYTES]\n");
    return 2;
  }
  bare_ring server(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 58);
  if (!server.open(static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10)))) {
    std::perror("bare_ring");
    return 1;
  }
  server.run();
}
