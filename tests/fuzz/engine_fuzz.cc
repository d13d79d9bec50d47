// SPDX-License-Identifier: Apache-2.0
// The engine by its commands: inserts, removes, links in slices, searches and scans, with bounds
// and numbers that nobody checked, and memory that runs out. The first bytes are a configuration
// and how many allocations are granted; then one command follows another. All SIMD levels have to
// answer the same, and in the end the graph has to be valid and all memory given back.
#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_input.h"
#include "tests/kernel/engine/counted_memory.h"
#include "tests/kernel/engine/engine_index.h"

extern "C" {
#include "kernel/engine/scan.h"
}

namespace {

using namespace vexfs;
using namespace vexfs::engine;
using fuzzing::fuzz_input;
using fuzzing::require;

// Most commands are about few slots, so that they meet; some are about another chunk's.
constexpr std::uint32_t slots_few = 900;
constexpr std::uint32_t slots_max = VEXFS_CHUNK_ROWS + 64;
constexpr std::uint32_t commands_max = 600;

std::uint32_t word(fuzz_input& input) {
  const std::uint32_t low = input.half();
  return low | static_cast<std::uint32_t>(input.half()) << 16;
}

/// Mostly within the bounds, sometimes anything.
std::uint32_t bound(fuzz_input& input, std::uint32_t most) {
  const std::uint8_t kind = input.byte();
  return kind >= 0xf8 ? word(input) : kind % (most + 1);
}

class engine_run {
 public:
  engine_run(fuzz_input input, simd_level level, bool is_validated)
      : input_(input), is_validated_(is_validated) {
    const std::uint8_t kind = input_.byte();
    dim_ = 1 + input_.byte() % 140;
    memory.asked = 0;
    memory.refused_first = kind & 1 ? input_.byte() : ~0ULL;
    vexfs_graph_config config{};
    config.width = kind & 2 ? word(input_) : 16 * (1 + input_.byte() % 4);
    config.links_new = 1 + bound(input_, 15);
    config.links_kept = 1 + bound(input_, 15);
    config.ef_construct = 1 + bound(input_, 40);
    config.tail_max = kind & 4 ? word(input_) % (1U << 20) : 1U << (input_.byte() % 10);
    config.lines = kind & 8 ? 1 : bound(input_, 1);
    const vexfs_metric metric = kind & 16   ? VEXFS_METRIC_DOT
                                : kind & 32 ? VEXFS_METRIC_MANHATTAN
                                            : VEXFS_METRIC_EUCLID;
    file_ = vexfs_vector_file_create(dim_, metric, kernels_for(level).scan);
    if (!file_) return;
    if (vexfs_graph_create(file_, &config, kernels_for(level).graph, &graph_) != 0) {
      graph_ = nullptr;
      return;
    }
    if (vexfs_linker_create(graph_, &linker_) != 0) linker_ = nullptr;
  }
  ~engine_run() {
    if (linker_) vexfs_linker_destroy(linker_);
    if (graph_) vexfs_graph_destroy(graph_);
    if (file_) vexfs_vector_file_destroy(file_);
    memory.refused_first = ~0ULL;
    require(memory.held_bytes == 0, "memory was not given back");
  }
  engine_run(const engine_run&) = delete;

  /// Everything that was answered.
  std::string run() {
    for (std::uint32_t i = 0; graph_ && i < commands_max && !input_.empty(); ++i) {
      switch (input_.byte() % 8) {
        case 0:
        case 1:
        case 2:
          insert();
          break;
        case 3:
          insert_many();
          break;
        case 4:
          remove();
          break;
        case 5:
          link(bound(input_, 60));
          break;
        case 6:
          search();
          break;
        case 7:
          scan();
          break;
      }
    }
    if (linker_) finish();
    return std::move(answers_);
  }

 private:
  /// Numbers from the input, or from a byte of it: near each other, equal, tiny, huge, not finite.
  std::vector<std::uint32_t> vector() {
    std::vector<std::uint32_t> bits(dim_);
    const std::uint8_t kind = input_.byte();
    std::mt19937 random(input_.byte());
    for (std::uint32_t& one : bits) {
      const float value = static_cast<float>(random() % 2048) / 1024 - 1;
      if (kind < 0x80)
        one = std::bit_cast<std::uint32_t>(value);
      else if (kind < 0xa0)
        one = std::bit_cast<std::uint32_t>(std::ldexp(value, kind - 0x90) * 1e30F);
      else if (kind < 0xc0)
        one = std::bit_cast<std::uint32_t>(value * 1e-40F);
      else if (kind < 0xd0)
        one = 0;
      else
        one = word(input_);
    }
    if (kind == 0xcf) bits[random() % dim_] = 0x7fc00000;
    return bits;
  }

