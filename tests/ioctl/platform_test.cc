// SPDX-License-Identifier: Apache-2.0
// The memory that the engine asks of its surroundings.
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>

extern "C" {
#include "kernel/engine/platform.h"
}

namespace vexfs {
namespace {

/// Lets this process map so many bytes more.
void limit_addresses(std::size_t more) {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t most = pages * 4096 + more;
  const rlimit limit{most, most};
  if (::setrlimit(RLIMIT_AS, &limit) != 0) std::exit(2);
}

TEST(platform_test, where_no_huge_pages_are_to_be_had_small_ones_are_given) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  constexpr std::size_t bytes = std::size_t{16} << 20;
  // A region of huge pages has 256 MiB at least.
  EXPECT_EXIT(
      {
        limit_addresses(4 * bytes);
        auto* const memory = static_cast<unsigned char*>(vexfs_alloc_huge(bytes));
        if (!memory) std::exit(1);
        memory[bytes - 1] = static_cast<unsigned char>(memory[0] + 1);
        const int written = memory[bytes - 1];
        vexfs_free(memory, bytes);
        std::exit(written == 1 ? 0 : 3);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace vexfs
