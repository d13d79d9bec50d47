// SPDX-License-Identifier: Apache-2.0
#include "core/io/transport.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
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

class fixture : public testing::Test {
 protected:
  void open(transport_kind kind) {
    auto opened = open_transport(kind);
    ASSERT_TRUE(opened) << opened.error().text;
    transport_ = std::move(*opened);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_.data()), 0);
  }
  void TearDown() override {
    transport_.reset();
    for (const int socket : pair_)
      ::close(socket);
  }
  void run_until(const recorded& waited, std::size_t count) {
    for (int turn = 0; turn < 10'000 && waited.outcomes.size() < count; ++turn) {
      transport_->submit_and_wait(10'000'000);
      transport_->run_completions();
    }
    ASSERT_GE(waited.outcomes.size(), count);
  }
  void say(std::string_view text) {
    ASSERT_EQ(::write(pair_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::unique_ptr<transport> transport_;
  std::array<int, 2> pair_{-1, -1};
};

class transport_test : public fixture, public testing::WithParamInterface<transport_kind> {
 protected:
  void SetUp() override { open(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(over, transport_test,
                         testing::Values(transport_kind::uring, transport_kind::epoll),
                         [](const auto& chosen) { return std::string(name_of(chosen.param)); });

class ring_test : public fixture {
 protected:
  void SetUp() override { open(transport_kind::uring); }
};

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

TEST_P(transport_test, a_wait_does_not_sleep_while_something_taken_in_has_not_run) {
  recorded received;
  transport_->receive_multishot(pair_[0], received);
  say("once");
  transport_->submit_and_wait(std::nullopt);
  transport_->submit_and_wait(std::nullopt);  // nothing more comes: it would never end
  transport_->run_completions();
  ASSERT_EQ(received.outcomes.size(), 1U);
  transport_->recycle(received.outcomes[0].buffer);
}

TEST_P(transport_test, a_multishot_receive_fills_buffers_of_the_pool_until_it_is_cancelled) {
  recorded received;
  transport_->receive_multishot(pair_[0], received);
  for (const std::string text : {"first", "and second"}) {
    const std::size_t before = received.outcomes.size();
    transport_->submit_and_wait(0);
    say(text);
    run_until(received, before + 1);
    const outcome& last = received.outcomes.back();
    ASSERT_EQ(last.result, static_cast<int>(text.size()));
    ASSERT_TRUE(last.more);
    EXPECT_EQ(text_of(transport_->buffer(last.buffer).first(text.size())), text);
    transport_->recycle(last.buffer);
  }
  transport_->cancel(pair_[0], received);
  run_until(received, 3);
  EXPECT_EQ(received.outcomes.back().result, -ECANCELED);
  EXPECT_FALSE(received.outcomes.back().more);
}

TEST_P(transport_test, the_pool_can_be_used_up_and_given_back_any_number_of_times) {
  recorded received;
  transport_->receive_multishot(pair_[0], received);
  for (std::uint32_t i = 0; i < 3 * receive_buffer_count; ++i) {
    say("x");
    run_until(received, 1);
    const outcome got = received.outcomes.back();
    received.outcomes.clear();
    ASSERT_EQ(got.result, 1);
    transport_->recycle(got.buffer);
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
    transport_->recycle(buffer);
  transport_->receive_multishot(pair_[0], received);
  run_until(received, 1);
  EXPECT_EQ(received.outcomes.back().result, 1);
}

TEST_P(transport_test, a_send_completes_when_all_of_it_is_gone_even_if_the_peer_is_slow) {
  const std::string text(4 << 20, 't');
  recorded sent;
  transport_->send(pair_[0], bytes_of(text), sent);
  std::string seen;
  std::vector<char> part(100'000);
  while (seen.size() < text.size()) {
    transport_->submit_and_wait(0);
    transport_->run_completions();
    const ssize_t count = ::recv(pair_[1], part.data(), part.size(), MSG_DONTWAIT);
    if (count > 0) seen.append(part.data(), static_cast<std::size_t>(count));
  }
  run_until(sent, 1);
  EXPECT_EQ(sent.outcomes.front().result, static_cast<int>(text.size()));
  EXPECT_EQ(seen, text);
}

TEST_P(transport_test, an_operation_on_a_closed_peer_ends_with_an_error_not_a_signal) {
  ::shutdown(pair_[1], SHUT_RDWR);
  recorded sent;
  transport_->send(pair_[0], bytes_of("x"), sent);
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
    transport_->read_event(event, counter, read);
  std::size_t ended = 0;
  for (int turn = 0; turn < 10'000 && ended < count; ++turn) {
    transport_->submit_and_wait(0);
    transport_->run_completions();
    ended = 0;
    for (const recorded& read : reads)
      ended += read.outcomes.size();
  }
  EXPECT_EQ(ended, count);
  ::close(event);
}

TEST_P(transport_test, handlers_run_only_when_asked_and_may_start_operations) {
  struct chained : completion {
    transport* on = nullptr;
    int event = -1;
    std::uint64_t counter = 0;
    int runs = 0;
  } chain;
  chain.on = transport_.get();
  chain.event = ::eventfd(5, EFD_CLOEXEC | EFD_SEMAPHORE);
  chain.done = [](completion& self, int, std::uint32_t, bool) {
    auto& link = static_cast<chained&>(self);
    if (++link.runs < 5) link.on->read_event(link.event, link.counter, link);
  };
  transport_->read_event(chain.event, chain.counter, chain);
  transport_->submit_and_wait(10'000'000);
  EXPECT_EQ(chain.runs, 0);
  for (int turn = 0; turn < 1000 && chain.runs < 5; ++turn) {
    const int before = chain.runs;
    transport_->run_completions();
    ASSERT_LE(chain.runs, before + 1) << "a handler ran inside another one's turn";
    transport_->submit_and_wait(10'000'000);
  }
  EXPECT_EQ(chain.runs, 5);
  ::close(chain.event);
}

TEST_P(transport_test, a_wait_ends_at_its_time_without_any_event) {
  transport_->submit_and_wait(1'000'000);
  transport_->run_completions();
}

TEST_P(transport_test, accepted_connections_come_one_completion_each) {
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
  transport_->accept_multishot(listener, accepted);
  transport_->submit_and_wait(0);
  std::vector<int> clients;
  for (std::size_t i = 0; i < 3; ++i) {
    clients.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(clients.back(), reinterpret_cast<const sockaddr*>(name.data()), size), 0);
    run_until(accepted, i + 1);
    EXPECT_GE(accepted.outcomes.back().result, 0);
    EXPECT_TRUE(accepted.outcomes.back().more);
  }
  for (const outcome& each : accepted.outcomes)
    transport_->close(each.result);
  transport_->cancel(listener, accepted);
  run_until(accepted, 4);
  for (const int client : clients) {
    char byte = 0;
    EXPECT_EQ(::recv(client, &byte, 1, 0), 0) << "the transport has closed its side";
    ::close(client);
  }
  ::close(listener);
}

TEST_P(transport_test, a_receive_in_place_takes_what_is_there_up_to_its_room) {
  std::array<std::byte, 8> room{};
  recorded received;
  for (const std::string text : {"four", "longer than the room"}) {
    received.outcomes.clear();
    transport_->receive(pair_[0], room, received);
    transport_->submit_and_wait(0);
    say(text);
    run_until(received, 1);
    const std::size_t count = std::min(text.size(), room.size());
    ASSERT_EQ(received.outcomes.front().result, static_cast<int>(count));
    EXPECT_FALSE(received.outcomes.front().more);
    EXPECT_EQ(text_of(std::span(room).first(count)), text.substr(0, count));
  }
}

TEST_P(transport_test, the_end_of_the_peer_ends_a_multishot_receive_with_0) {
  recorded received;
  transport_->receive_multishot(pair_[0], received);
  transport_->submit_and_wait(0);
  ::shutdown(pair_[1], SHUT_WR);
  run_until(received, 1);
  EXPECT_EQ(received.outcomes.front().result, 0);
  EXPECT_FALSE(received.outcomes.front().more);
}

// A receive is cancelled with bytes before, between and behind; the stream stays whole.
TEST_P(transport_test, a_receive_that_is_cancelled_and_begun_again_loses_nothing) {
  std::string said;
  std::string heard;
  for (int turn = 0; turn < 300; ++turn) {
    recorded received;
    transport_->receive_multishot(pair_[0], received);
    if (turn % 2 == 0) transport_->submit_and_wait(0);
    const std::string text = std::to_string(turn) + ",";
    if (turn % 3 != 0) say(text);
    if (turn % 5 == 0) transport_->submit_and_wait(0);
    transport_->cancel(pair_[0], received);
    if (turn % 3 == 0) say(text);
    said += text;
    while (received.outcomes.empty() || received.outcomes.back().more)
      run_until(received, received.outcomes.size() + 1);
    for (const outcome& each : received.outcomes) {
      if (each.result <= 0) continue;
      heard +=
          text_of(transport_->buffer(each.buffer).first(static_cast<std::size_t>(each.result)));
      transport_->recycle(each.buffer);
    }
    EXPECT_EQ(received.outcomes.back().result, -ECANCELED);
  }
  recorded rest;
  transport_->receive_multishot(pair_[0], rest);
  while (heard.size() < said.size()) {
    run_until(rest, 1);
    const outcome got = rest.outcomes.back();
    rest.outcomes.clear();
    ASSERT_GT(got.result, 0);
    heard += text_of(transport_->buffer(got.buffer).first(static_cast<std::size_t>(got.result)));
    transport_->recycle(got.buffer);
  }
  EXPECT_EQ(heard, said);
}

TEST_P(transport_test, a_cancelled_send_ends_and_leaves_the_receive_of_its_socket_alone) {
  const std::string text(4 << 20, 't');
  recorded received;
  recorded sent;
  transport_->receive_multishot(pair_[0], received);
  transport_->send(pair_[0], bytes_of(text), sent);
  transport_->submit_and_wait(0);
  transport_->cancel(pair_[0], sent);
  run_until(sent, 1);
  EXPECT_LT(sent.outcomes.front().result, static_cast<int>(text.size()));
  say("still heard");
  run_until(received, 1);
  EXPECT_EQ(received.outcomes.front().result, 11);
}

// Numbers of descriptors come back at once: what is left of the one before must not be taken for
// the next one's.
TEST_P(transport_test, a_descriptor_that_comes_back_is_a_new_one) {
  for (int turn = 0; turn < 200; ++turn) {
    std::array<int, 2> both{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()), 0);
    recorded received;
    recorded sent;
    const std::string text = "turn " + std::to_string(turn);
    transport_->receive_multishot(both[0], received);
    transport_->send(both[0], bytes_of(text), sent);
    run_until(sent, 1);
    std::array<char, 32> heard{};
    ASSERT_EQ(::recv(both[1], heard.data(), heard.size(), 0), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(std::string(heard.data()), text);
    if (turn % 2 == 0) {
      ASSERT_EQ(::write(both[1], "x", 1), 1);
      run_until(received, 1);
      EXPECT_EQ(received.outcomes.front().result, 1);
      transport_->recycle(received.outcomes.front().buffer);
    }
    const std::size_t before = received.outcomes.size();
    transport_->cancel(both[0], received);
    run_until(received, before + 1);
    EXPECT_EQ(received.outcomes.back().result, -ECANCELED);
    transport_->close(both[0]);
    transport_->submit_and_wait(0);
    EXPECT_EQ(::recv(both[1], heard.data(), heard.size(), 0), 0);
    ::close(both[1]);
  }
}

TEST_P(transport_test, a_sync_completes_later_and_a_bad_file_is_an_error) {
  const int file = ::memfd_create("synced", MFD_CLOEXEC);
  recorded synced;
  transport_->sync_data(file, synced);
  EXPECT_TRUE(synced.outcomes.empty());
  run_until(synced, 1);
  EXPECT_EQ(synced.outcomes.back().result, 0);
  transport_->sync_data(pair_[0], synced);
  run_until(synced, 2);
  EXPECT_EQ(synced.outcomes.back().result, -EINVAL) << "a socket has nothing to sync";
  ::close(file);
}

TEST_P(transport_test, reads_of_a_file_give_what_is_there_and_a_bad_file_is_an_error) {
  const int file = ::memfd_create("read", MFD_CLOEXEC);
  ASSERT_EQ(::pwrite(file, "0123456789", 10, 0), 10);
  std::array<std::byte, 8> middle{};
  std::array<std::byte, 8> last{};
  recorded first_read;
  recorded second_read;
  recorded third_read;
  transport_->read_file(file, 1, middle, first_read);
  transport_->read_file(file, 7, last, second_read);
  transport_->read_file(file, 10, last, third_read);
  EXPECT_TRUE(first_read.outcomes.empty());
  run_until(first_read, 1);
  run_until(second_read, 1);
  run_until(third_read, 1);
  EXPECT_EQ(first_read.outcomes.back().result, 8);
  EXPECT_EQ(std::memcmp(middle.data(), "12345678", 8), 0);
  EXPECT_EQ(second_read.outcomes.back().result, 3);
  EXPECT_EQ(std::memcmp(last.data(), "789", 3), 0);
  EXPECT_EQ(third_read.outcomes.back().result, 0);
  ::close(file);
  transport_->read_file(file, 0, middle, first_read);
  run_until(first_read, 2);
  EXPECT_EQ(first_read.outcomes.back().result, -EBADF);
}

TEST_P(transport_test, more_operations_than_a_queue_holds_begun_in_one_turn_all_end) {
  const int file = ::memfd_create("synced", MFD_CLOEXEC);
  std::vector<recorded> syncs(2 * ring_sq_entries + 1);
  for (recorded& sync : syncs)
    transport_->sync_data(file, sync);
  for (recorded& sync : syncs)
    run_until(sync, 1);
  ::close(file);
}

}  // namespace
}  // namespace vexfs::io