  void insert_at(std::uint32_t slot, const std::vector<std::uint32_t>& bits) {
    const std::uint32_t generation = ++generation_;
    const int status = vexfs_graph_insert(graph_, slot, generation, bits.data());
    answers_ += std::to_string(status) + ' ';
    const bool is_known = status == 0 || status == -EINVAL || status == -ENOMEM ||
                          status == -ERANGE || status == -EEXIST || status == -EBUSY ||
                          status == -EAGAIN;
    require(is_known, "an insert answers what its header does not say");
    require((status == -EEXIST) <= live_.contains(slot),
            "a slot that is not live was refused as one");
    if (status == 0) require(live_.emplace(slot, generation).second, "a live slot was given away");
  }
  std::uint32_t slot() {
    const std::uint32_t chosen = input_.half();
    if (chosen >= 0xff00) return word(input_) | 0x20000000U;
    return chosen >= 0xf000 ? chosen % slots_max : chosen % slots_few;
  }
  void insert() {
    const std::uint32_t into = slot();
    insert_at(into, vector());
  }
  void insert_many() {
    const std::uint32_t first = slot();
    const std::uint32_t count = input_.byte();
    std::mt19937 random(input_.byte());
    std::vector<std::uint32_t> bits(dim_);
    for (std::uint32_t i = 0; i < count; ++i) {
      for (std::uint32_t& one : bits)
        one = std::bit_cast<std::uint32_t>(static_cast<float>(random() % 512) / 256 - 1);
      insert_at((first + i) % slots_max, bits);
    }
  }
  void remove() {
    const std::uint32_t first = slot();
    const std::uint32_t count = 1 + input_.byte() % 64;
    for (std::uint32_t i = 0; i < count; ++i) {
      vexfs_graph_remove(graph_, first + i);
      live_.erase(first + i);
    }
  }

  std::uint32_t link(std::uint32_t budget) {
    if (!linker_) return 0;
    const std::uint32_t limit = vexfs_slot_limit(graph_);
    aligned_memory scratch(vexfs_link_scratch_bytes(linker_, limit));
    return vexfs_run_link(linker_, budget % 2 == 0 ? VEXFS_LINK_USUAL : VEXFS_LINK_REPAIR,
                          std::min(budget, 4000U), limit, scratch.get());
  }

  void search() {
    vexfs_search asked{};
    const std::uint32_t limit = vexfs_slot_limit(graph_);
    asked.query_count = input_.byte() % 6;
    asked.wanted = bound(input_, 20);
    asked.ef = bound(input_, 70);
    asked.stop_rank = bound(input_, 12);
    asked.stop_share = bound(input_, 200) * 64;
    asked.slack = bound(input_, 40);
    asked.walk_count = bound(input_, 8);
    asked.slot_limit = input_.byte() % 4 ? limit : word(input_) % (limit + 1);
    std::vector<std::uint32_t> bits;
    std::vector<std::vector<std::uint64_t>> bitmaps(asked.query_count);
    std::vector<const std::uint64_t*> allowed(asked.query_count);
    std::vector<std::uint32_t> told(asked.query_count);
    for (std::uint32_t q = 0; q < asked.query_count; ++q) {
      const auto query = vector();
      bits.insert(bits.end(), query.begin(), query.end());
      const std::uint8_t kind = input_.byte();
      if (kind < 100) continue;
      std::mt19937_64 random(kind);
      bitmaps[q].resize(limit / 64);
      for (std::uint64_t& one : bitmaps[q])
        for (one = random(); kind < 180 && one != 0 && random() % 4 != 0;)
          one &= random();
      allowed[q] = bitmaps[q].data();
      told[q] = input_.byte() % 2 ? bound(input_, 255) : slots_max;
    }
    asked.query_bits = bits.data();
    asked.allowed = allowed.data();
    asked.allowed_counts = input_.byte() == 0xff ? nullptr : told.data();
    // What is out of range is refused before memory is looked at.
    const bool is_sized = asked.wanted <= VEXFS_EF_MAX && asked.ef <= VEXFS_EF_MAX &&
                          asked.walk_count <= VEXFS_WALKS_MAX;
    aligned_memory scratch(
        is_sized ? vexfs_search_scratch_bytes(graph_, asked.ef, asked.walk_count, asked.slot_limit)
                 : 0);
    std::vector<vexfs_found> found(is_sized ? std::size_t{asked.query_count} * asked.wanted : 0);
    std::vector<std::uint32_t> counts(asked.query_count);
    asked.found = found.data();
    asked.counts = counts.data();
    asked.scratch = scratch.get();
    const int status = vexfs_run_search(graph_, &asked);
    require(status == 0 || status == -EINVAL, "a search answers what its header does not say");
    answers_ += std::to_string(status) + ' ';
    if (status != 0) return;
    require(is_sized, "a bound out of range was taken");
    for (std::uint32_t q = 0; q < asked.query_count; ++q)
      check_answer(found.data() + std::size_t{q} * asked.wanted, counts[q], asked, allowed[q]);
  }
  void check_answer(const vexfs_found* found, std::uint32_t count, const vexfs_search& asked,
                    const std::uint64_t* allowed) {
    require(count <= asked.wanted, "more was found than wanted");
    std::vector<std::uint32_t> slots;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto live = live_.find(found[i].slot);
      require(live != live_.end(), "a slot was found that is not live");
      require(live->second == found[i].generation, "a slot was found with another generation");
      require(found[i].slot < asked.slot_limit, "a slot was found beyond the limit");
      require(vexfs_passes(allowed, found[i].slot), "a slot was found that does not pass");
      require(i == 0 || found[i - 1].key <= found[i].key, "what was found is not in order");
      slots.push_back(found[i].slot);
      answers_ += std::to_string(found[i].slot) + ':' + std::to_string(found[i].key) + ' ';
    }
    std::ranges::sort(slots);
    require(std::ranges::adjacent_find(slots) == slots.end(), "a slot was found twice");
  }

