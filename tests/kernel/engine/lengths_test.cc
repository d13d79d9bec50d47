// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <set>

#include "tests/kernel/engine/engine_index.h"

extern "C" {
#include "kernel/engine/lengths.h"
}

namespace vexfs::engine {
namespace {

/// The highest exponent that more rows than may be beyond it have, or a higher one.
std::uint32_t true_usual(const std::multiset<std::uint32_t>& squares) {
  const std::size_t most =
      std::min<std::size_t>(squares.size() / VEXFS_BEYOND_PART, VEXFS_BEYOND_MAX);
  if (squares.empty()) return 0;
  return static_cast<std::uint32_t>(
      vexfs_packed_field(*std::next(squares.rbegin(), static_cast<std::ptrdiff_t>(most))));
}

TEST(lengths_test, all_but_a_few_rows_are_at_most_as_long_as_usual) {
  SCOPED_TRACE("seed " + std::to_string(test_seed()));
  std::mt19937_64 random(test_seed());
  const auto lengths = std::make_unique<vexfs_lengths>();
  std::multiset<std::uint32_t> squares;
  std::vector<std::uint32_t> rows;
  for (std::uint32_t round = 0; round < 20'000; ++round) {
    // It grows, shrinks to nothing and grows again, of near lengths and far ones.
    const bool grows = (round / 5000) % 2 == 0;
    if (rows.empty() || (random() % 3 == 0) != grows) {
      const int exponent = random() % 200 == 0 ? static_cast<int>(random() % 400) - 200
                                               : static_cast<int>(random() % 4);
      const std::uint32_t square = random() % 50 == 0 ? 0 : vexfs_pack(random() | 1, exponent);
      vexfs_count_length(lengths.get(), square);
      if (square == 0) continue;
      rows.push_back(square);
      squares.insert(square);
    } else {
      std::swap(rows[random() % rows.size()], rows.back());
      vexfs_uncount_length(lengths.get(), rows.back());
      squares.erase(squares.find(rows.back()));
      rows.pop_back();
    }
    const std::uint32_t usual = vexfs_usual_square(lengths.get());
    const std::uint32_t longest = vexfs_longest_square(lengths.get());
    ASSERT_EQ(vexfs_packed_field(usual), true_usual(squares)) << "round " << round;
    if (squares.empty()) {
      ASSERT_EQ(longest, 0U);
      continue;
    }
    // Of one that has gone, at most; of the same exponent.
    ASSERT_GE(longest, *squares.rbegin());
    ASSERT_EQ(vexfs_packed_field(longest), vexfs_packed_field(*squares.rbegin()));
  }
}

TEST(lengths_test, few_rows_have_none_beyond_them_and_many_have_thirty_two) {
  const auto lengths = std::make_unique<vexfs_lengths>();
  const std::uint32_t one = vexfs_pack(1, 0);
  const std::uint32_t huge = vexfs_pack(1, 200);
  vexfs_count_length(lengths.get(), huge);
  for (std::uint32_t count = 1; count < VEXFS_BEYOND_PART - 1; ++count)
    vexfs_count_length(lengths.get(), one);
  EXPECT_EQ(vexfs_usual_square(lengths.get()), huge);
  vexfs_count_length(lengths.get(), one);
  EXPECT_EQ(vexfs_usual_square(lengths.get()), one);
  EXPECT_EQ(vexfs_longest_square(lengths.get()), huge);
  for (std::uint32_t count = 0; count < 10'000; ++count)
    vexfs_count_length(lengths.get(), one);
  for (std::uint32_t count = 1; count < VEXFS_BEYOND_MAX; ++count)
    vexfs_count_length(lengths.get(), huge);
  EXPECT_EQ(vexfs_usual_square(lengths.get()), one);
  vexfs_count_length(lengths.get(), huge);
  EXPECT_EQ(vexfs_usual_square(lengths.get()), huge);
  vexfs_uncount_length(lengths.get(), huge);
  EXPECT_EQ(vexfs_usual_square(lengths.get()), one);
}

}  // namespace
}  // namespace vexfs::engine
