// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/device.h"

extern "C" {
#include "kernel/engine/link.h"
}

namespace vexfs {

/// A graph over a vector file, its linker, and how many commands use them at the moment. The memory
/// of this struct stays as long as the file; the graph's goes when the graph is in no place any
/// more where a command could find it, and nobody uses it. One core, the owner, writes everything
/// but the users.
struct built_graph {
  vexfs_graph* graph = nullptr;
  vexfs_linker* linker = nullptr;
  graph_config config;
  std::uint32_t adopted = 0;     // rows of before the graph that were looked at
  std::uint32_t adopt_last = 0;  // how many there are
  std::atomic<bool> complete{false};
  std::atomic<std::uint32_t> users{0};
  std::atomic<std::size_t> left_bytes{0};  // once it is in no place any more, until it is gone

  void destroy() {
    if (linker) vexfs_linker_destroy(linker);
    if (graph) vexfs_graph_destroy(graph);
    linker = nullptr;
    graph = nullptr;
    left_bytes.store(0, std::memory_order_relaxed);
  }
};

/// Where commands find a graph.
using graph_place = std::atomic<built_graph*>;

/// Keeps the graph of a place, if there is one, for the length of a command.
class graph_use {
 public:
  explicit graph_use(const graph_place& place) {
    // Sequentially consistent, as the owner's change of the place and its look at the users: either
    // this sees the change and lets go, or the owner sees the user.
    while (built_graph* found = place.load(std::memory_order_seq_cst)) {
      found->users.fetch_add(1, std::memory_order_seq_cst);
      if (place.load(std::memory_order_seq_cst) == found) {
        held_ = found;
        return;
      }
      found->users.fetch_sub(1, std::memory_order_seq_cst);
    }
  }
  graph_use(const graph_use&) = delete;
  ~graph_use() {
    if (held_) held_->users.fetch_sub(1, std::memory_order_seq_cst);
  }

  explicit operator bool() const { return held_ != nullptr; }
  const built_graph* operator->() const { return held_; }

 private:
  built_graph* held_ = nullptr;
};

}  // namespace vexfs
