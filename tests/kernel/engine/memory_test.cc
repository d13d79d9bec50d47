// SPDX-License-Identifier: Apache-2.0
// The engine with memory that runs out at every step.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "tests/kernel/engine/counted_memory.h"

extern "C" {
#include "kernel/engine/link.h"
#include "kernel/engine/search.h"
#include "kernel/engine/walk.h"
}

namespace vexfs::engine {
namespace {

constexpr std::uint32_t dim = 4;
constexpr std::uint32_t count = 5000;  // two chunks

/// A whole life; the first error ends it.
int live() {
  vexfs_vector_file* file = vexfs_vector_file_create(dim, VEXFS_METRIC_DOT, &vexfs_kernels_scalar);
  if (!file) return -ENOMEM;
  vexfs_graph_config config{};
  config.width = 16;
  config.links_new = 8;
  config.links_kept = 12;
  config.ef_construct = 16;
  config.tail_max = 8192;
  config.lines = 1;
  vexfs_graph* graph = nullptr;
  int status = vexfs_graph_create(file, &config, &vexfs_graph_kernels_scalar, &graph);
  vexfs_linker* linker = nullptr;
  if (status == 0) {
    status = vexfs_linker_create(graph, &linker);
    std::uint32_t inserted = 0;
    for (; inserted < count && status == 0; inserted += status == 0) {
      const float row[dim] = {1, 2, static_cast<float>(inserted), 4};
      status = vexfs_graph_insert(graph, inserted, 0, reinterpret_cast<const std::uint32_t*>(row));
    }
    // What was inserted before the failure is whole.
    EXPECT_EQ(vexfs_tail_length(graph), inserted);
    if (linker) {
      const std::uint32_t limit = vexfs_slot_limit(graph);
      std::vector<std::byte> scratch(vexfs_link_scratch_bytes(linker, limit));
      vexfs_run_link(linker, VEXFS_LINK_USUAL, 200, limit, scratch.data());
      vexfs_linker_destroy(linker);
    }
    vexfs_graph_destroy(graph);
  }
  vexfs_vector_file_destroy(file);
  return status;
}

TEST(memory_test, an_allocation_that_fails_is_an_error_and_leaks_nothing) {
  std::uint64_t failures = 0;
  for (memory.refused_first = 0;; ++memory.refused_first) {
    memory.asked = 0;
    const int status = live();
    ASSERT_EQ(memory.held_bytes, 0U) << "allocation " << memory.refused_first;
    if (status == 0) break;
    ASSERT_EQ(status, -ENOMEM);
    ++failures;
  }
  EXPECT_EQ(failures, memory.asked);
  EXPECT_GT(failures, 10U);
}

}  // namespace
}  // namespace vexfs::engine