  void scan() {
    vexfs_scan asked{};
    asked.k = 1 + input_.byte() % 20;
    asked.capacity = asked.k + input_.byte();
    asked.slot_first = bound(input_, 255);
    asked.slot_last = bound(input_, 255) * 64;
    asked.query_count = 1 + input_.byte() % 3;
    std::vector<std::uint32_t> bits;
    for (std::uint32_t q = 0; q < asked.query_count; ++q) {
      const auto query = vector();
      bits.insert(bits.end(), query.begin(), query.end());
    }
    std::vector<vexfs_candidate> candidates(std::size_t{asked.query_count} * asked.capacity);
    std::vector<std::uint32_t> counts(asked.query_count);
    std::vector<std::uint8_t> overflowed(asked.query_count);
    aligned_memory scratch(
        vexfs_scan_scratch_bytes(file_, asked.query_count, asked.k, asked.capacity));
    asked.query_bits = bits.data();
    asked.candidates = candidates.data();
    asked.counts = counts.data();
    asked.overflowed = overflowed.data();
    asked.scratch = scratch.get();
    const int status = vexfs_run_scan(file_, &asked);
    require(status == 0 || status == -EINVAL, "a scan answers what its header does not say");
    if (status != 0) return;
    std::size_t live_count = 0;
    for (auto at = live_.lower_bound(asked.slot_first);
         at != live_.end() && at->first < asked.slot_last; ++at)
      ++live_count;
    for (std::uint32_t q = 0; q < asked.query_count; ++q) {
      require(counts[q] <= asked.capacity, "more candidates than fit");
      require(overflowed[q] || counts[q] >= std::min<std::size_t>(asked.k, live_count),
              "a scan that found fewer than there are");
      for (std::uint32_t i = 0; i < counts[q]; ++i) {
        const vexfs_candidate& one = candidates[std::size_t{q} * asked.capacity + i];
        const auto live = live_.find(one.slot);
        require(live != live_.end() && live->second == one.generation, "a candidate is not live");
        answers_ += std::to_string(one.slot) + ' ';
      }
    }
  }

  /// All is linked, and each vector is found by a scan of what passes.
  void finish() {
    memory.refused_first = ~0ULL;
    for (std::uint32_t turns = 0; vexfs_tail_length(graph_) != 0 || link(16) != 0; ++turns) {
      link(500);
      require(turns < 10'000, "linking does not end");
    }
    if (is_validated_) validate(graph_);
    std::size_t linked = 0;
    for (std::uint32_t slot = 0; slot < vexfs_slot_limit(graph_); ++slot)
      linked += vexfs_life_at(graph_, slot) != 0;
    require(linked == live_.size(), "slots live that were removed, or the other way round");
  }

  fuzz_input input_;
  const bool is_validated_;
  std::uint32_t dim_ = 1;
  vexfs_vector_file* file_ = nullptr;
  vexfs_graph* graph_ = nullptr;
  vexfs_linker* linker_ = nullptr;
  std::uint32_t generation_ = 0;
  std::map<std::uint32_t, std::uint32_t> live_;
  std::string answers_;
};

}  // namespace

extern "C" {

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  // What validate() finds is a finding here too.
  GTEST_FLAG_SET(break_on_failure, true);
  const fuzz_input input(bytes, count);
  const std::string expected = engine_run(input, simd_level::scalar, true).run();
  for (const simd_level level : levels())
    if (level != simd_level::scalar)
      fuzzing::require_same(engine_run(input, level, false).run(), expected,
                            "another SIMD level answers otherwise");
  return 0;
}
}
