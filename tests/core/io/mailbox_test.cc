// SPDX-License-Identifier: Apache-2.0
#include "core/io/mailbox.h"

#include <deque>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/seeds.h"

namespace vexfs::io {
namespace {

struct numbered : runnable {
  std::uint32_t number = 0;
};

std::uint32_t number_of(runnable* work) {
  return static_cast<numbered*>(work)->number;
}

TEST(mailbox_test, pushes_and_drains_in_any_mixture_agree_with_a_queue_of_that_bound) {
  for (const std::uint64_t seed : seeds(20)) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    mailbox tested;
    std::deque<std::uint32_t> oracle;
    std::vector<numbered> messages(5000);
    std::uint32_t next = 0;
    while (next < messages.size()) {
      const std::uint64_t burst = random() % (2 * mailbox_capacity);
      for (std::uint64_t i = 0; i < burst && next < messages.size(); ++i) {
        messages[next].number = next;
        const bool taken = tested.push(messages[next]);
        ASSERT_EQ(taken, oracle.size() < mailbox_capacity);
        if (!taken) break;
        oracle.push_back(next++);
      }
      EXPECT_EQ(tested.empty(), oracle.empty());
      if (random() % 2 == 0) continue;
      run_queue seen;
      EXPECT_EQ(tested.drain(seen), !oracle.empty());
      while (runnable* message = seen.pop()) {
        ASSERT_FALSE(oracle.empty());
        ASSERT_EQ(number_of(message), oracle.front());
        oracle.pop_front();
      }
      ASSERT_TRUE(oracle.empty());
    }
  }
}

TEST(mailbox_test, two_threads_pass_every_message_once_and_in_order) {
  mailbox tested;
  std::vector<numbered> messages(50'000);
  std::thread producer([&] {
    for (std::uint32_t i = 0; i < messages.size(); ++i) {
      messages[i].number = i;
      while (!tested.push(messages[i]))
        std::this_thread::yield();
    }
  });
  std::uint32_t expected = 0;
  while (expected < messages.size()) {
    run_queue seen;
    if (!tested.drain(seen)) std::this_thread::yield();
    while (runnable* message = seen.pop())
      EXPECT_EQ(number_of(message), expected++);
  }
  producer.join();
  EXPECT_TRUE(tested.empty());
}

TEST(run_queue_test, moving_keeps_the_order_of_both) {
  std::array<numbered, 6> works;
  for (std::uint32_t i = 0; i < works.size(); ++i)
    works[i].number = i;
  run_queue first;
  run_queue second;
  for (std::uint32_t i : {0U, 1U, 2U})
    first.push(works[i]);
  for (std::uint32_t i : {3U, 4U})
    second.push(works[i]);
  second.move_to(first);
  EXPECT_TRUE(second.empty());
  second.move_to(first);
  first.push(works[5]);
  for (std::uint32_t expected = 0; expected < 6; ++expected)
    EXPECT_EQ(number_of(first.pop()), expected);
  EXPECT_EQ(first.pop(), nullptr);
  first.move_to(second);
  second.push(works[0]);
  EXPECT_EQ(number_of(second.pop()), 0U);
}

}  // namespace
}  // namespace vexfs::io
