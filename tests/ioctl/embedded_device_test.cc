// SPDX-License-Identifier: Apache-2.0
#include "ioctl/embedded/embedded_device.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace vexfs {
namespace {

using floats = std::vector<float>;

std::vector<std::uint32_t> bits_of(const floats& values) {
  std::vector<std::uint32_t> bits(values.size());
  std::ranges::transform(values, bits.begin(),
                         [](float v) { return std::bit_cast<std::uint32_t>(v); });
  return bits;
}

/// Larger is better. In float32 it is what core computes; in double it does not underflow.
template <class Number>
Number rank_of(distance metric, const float* query, const float* row, std::uint32_t dim) {
  Number sum = 0;
  for (std::uint32_t i = 0; i < dim; ++i) {
    if (metric == distance::euclid) {
      const Number difference = static_cast<Number>(query[i]) - row[i];
      sum -= difference * difference;
    } else {
      sum += static_cast<Number>(query[i]) * row[i];
    }
  }
  return sum;
}

struct scan_answer {
  std::vector<std::vector<candidate>> candidates;  // per query
  std::vector<std::uint8_t> overflowed;
};

scan_answer scan(vector_file& file, const floats& queries, std::uint32_t dim, std::uint32_t k,
                 std::uint32_t capacity, slot_index first, slot_index last,
                 const std::vector<const std::uint64_t*>& allowed = {}) {
  const auto query_count = static_cast<std::uint32_t>(queries.size() / dim);
  const auto bits = bits_of(queries);
  std::vector<candidate> candidates(std::size_t{query_count} * capacity);
  std::vector<std::uint32_t> counts(query_count);
  scan_answer answer{{}, std::vector<std::uint8_t>(query_count)};
  scan_command command;
  command.k = k;
  command.slot_first = first;
  command.slot_last = last;
  command.query_count = query_count;
  command.query_bits = bits;
  command.allowed = allowed;
  command.candidate_capacity = capacity;
  command.candidates = candidates;
  command.candidate_counts = counts;
  command.overflowed = answer.overflowed;
  const auto done = file.scan(command);
  EXPECT_TRUE(done) << done.error().text;
  for (std::uint32_t q = 0; q < query_count; ++q) {
    const auto begin = candidates.begin() + std::ptrdiff_t{q} * capacity;
    answer.candidates.emplace_back(begin, begin + counts[q]);
  }
  return answer;
}

floats make_vectors(std::mt19937_64& random, const std::string& kind, std::uint32_t count,
                    std::uint32_t dim) {
  std::normal_distribution<float> normal;
  floats values(std::size_t{count} * dim);
  for (std::uint32_t r = 0; r < count; ++r) {
    float scale = 1;
    if (kind == "tiny") scale = 1e-38F;
    if (kind == "huge") scale = 1e17F;
    if (kind == "mixed norms") scale = std::ldexp(1.0F, static_cast<int>(random() % 40) - 20);
    for (std::uint32_t i = 0; i < dim; ++i) {
      float value = normal(random) * scale;
      if (kind == "many zeros" && random() % 4 != 0) value = 0;
      if (kind == "all zero") value = 0;
      if (kind == "duplicates" && r >= 10) value = values[(r % 10) * dim + i];
      values[std::size_t{r} * dim + i] = value;
    }
  }
  return values;
}

struct scenario {
  const char* kind;
  distance metric;
  std::uint32_t dim;
};

class scan_test : public testing::TestWithParam<scenario> {};

TEST_P(scan_test, the_candidates_hold_the_true_top_k_for_every_kernel) {
  const auto& [kind, metric, dim] = GetParam();
  const auto seed =
      static_cast<std::uint64_t>(testing::UnitTest::GetInstance()->random_seed()) + 17;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  constexpr std::uint32_t row_count = 5000;
  constexpr std::uint32_t query_count = 7;
  constexpr std::uint32_t k = 10;
  const floats rows = make_vectors(random, kind, row_count, dim);
  const floats queries = make_vectors(random, kind, query_count, dim);
  std::vector<std::uint64_t> bitmap(row_count / 64 + 1);
  for (auto& word : bitmap)
    word = random();

  std::vector<slot_index> slots(row_count);
  std::vector<slot_generation> generations(row_count);
  for (slot_index slot = 0; slot < row_count; ++slot) {
    slots[slot] = slot;
    generations[slot] = slot * 3;
  }
  std::vector<slot_index> removed;
  for (slot_index slot = 0; slot < row_count; slot += 7)
    removed.push_back(slot);
  const slot_index first = 100;
  const slot_index last = row_count - 50;

  std::vector<scan_answer> answers;
  for (const simd_level level : {simd_level::scalar, simd_level::avx2, simd_level::avx512}) {
    if (level > detect_simd_level()) continue;
    const auto machine = make_embedded_device(level);
    auto file = machine->create({dim, metric});
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->insert(slots, generations, bits_of(rows)));
    (*file)->remove(removed);
    const std::vector<const std::uint64_t*> allowed{nullptr, bitmap.data(), nullptr, nullptr,
                                                    nullptr, nullptr,       nullptr};
    answers.push_back(scan(**file, queries, dim, k, 512, first, last, allowed));
  }

