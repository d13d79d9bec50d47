// SPDX-License-Identifier: Apache-2.0
// The front end alone: what one request costs when the handler has its answer ready.
// Usage: hello_server PORT [CORES [ANSWER_BODY_BYTES [epoll]]]
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bench/http/routed_service.h"
#include "core/io/loop.h"
#include "net/http/server.h"

namespace vexfs::http {
namespace {

class hello_service final : public routed_service {
 public:
  explicit hello_service(std::size_t body_bytes) : content(body_bytes, 'x') {
    const auto answer = [](exchange& call, void* context) {
      call.answer.ready_body = static_cast<hello_service*>(context)->content;
      call.finish();
    };
    for (const char* pattern :
         {"/", "/healthz", "/collections", "/collections/{name}", "/collections/{name}/points",
          "/collections/{name}/points/search", "/collections/{name}/exists"})
      routes.add(method::get, pattern, answer, this);
    routes.add(method::put, "/collections/{name}/points", answer, this);
  }

 private:
  std::string content;
};

io::loop_group* running = nullptr;

int serve(std::uint16_t port, std::uint32_t core_count, std::size_t body_bytes,
          io::transport_kind kind) {
  auto group = io::loop_group::create(core_count, kind);
  if (!group) {
    std::fprintf(stderr, "%s\n", group.error().text.c_str());
    return 1;
  }
  hello_service answers(body_bytes);
  auto listening =
      server::listen({.host = "127.0.0.1", .port = port, .limits = {}}, answers, core_count);
  if (!listening) {
    std::fprintf(stderr, "%s\n", listening.error().text.c_str());
    return 1;
  }
  running = group->get();
  const auto interrupted = [](int) { running->stop(); };
  std::signal(SIGINT, interrupted);
  std::signal(SIGTERM, interrupted);
  const auto outcome = (*group)->run(
      [](io::loop& core, void* given) -> result<void> {
        static_cast<server*>(given)->start(core);
        return {};
      },
      listening->get());
  if (!outcome) std::fprintf(stderr, "%s\n", outcome.error().text.c_str());
  std::fflush(nullptr);
  std::_Exit(outcome ? 0 : 1);  // connections that are open are not drained: nothing to keep
}

}  // namespace
}  // namespace vexfs::http

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: hello_server PORT [CORES [ANSWER_BODY_BYTES [epoll]]]\n");
    return 2;
  }
  const auto number = [&](int place, unsigned long otherwise) {
    return argc > place ? std::strtoul(argv[place], nullptr, 10) : otherwise;
  };
  const bool epoll = argc > 4 && std::string_view(argv[4]) == "epoll";
  const auto kind = epoll ? vexfs::io::transport_kind::epoll : vexfs::io::transport_kind::uring;
  return vexfs::http::serve(static_cast<std::uint16_t>(number(1, 0)),
                            static_cast<std::uint32_t>(number(2, 1)), number(3, 58), kind);
}
