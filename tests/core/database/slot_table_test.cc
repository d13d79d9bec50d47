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
  // One point that is written again and again: in the end the same slots serve it.
  for (int round = 0; round < 1000; ++round) {
    const slot_index slot = *slots.take(is_free);
    EXPECT_FALSE(kept.contains(slot));
    slots.publish(slot);
    slots.retire(slot);
  }
  EXPECT_LT(slots.limit(), 150U);
  // And those that were kept, when they are given up.
  kept.clear();
  std::set<slot_index> taken;
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(taken.insert(*slots.take(is_free)).second);
  EXPECT_LT(slots.limit(), 150U);
}

TEST(slot_table_test, a_slot_that_a_reader_may_hold_is_not_taken_however_it_came_back) {
  io::epochs readers(1);
  slot_table slots(readers);
  const auto is_free = [](slot_index) { return true; };
  const slot_index published = *slots.take(is_free);
  slots.publish(published);
  const slot_index staged = *slots.take(is_free);
  const slot_generation generation = slots[staged].generation;
  io::epochs::reader reading;
  readers.enter(0, reading);
  slots.retire(published);
  slots.give_back(staged);
  EXPECT_NE(slots[staged].generation, generation);
  const slot_index other = *slots.take(is_free);
  EXPECT_TRUE(other != published && other != staged);
  readers.leave(0, reading);
  EXPECT_EQ(slots.take(is_free), published);
  EXPECT_EQ(slots.take(is_free), staged);
}

}  // namespace
}  // namespace vexfs