  for (std::uint32_t q = 0; q < query_count; ++q) {
    for (const scan_answer& other : answers) {
      ASSERT_EQ(answers[0].overflowed[q], other.overflowed[q]);
      ASSERT_EQ(answers[0].candidates[q].size(), other.candidates[q].size());
      for (std::size_t i = 0; i < other.candidates[q].size(); ++i)
        ASSERT_EQ(answers[0].candidates[q][i].slot, other.candidates[q][i].slot);
    }
    if (answers[0].overflowed[q]) continue;
    const bool underflows = std::string_view(kind) == "tiny";
    std::vector<std::pair<double, slot_index>> truth;
    for (slot_index slot = first; slot < last; ++slot) {
      if (slot % 7 == 0) continue;
      if (q == 1 && !(bitmap[slot / 64] >> (slot % 64) & 1)) continue;
      const float* query = &queries[std::size_t{q} * dim];
      const float* row = &rows[std::size_t{slot} * dim];
      truth.emplace_back(underflows ? rank_of<double>(metric, query, row, dim)
                                    : static_cast<double>(rank_of<float>(metric, query, row, dim)),
                         slot);
    }
    std::ranges::sort(truth, std::greater<>{});
    std::vector<slot_index> found;
    for (const candidate& one : answers[0].candidates[q]) {
      found.push_back(one.slot);
      EXPECT_EQ(one.generation, one.slot * 3);
    }
    std::ranges::sort(found);
    for (const auto& [rank, slot] : truth) {
      if (rank < truth[k - 1].first) break;
      EXPECT_TRUE(std::ranges::binary_search(found, slot))
          << "query " << q << " misses slot " << slot << " of rank " << rank;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    kinds, scan_test,
    testing::Values(
        scenario{"gaussian", distance::dot, 128}, scenario{"gaussian", distance::euclid, 128},
        scenario{"gaussian", distance::dot, 3}, scenario{"gaussian", distance::euclid, 1},
        scenario{"gaussian", distance::dot, 1000}, scenario{"gaussian", distance::euclid, 700},
        scenario{"tiny", distance::dot, 65}, scenario{"tiny", distance::euclid, 65},
        scenario{"huge", distance::dot, 100}, scenario{"huge", distance::euclid, 100},
        scenario{"mixed norms", distance::dot, 96}, scenario{"mixed norms", distance::euclid, 96},
        scenario{"many zeros", distance::dot, 64}, scenario{"many zeros", distance::euclid, 64},
        scenario{"duplicates", distance::dot, 32}, scenario{"all zero", distance::dot, 16},
        scenario{"all zero", distance::euclid, 16}));

TEST(embedded_device_test, gaussian_rows_leave_few_candidates) {
  std::mt19937_64 random(5);
  constexpr std::uint32_t dim = 128;
  constexpr std::uint32_t row_count = 10000;
  for (const distance metric : {distance::dot, distance::euclid}) {
    const floats rows = make_vectors(random, "gaussian", row_count, dim);
    const floats queries = make_vectors(random, "gaussian", 16, dim);
    const auto machine = make_embedded_device();
    auto file = machine->create({dim, metric});
    ASSERT_TRUE(file);
    std::vector<slot_index> slots(row_count);
    std::vector<slot_generation> generations(row_count);
    for (slot_index slot = 0; slot < row_count; ++slot)
      slots[slot] = slot;
    ASSERT_TRUE((*file)->insert(slots, generations, bits_of(rows)));
    const auto answer = scan(**file, queries, dim, 10, 1024, 0, row_count);
    std::size_t total = 0;
    for (std::size_t q = 0; q < 16; ++q) {
      EXPECT_FALSE(answer.overflowed[q]);
      total += answer.candidates[q].size();
    }
    EXPECT_LT(total / 16, 100U);
    RecordProperty("candidates_mean", static_cast<int>(total / 16));
  }
}

TEST(embedded_device_test, a_vector_that_is_not_finite_is_refused_and_nothing_is_inserted) {
  const auto machine = make_embedded_device();
  auto file = machine->create({2, distance::dot});
  ASSERT_TRUE(file);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::vector<slot_index> slots{0, 1};
    const std::vector<slot_generation> generations{0, 0};
    EXPECT_FALSE((*file)->insert(slots, generations, bits_of({1, 2, 3, bad})));
    const auto answer = scan(**file, {1, 1}, 2, 4, 16, 0, 2);
    EXPECT_TRUE(answer.candidates[0].empty());
  }
}

TEST(embedded_device_test, the_longest_vectors_do_not_overflow) {
  constexpr std::uint32_t dim = 65536;
  const auto machine = make_embedded_device();
  auto file = machine->create({dim, distance::dot});
  ASSERT_TRUE(file);
  floats rows(2 * std::size_t{dim}, 1.0F);
  std::fill(rows.begin(), rows.begin() + dim, -1.0F);
  const std::vector<slot_index> slots{0, 1};
  const std::vector<slot_generation> generations{0, 0};
  ASSERT_TRUE((*file)->insert(slots, generations, bits_of(rows)));
  const auto answer = scan(**file, floats(dim, 1.0F), dim, 1, 8, 0, 2);
  ASSERT_EQ(answer.candidates[0].size(), 1U);
  EXPECT_EQ(answer.candidates[0][0].slot, 1U);
}

TEST(cpu_test, the_environment_chooses_a_lower_level_and_cannot_choose_a_missing_one) {
  for (const simd_level level : {simd_level::scalar, simd_level::avx2, simd_level::avx512}) {
    ::setenv("VEXFS_SIMD", std::string(name_of(level)).c_str(), 1);
    EXPECT_EQ(chosen_simd_level(), std::min(level, detect_simd_level()));
  }
  ::setenv("VEXFS_SIMD", "no such level", 1);
  EXPECT_EQ(chosen_simd_level(), detect_simd_level());
  ::unsetenv("VEXFS_SIMD");
}

}  // namespace
}  // namespace vexfs
