// SPDX-License-Identifier: Apache-2.0
#include "core/io/ring.h"

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/limits.h"

namespace vexfs::io {
namespace {

struct outcome {
  int result;
  std::uint32_t buffer;
  bool more;
};

struct recorded : completion {
  std::vector<outcome> outcomes;
  recorded() {
    done = [](completion& self, int result, std::uint32_t buffer, bool more) {
      static_cast<recorded&>(self).outcomes.push_back({result, buffer, more});
    };
  }
};

class ring_test : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = ring::open();
    ASSERT_TRUE(opened) << opened.error().text;
    ring_ = std::move(*opened);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_.data()), 0);
  }
  void TearDown() override {
    ring_.reset();
    for (const int socket : pair_)
      ::close(socket);
  }
  void run_until(const recorded& waited, std::size_t count) {
    for (int turn = 0; turn < 10'000 && waited.outcomes.size() < count; ++turn) {
      ring_->submit_and_wait(10'000'000);
      ring_->run_completions();
    }
    ASSERT_GE(waited.outcomes.size(), count);
  }
  void say(std::string_view text) {
    ASSERT_EQ(::write(pair_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::unique_ptr<ring> ring_;
  std::array<int, 2> pair_{-1, -1};
};

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

TEST_F(ring_test, a_multishot_receive_fills_buffers_of_the_pool_until_it_is_cancelled) {
  recorded received;
  ring_->receive_multishot(pair_[0], received);
  for (const std::string text : {"first", "and second"}) {
    const std::size_t before = received.outcomes.size();
    ring_->submit_and_wait(0);
    say(text);
    run_until(received, before + 1);
    const outcome& last = received.outcomes.back();
    ASSERT_EQ(last.result, static_cast<int>(text.size()));
    ASSERT_TRUE(last.more);
    const auto bytes = ring_->buffer(last.buffer).first(text.size());
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), text);
    ring_->recycle(last.buffer);
  }
  ring_->cancel(received);
  run_until(received, 3);
  EXPECT_EQ(received.outcomes.back().result, -ECANCELED);
  EXPECT_FALSE(received.outcomes.back().more);
}

TEST_F(ring_test, the_pool_can_be_used_up_and_given_back_any_number_of_times) {
  recorded received;
  ring_->receive_multishot(pair_[0], received);
  for (std::uint32_t i = 0; i < 3 * receive_buffer_count; ++i) {
    say("x");
    run_until(received, 1);
    const outcome got = received.outcomes.back();
    received.outcomes.clear();
    ASSERT_EQ(got.result, 1);
    ring_->recycle(got.buffer);
  }
  // Without giving back it ends with -ENOBUFS, and goes on when it is started again.
  std::vector<std::uint32_t> held;
  bool out_of_buffers = false;
  for (std::uint32_t i = 0; i <= receive_buffer_count && !out_of_buffers; ++i) {
    say("x");
    run_until(received, 1);
    const outcome got = received.outcomes.back();
    received.outcomes.clear();
    if (got.result == 1)
      held.push_back(got.buffer);
    else
      out_of_buffers = got.result == -ENOBUFS && !got.more;
  }
  EXPECT_TRUE(out_of_buffers);
  EXPECT_EQ(held.size(), receive_buffer_count);
  for (const std::uint32_t buffer : held)
    ring_->recycle(buffer);
  ring_->receive_multishot(pair_[0], received);
  run_until(received, 1);
  EXPECT_EQ(received.outcomes.back().result, 1);
}

