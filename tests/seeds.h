// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

// Where random tests take their seeds from. tools/test sets VEXFS_TEST_SEED from the commit, so
// that every commit is tested with seeds of its own and a red run repeats.
namespace vexfs {

/// This run's seed; 1 where nothing sets it.
inline std::uint64_t run_seed() {
  const char* given = std::getenv("VEXFS_TEST_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 1;
}

/// Seeds for one test: up to three quarters are always the same, 1 and up, so that what once failed
/// is tried again; the others are this run's. VEXFS_TEST_LONG=n adds n times as many of this run's.
/// Tests show the seed that failed with SCOPED_TRACE.
inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  const char* given = std::getenv("VEXFS_TEST_LONG");
  const std::uint64_t times = given ? std::strtoull(given, nullptr, 10) : 0;
  const std::uint64_t fixed = count - (count + 3) / 4;
  std::mt19937_64 random(run_seed());
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= fixed; ++seed)
    all.push_back(seed);
  while (all.size() < count * (times + 1))
    all.push_back(random() >> 16);  // tests add to their seeds, and multiply them
  return all;
}

}  // namespace vexfs
