// SPDX-License-Identifier: Apache-2.0
#include "core/database/chunk_table.h"

#include <vector>

#include <gtest/gtest.h>

namespace vexfs {
namespace {

/// Counts how many of its kind there are.
struct counted {
  explicit counted(std::uint32_t given, int& made) : number(given), alive(made) { ++alive; }
  ~counted() { --alive; }
  counted(const counted&) = delete;
  std::uint32_t number;
  int& alive;
};

TEST(chunk_table_test, chunks_are_found_by_their_number_stay_in_place_and_end_with_the_table) {
  int alive = 0;
  constexpr std::uint32_t last = chunk_table<counted>::chunk_count_max - 1;
  const std::vector<std::uint32_t> numbers = {0, 1, 255, 256, 257, 5000, last};
  {
    chunk_table<counted> chunks;
    EXPECT_EQ(chunks.find(0), nullptr);
    EXPECT_EQ(chunks.find(last), nullptr);
    std::vector<counted*> places;
    for (const std::uint32_t number : numbers) {
      chunks.add(number, std::make_unique<counted>(number, alive));
      places.push_back(chunks.find(number));
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      ASSERT_EQ(chunks.find(numbers[i]), places[i]);
      EXPECT_EQ(places[i]->number, numbers[i]);
    }
    for (const std::uint32_t number : {2U, 254U, 258U, 4999U, last - 1})
      EXPECT_EQ(chunks.find(number), nullptr);
    std::vector<std::uint32_t> seen;
    chunks.each([&](const counted& one) { seen.push_back(one.number); });
    EXPECT_EQ(seen, numbers);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace vexfs
