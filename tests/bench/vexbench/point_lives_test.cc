// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/point_lives.h"

#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "bench/vexbench/random.h"
#include "tests/bench/vexbench/seed.h"

namespace vexfs::bench {
namespace {

struct write {
  bool is_insert;
  std::int64_t sent;
  std::int64_t acknowledged;
};

// The slow way: every choice of the moments at which the writes acted, and every moment of the
// search. Moments are whole numbers; a write acts strictly between its ends' neighbours, that is
// from its sending to its acknowledgement.
struct seen {
  bool always = true;
  bool ever = false;
};
seen try_all(bool present, const std::vector<write>& writes, std::int64_t from, std::int64_t to) {
  seen found;
  std::vector<std::int64_t> acted(writes.size());
  const std::function<void(std::size_t)> choose = [&](std::size_t index) {
    if (index == writes.size()) {
      for (std::int64_t moment = from; moment <= to; ++moment) {
        bool there = present;
        for (std::size_t each = 0; each < writes.size(); ++each)
          if (acted[each] <= moment) there = writes[each].is_insert;
        found.always = found.always && there;
        found.ever = found.ever || there;
      }
      return;
    }
    for (std::int64_t moment = writes[index].sent; moment <= writes[index].acknowledged; ++moment) {
      acted[index] = moment;
      choose(index + 1);
    }
  };
  choose(0);
  return found;
}

// Writes of one point follow each other, as the generator's do: sent after the one before was
// acknowledged.
TEST(point_lives, what_must_and_may_be_seen_is_what_every_and_some_order_of_events_shows) {
  random_numbers numbers(testing::test_seed());
  for (int turn = 0; turn < 3000; ++turn) {
    const bool present = numbers.below(2) == 0;
    std::vector<write> writes;
    point_lives lives(2, present ? 1 : 0);
    std::int64_t now = 1;
    bool is_insert = !present;
    for (std::uint64_t count = numbers.below(4); count > 0; --count) {
      const std::int64_t sent = now + static_cast<std::int64_t>(numbers.below(3));
      const std::int64_t acknowledged = sent + static_cast<std::int64_t>(numbers.below(3));
      writes.push_back({is_insert, sent, acknowledged});
      lives.add(0, is_insert ? point_lives::write::insert : point_lives::write::remove, sent,
                acknowledged);
      is_insert = !is_insert;
      now = acknowledged + 1;
    }
    const auto from = static_cast<std::int64_t>(numbers.below(12));
    const auto to = from + static_cast<std::int64_t>(numbers.below(4));
    const seen expected = try_all(present, writes, from, to);
    ASSERT_EQ(lives.must_be_seen(0, from, to), expected.always) << "turn " << turn;
    ASSERT_EQ(lives.may_be_seen(0, from, to), expected.ever) << "turn " << turn;
    EXPECT_FALSE(lives.may_be_seen(1, from, to))
        << "another point's writes were taken for this one's";
  }
}

TEST(point_lives, a_write_without_an_answer_may_have_acted_or_not_ever_since) {
  point_lives lives(2, 1);
  lives.add(0, point_lives::write::remove, 10, INT64_MAX);
  lives.add(1, point_lives::write::insert, 10, INT64_MAX);
  EXPECT_TRUE(lives.must_be_seen(0, 5, 9));
  for (const std::uint32_t row : {0U, 1U}) {
    EXPECT_FALSE(lives.must_be_seen(row, 100, 200));
    EXPECT_TRUE(lives.may_be_seen(row, 100, 200));
  }
}

}  // namespace
}  // namespace vexfs::bench
