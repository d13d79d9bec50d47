// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

#include <sched.h>

#include "bench/engine/data_set.h"
#include "ioctl/embedded/cpu.h"
#include "ioctl/embedded/engine_kernels.h"

extern "C" {
#include "kernel/engine/link.h"
#include "kernel/engine/search.h"
#include "kernel/engine/walk.h"
}

namespace vexfs::bench {

using steady = std::chrono::steady_clock;

inline double seconds_since(steady::time_point start) {
  return std::chrono::duration<double>(steady::now() - start).count();
}

/// Seconds that this thread has run: what others take from the core is not counted.
inline double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// A collection as the engine holds it.
class built_index {
 public:
  built_index(const data_set& data, const vexfs_graph_config& config) : data_(data) {
    const engine_kernels kernels = kernels_for(chosen_simd_level());
    file_ = vexfs_vector_file_create(data.dim, engine_metric(data.metric), kernels.scan);
    if (!file_ || vexfs_graph_create(file_, &config, kernels.graph, &graph_) != 0 ||
        vexfs_linker_create(graph_, &linker_) != 0) {
      std::fputs("engine_bench: out of memory\n", stderr);
      std::exit(2);
    }
  }
  ~built_index() {
    vexfs_linker_destroy(linker_);
    vexfs_graph_destroy(graph_);
    vexfs_vector_file_destroy(file_);
  }
  built_index(const built_index&) = delete;

  /// Seconds of coding all vectors on one thread.
  double insert() {
    const double start = thread_seconds();
    for (std::uint32_t slot = 0; slot < data_.row_count; ++slot) {
      const int status = vexfs_graph_insert(
          graph_, slot, 0, reinterpret_cast<const std::uint32_t*>(data_.row(slot)));
      if (status != 0) {
        std::fprintf(stderr, "engine_bench: vector %u was refused: errno %d\n", slot, -status);
        std::exit(2);
      }
    }
    return thread_seconds() - start;
  }

  /// Seconds that the threads ran, in the mean.
  double link(unsigned thread_count) {
    std::atomic<double> ran{0};
    const auto work = [&] {
      const double start = thread_seconds();
      const std::uint32_t limit = vexfs_slot_limit(graph_);
      std::vector<std::byte> scratch(vexfs_link_scratch_bytes(linker_, limit));
      while (vexfs_tail_length(graph_) != 0)
        if (vexfs_run_link(linker_, VEXFS_LINK_USUAL, 64, limit, scratch.data()) == 0)
          std::this_thread::yield();
      ran += thread_seconds() - start;
    };
    std::vector<std::thread> others;
    for (unsigned i = 1; i < thread_count; ++i)
      others.emplace_back(work);
    work();
    for (std::thread& other : others)
      other.join();
    return ran / thread_count;
  }

  [[nodiscard]] const vexfs_graph* graph() const { return graph_; }

 private:
  const data_set& data_;
  vexfs_vector_file* file_ = nullptr;
  vexfs_graph* graph_ = nullptr;
  vexfs_linker* linker_ = nullptr;
};

inline void pin_to_one_core(bool pinned) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  const unsigned count = pinned ? 1 : std::max(1U, std::thread::hardware_concurrency());
  for (unsigned core = 0; core < count; ++core)
    CPU_SET(core, &cores);
  ::sched_setaffinity(0, sizeof cores, &cores);
}

}  // namespace vexfs::bench
