// SPDX-License-Identifier: Apache-2.0
#include "net/http/exchange_pool.h"

#include <vector>

#include <gtest/gtest.h>

#include "core/base/limits.h"

namespace vexfs::http {
namespace {

void use(exchange& call, std::size_t bytes) {
  for (std::size_t used = 0; used < bytes; used += 1000)
    (void)call.memory.allocate(1000, 8);
  call.answer.body.assign(100, 'x');
}

TEST(exchange_pool_test, the_exchange_that_was_given_last_comes_back_first_and_empty) {
  exchange_pool pool;
  exchange& first = pool.take();
  exchange& second = pool.take();
  use(second, 1000);
  second.ready = true;
  pool.give(first);
  pool.give(second);
  exchange& again = pool.take();
  EXPECT_EQ(&again, &second);
  EXPECT_EQ(again.memory.used_bytes(), 0U);
  EXPECT_TRUE(again.answer.body.empty());
  EXPECT_FALSE(again.ready);
  EXPECT_EQ(&pool.take(), &first);
  EXPECT_EQ(pool.kept_bytes(), 0U);
  pool.give(first);
  pool.give(second);
}

TEST(exchange_pool_test, a_burst_of_large_requests_leaves_little_memory_behind) {
  exchange_pool pool;
  std::vector<exchange*> burst;
  for (int i = 0; i < 100; ++i) {
    burst.push_back(&pool.take());
    use(*burst.back(), 500'000);
  }
  for (exchange* used : burst) {
    pool.give(*used);
    EXPECT_LE(pool.kept_bytes(), exchanges_kept_bytes_max);
  }
  EXPECT_GT(pool.kept_bytes(), exchanges_kept_bytes_max / 2);
  // The warm ones are those that are left.
  exchange& warm = pool.take();
  EXPECT_EQ(&warm, burst.back());
  EXPECT_GT(warm.memory.kept_bytes(), 0U);
  pool.give(warm);
}

TEST(exchange_pool_test, so_many_small_ones_are_kept) {
  exchange_pool pool;
  std::vector<exchange*> burst;
  for (std::uint32_t i = 0; i < exchanges_kept_max + 10; ++i)
    burst.push_back(&pool.take());
  for (exchange* used : burst)
    pool.give(*used);
  for (std::uint32_t i = 0; i < exchanges_kept_max; ++i)
    EXPECT_EQ(&pool.take(), burst[burst.size() - 1 - i]);
  for (std::uint32_t i = 0; i < exchanges_kept_max; ++i)
    pool.give(*burst[burst.size() - 1 - i]);
}

}  // namespace
}  // namespace vexfs::http
