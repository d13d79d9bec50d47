// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace vexfs {

/// The chunks of a column by their number, each found by two loads without a lock. One core adds
/// them, any reads; they stay where they are until the end. In blocks that are made when they are
/// first needed: there is room for as many chunks as a collection may have, and most collections
/// have one or none.
template <class Chunk>
class chunk_table {
 public:
  static constexpr std::uint32_t chunk_count_max = 65536;

  chunk_table() = default;
  chunk_table(const chunk_table&) = delete;
  ~chunk_table() {
    each([](Chunk& held) { delete &held; });
    for (auto& held : blocks_)
      delete held.load(std::memory_order_relaxed);
  }

  /// nullptr where there is none. `number` is below chunk_count_max.
  [[nodiscard]] Chunk* find(std::uint32_t number) const {
    const block* held = blocks_[number / block_chunks].load(std::memory_order_acquire);
    return held ? (*held)[number % block_chunks].load(std::memory_order_acquire) : nullptr;
  }

  /// A number that has none so far.
  void add(std::uint32_t number, std::unique_ptr<Chunk> made) {
    auto& place = blocks_[number / block_chunks];
    if (!place.load(std::memory_order_relaxed)) place.store(new block{}, std::memory_order_release);
    (*place.load(std::memory_order_relaxed))[number % block_chunks].store(
        made.release(), std::memory_order_release);
  }

  /// Where nobody adds meanwhile.
  template <class Visit>
  void each(Visit&& visit) const {
    for (const auto& place : blocks_) {
      const block* held = place.load(std::memory_order_relaxed);
      if (!held) continue;
      for (const auto& one : *held)
        if (Chunk* found = one.load(std::memory_order_relaxed)) visit(*found);
    }
  }

 private:
  static constexpr std::size_t block_chunks = 256;
  using block = std::array<std::atomic<Chunk*>, block_chunks>;

  std::array<std::atomic<block*>, chunk_count_max / block_chunks> blocks_{};
};

}  // namespace vexfs
