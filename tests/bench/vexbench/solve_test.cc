// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/solve.h"

#include <cmath>
#include <functional>

#include <gtest/gtest.h>

namespace vexfs::bench {
namespace {

// Asks as the step does; how often it had to measure.
int solve(ef_solver& solver, double target, const std::function<double(std::uint32_t)>& recall) {
  int measured = 0;
  while (const auto ef = solver.next_for(target)) {
    solver.learn(*ef, recall(*ef));
    if (++measured > 100) break;
  }
  return measured;
}

TEST(ef_solver, finds_the_smallest_ef_within_a_fiftieth) {
  const auto recall = [](std::uint32_t ef) { return 1 - std::exp(-static_cast<double>(ef) / 100); };
  ef_solver solver(10, 4096);
  for (const double target : {0.90, 0.95, 0.99}) {
    EXPECT_LE(solve(solver, target, recall), 20);
    const double exact = -100 * std::log(1 - target);
    ASSERT_TRUE(solver.solution_for(target));
    EXPECT_GE(*solver.solution_for(target), std::floor(exact));
    EXPECT_LE(*solver.solution_for(target), exact * 1.02 + 2);
    EXPECT_GE(solver.recall_at(*solver.solution_for(target)), target);
  }
}

TEST(ef_solver, a_server_that_is_exact_needs_one_measurement) {
  ef_solver solver(10, 4096);
  const auto recall = [](std::uint32_t) { return 1.0; };
  EXPECT_EQ(solve(solver, 0.90, recall), 1);
  EXPECT_EQ(solve(solver, 0.99, recall), 0) << "what is known was measured again";
  EXPECT_EQ(solver.solution_for(0.99), 10U);
}

TEST(ef_solver, a_recall_that_is_not_to_be_had_ends_at_the_largest_ef) {
  ef_solver solver(10, 1000);
  EXPECT_LE(solve(solver, 0.99, [](std::uint32_t) { return 0.7; }), 10);
  EXPECT_FALSE(solver.solution_for(0.99));
  EXPECT_EQ(solver.best_recall(), 0.7);
  EXPECT_EQ(solver.recall_at(1000), 0.7) << "the largest was not tried";
}

}  // namespace
}  // namespace vexfs::bench
