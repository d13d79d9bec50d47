// SPDX-License-Identifier: Apache-2.0
#include "core/database/slot_table.h"

#include <set>

#include <gtest/gtest.h>

namespace vexfs {
namespace {

TEST(slot_table_test, slots_that_a_column_keeps_do_not_keep_others_from_being_used_again) {
  io::epochs readers(1);
  slot_table slots(readers);
  std::set<slot_index> kept;
  const auto is_free = [&](slot_index slot) { return !kept.contains(slot); };
  for (slot_index slot = 0; slot < 100; ++slot) {
    slots.publish(*slots.take(is_free));
    if (slot < 50) kept.insert(slot);
  }
  for (slot_index slot = 0; slot < 100; ++slot)
    slots.retire(slot);
  slot_index highest = 0;
  // One point that is written again and again: in the end the same slots serve it.
  for (int round = 0; round < 1000; ++round) {
    const slot_index slot = *slots.take(is_free);
    EXPECT_FALSE(kept.contains(slot));
    highest = std::max(highest, slot);
    slots.publish(slot);
    slots.retire(slot);
  }
  EXPECT_LT(highest, 150U);
  // And those that were kept, when they are given up.
  kept.clear();
  std::set<slot_index> taken;
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(taken.insert(*slots.take(is_free)).second);
  EXPECT_LT(*taken.rbegin(), 150U);
}

TEST(slot_table_test, a_slot_that_a_reader_may_hold_is_not_taken_however_it_came_back) {
  io::epochs readers(1);
  slot_table slots(readers);
  const auto is_free = [](slot_index) { return true; };
  const slot_index published = *slots.take(is_free);
  slots.publish(published);
  const slot_index staged = *slots.take(is_free);
  const slot_generation generation = slots.generation(staged);
  io::epochs::reader reading;
  readers.enter(0, reading);
  slots.retire(published);
  slots.give_back(staged);
  EXPECT_NE(slots.generation(staged), generation);
  const slot_index other = *slots.take(is_free);
  EXPECT_TRUE(other != published && other != staged);
  readers.leave(0, reading);
  EXPECT_EQ(slots.take(is_free), published);
  EXPECT_EQ(slots.take(is_free), staged);
}

TEST(slot_table_test, points_that_come_again_have_room_in_the_spare_slots_and_in_those_given_back) {
  io::epochs readers(1);
  slot_table slots(readers);
  bool columns_let_go = false;
  const auto is_free = [&](slot_index) { return columns_let_go; };
  // A collection that grows always has room.
  constexpr slot_index most = 3200;
  for (slot_index slot = 0; slot < most; ++slot) {
    ASSERT_TRUE(slots.has_room(64, is_free));
    slots.publish(*slots.take(is_free));
  }
  constexpr std::uint64_t spare = most / slot_spare_one_in + slot_spare_min;
  for (slot_index slot = 0; slot < most; ++slot)
    slots.retire(slot);
  for (std::uint64_t again = 0; again < spare; ++again) {
    ASSERT_TRUE(slots.has_room(1, is_free));
    slots.publish(*slots.take(is_free));
  }
  EXPECT_FALSE(slots.has_room(1, is_free));
  EXPECT_FALSE(slots.is_short_by(most - spare / 2));
  EXPECT_TRUE(slots.is_short_by(most));
  columns_let_go = true;
  for (slot_index slot = 0; slot < most; ++slot) {
    ASSERT_TRUE(slots.has_room(1, is_free));
    ASSERT_LT(*slots.take(is_free), most);
  }
  EXPECT_FALSE(slots.has_room(1, is_free));
}

TEST(slot_table_test, what_a_reader_keeps_is_not_held_by_columns) {
  io::epochs readers(1);
  slot_table slots(readers);
  bool columns_let_go = false;
  const auto is_free = [&](slot_index) { return columns_let_go; };
  io::epochs::reader reading;
  readers.enter(0, reading);
  for (std::uint64_t spare = 0; spare < slot_spare_min; ++spare) {
    ASSERT_TRUE(slots.has_room(1, is_free));
    slots.give_back(*slots.take(is_free));
  }
  EXPECT_FALSE(slots.has_room(1, is_free));
  EXPECT_FALSE(slots.has_held());
  readers.leave(0, reading);
  EXPECT_FALSE(slots.has_room(1, is_free));
  EXPECT_TRUE(slots.has_held());
  columns_let_go = true;
  EXPECT_TRUE(slots.has_room(1, is_free));
}

TEST(slot_table_test, a_slot_that_was_taken_is_nothing_to_readers_before_it_is_published) {
  io::epochs readers(1);
  slot_table slots(readers);
  const auto is_free = [](slot_index) { return true; };
  for (slot_index slot = 0; slot < 70; ++slot)
    (void)slots.take(is_free);
  EXPECT_EQ(slots.limit(), 0U);
  EXPECT_TRUE(slots.live_words().empty());
  slots.publish(65);
  EXPECT_EQ(slots.limit(), 66U);
  EXPECT_TRUE(slots.live(65));
  EXPECT_FALSE(slots.live(64));
  EXPECT_FALSE(slots.live(1000));
  slots.retire(65);
  EXPECT_FALSE(slots.live(65));
  EXPECT_EQ(slots.live_words()[1], 0U);
}

}  // namespace
}  // namespace vexfs
