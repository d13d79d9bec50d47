// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/control_client.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace vexfs::bench {

std::string describe_status(std::string_view what, int status, std::string_view body) {
  constexpr std::size_t quoted_bytes_max = 400;
  return fmt::format("{} was answered {}: {}", what, status,
                     body.empty() ? "(no text)" : body.substr(0, quoted_bytes_max));
}

control_client::~control_client() {
  close();
}

void control_client::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

// In short waits, so that Ctrl-C is heard whichever thread the signal reaches.
bool control_client::wait_for(short events, std::chrono::steady_clock::time_point deadline) const {
  constexpr int wait_ms = 50;
  while (std::chrono::steady_clock::now() < deadline && !(interrupted_ && *interrupted_)) {
    pollfd waiting{socket_, events, 0};
    if (::poll(&waiting, 1, wait_ms) > 0) return true;
  }
  return false;
}

std::unexpected<failure> control_client::lost(std::string_view why) const {
  if (interrupted_ && *interrupted_) return fail_with(exit_code::interrupted, "interrupted");
  return fail_with(exit_code::no_connection,
                   fmt::format("the connection to {} was lost: {}", server_.url, why));
}

outcome<control_client::answer> control_client::ask_once(std::string_view request) {
  if (socket_ < 0) {
    auto made = server_.connect();
    if (!made) return std::unexpected(made.error());
    socket_ = *made;
  }
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::duration_cast<std::chrono::steady_clock::duration>(timeout_);
  was_stale_ = false;
  while (!request.empty()) {
    const auto sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      request.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(POLLOUT, deadline)) return lost("it does not take the request in time");
    } else if (errno != EINTR) {
      was_stale_ = true;
      return lost(std::strerror(errno));
    }
  }
  answer_parser parsing;
  parsing.start(true);
  std::array<char, 64 * 1024> buffer;
  for (bool has_begun = false;;) {
    const auto got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) {
      if (wait_for(POLLIN, deadline)) continue;
      return lost("no answer in time");
    }
    was_stale_ = got <= 0 && !has_begun;
    has_begun = true;
    if (got < 0) return lost(std::strerror(errno));
    bool whole = false;
    if (got == 0) {
      if (!parsing.finish()) return lost("it closed without an answer");
      whole = true;
    } else {
      std::size_t used = 0;
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      switch (parsing.feed(bytes, used)) {
        case answer_parser::outcome::bad:
          return lost(parsing.fault());
        case answer_parser::outcome::more:
          break;
        case answer_parser::outcome::complete:
          whole = true;
          break;
      }
    }
    if (!whole) continue;
    if (parsing.closes()) close();
    return answer{parsing.status(), parsing.body()};
  }
}

outcome<control_client::answer> control_client::ask(std::string_view method, std::string_view path,
                                                    std::string_view body) {
  const std::string request = server_.request(method, path, body);
  // A kept connection may have been closed meanwhile: that is found out by using it.
  const bool was_kept = socket_ >= 0;
  auto answered = ask_once(request);
  if (!answered) close();
  if (!answered && was_kept && was_stale_) {
    answered = ask_once(request);
    if (!answered) close();
  }
  return answered;
}

outcome<std::string> control_client::demand(std::string_view method, std::string_view path,
                                            std::string_view body) {
  auto answered = ask(method, path, body);
  if (!answered) return std::unexpected(std::move(answered).error());
  if (!answered->is_success())
    return fail_with(exit_code::error_status, describe_status(fmt::format("{} {}", method, path),
                                                              answered->status, answered->body));
  return std::move(answered->body);
}

}  // namespace vexfs::bench