TEST_F(ring_test, a_send_completes_when_all_of_it_is_gone_even_if_the_peer_is_slow) {
  const std::string text(4 << 20, 't');
  recorded sent;
  ring_->send(pair_[0], bytes_of(text), sent);
  std::string seen;
  std::vector<char> part(100'000);
  while (seen.size() < text.size()) {
    ring_->submit_and_wait(0);
    ring_->run_completions();
    const ssize_t count = ::recv(pair_[1], part.data(), part.size(), MSG_DONTWAIT);
    if (count > 0) seen.append(part.data(), static_cast<std::size_t>(count));
  }
  run_until(sent, 1);
  EXPECT_EQ(sent.outcomes.front().result, static_cast<int>(text.size()));
  EXPECT_EQ(seen, text);
}

TEST_F(ring_test, an_operation_on_a_closed_peer_ends_with_an_error_not_a_signal) {
  ::shutdown(pair_[1], SHUT_RDWR);
  recorded sent;
  ring_->send(pair_[0], bytes_of("x"), sent);
  run_until(sent, 1);
  EXPECT_EQ(sent.outcomes.front().result, -EPIPE);
}

// More operations than the submission queue and the completion queue hold, all prepared in one go.
TEST_F(ring_test, a_full_queue_is_submitted_and_nothing_is_lost) {
  constexpr std::uint32_t count = ring_cq_entries + 3 * ring_sq_entries;
  const int event = ::eventfd(count, EFD_CLOEXEC | EFD_SEMAPHORE);
  std::vector<recorded> reads(count);
  std::uint64_t counter = 0;
  for (recorded& read : reads)
    ring_->read_event(event, counter, read);
  std::size_t ended = 0;
  for (int turn = 0; turn < 10'000 && ended < count; ++turn) {
    ring_->submit_and_wait(0);
    ring_->run_completions();
    ended = 0;
    for (const recorded& read : reads)
      ended += read.outcomes.size();
  }
  EXPECT_EQ(ended, count);
  ::close(event);
}

TEST_F(ring_test, handlers_run_only_when_asked_and_may_start_operations) {
  struct chained : completion {
    ring* on = nullptr;
    int event = -1;
    std::uint64_t counter = 0;
    int runs = 0;
  } chain;
  chain.on = ring_.get();
  chain.event = ::eventfd(5, EFD_CLOEXEC | EFD_SEMAPHORE);
  chain.done = [](completion& self, int, std::uint32_t, bool) {
    auto& link = static_cast<chained&>(self);
    if (++link.runs < 5) link.on->read_event(link.event, link.counter, link);
  };
  ring_->read_event(chain.event, chain.counter, chain);
  ring_->submit_and_wait(10'000'000);
  EXPECT_EQ(chain.runs, 0);
  for (int turn = 0; turn < 1000 && chain.runs < 5; ++turn) {
    const int before = chain.runs;
    ring_->run_completions();
    ASSERT_LE(chain.runs, before + 1) << "a handler ran inside another one's turn";
    ring_->submit_and_wait(10'000'000);
  }
  EXPECT_EQ(chain.runs, 5);
  ::close(chain.event);
}

TEST_F(ring_test, a_wait_ends_at_its_time_without_any_event) {
  ring_->submit_and_wait(1'000'000);
  ring_->run_completions();
}

TEST_F(ring_test, accepted_connections_come_one_completion_each) {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::listen(listener, 16), -1) << "not bound yet";
  sockaddr address{};
  address.sa_family = AF_UNIX;
  // Linux gives a socket that binds to the family alone a name of its own.
  ASSERT_EQ(::bind(listener, &address, sizeof(address.sa_family)), 0);
  ASSERT_EQ(::listen(listener, 16), 0);
  std::array<char, 128> name{};
  socklen_t size = name.size();
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(name.data()), &size), 0);
  recorded accepted;
  ring_->accept_multishot(listener, accepted);
  ring_->submit_and_wait(0);
  std::vector<int> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(clients.back(), reinterpret_cast<const sockaddr*>(name.data()), size), 0);
    run_until(accepted, i + 1);
    EXPECT_GE(accepted.outcomes.back().result, 0);
    EXPECT_TRUE(accepted.outcomes.back().more);
  }
  for (const outcome& each : accepted.outcomes)
    ring_->close(each.result);
  ring_->cancel(accepted);
  run_until(accepted, 4);
  for (const int client : clients) {
    char byte = 0;
    EXPECT_EQ(::recv(client, &byte, 1, 0), 0) << "the ring has closed its side";
    ::close(client);
  }
  ::close(listener);
}

}  // namespace
}  // namespace vexfs::io
