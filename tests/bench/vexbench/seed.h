// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace vexfs::bench::testing {

/// VEXFS_TEST_SEED, or 1; printed, so that a red run repeats.
inline std::uint64_t test_seed() {
  static const std::uint64_t seed = [] {
    const char* given = std::getenv("VEXFS_TEST_SEED");
    const std::uint64_t chosen = given ? std::strtoull(given, nullptr, 10) : 1;
    std::printf("seed %llu: repeat with VEXFS_TEST_SEED\n",
                static_cast<unsigned long long>(chosen));
    return chosen;
  }();
  return seed;
}

}  // namespace vexfs::bench::testing
