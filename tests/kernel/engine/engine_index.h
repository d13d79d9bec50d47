// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ioctl/embedded/cpu.h"
#include "ioctl/embedded/engine_kernels.h"

extern "C" {
#include "kernel/engine/link.h"
#include "kernel/engine/search.h"
#include "kernel/engine/vector_file.h"
#include "kernel/engine/walk.h"
}

namespace vexfs::engine {

using floats = std::vector<float>;

inline std::uint64_t test_seed() {
  const char* given = std::getenv("VEXFS_TEST_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 20'260'801;
}

/// The levels that this machine has, the oracle first.
inline std::vector<simd_level> levels() {
  std::vector<simd_level> found;
  for (const simd_level level : {simd_level::scalar, simd_level::avx2, simd_level::avx512})
    if (level <= detect_simd_level()) found.push_back(level);
  return found;
}

inline vexfs_graph_config usual_config(std::uint32_t dim) {
  vexfs_graph_config config{};
  config.width = 48;
  config.links_new = 32;
  config.links_kept = 40;
  config.ef_construct = 100;
  config.tail_max = 1U << 16;
  config.lines = dim >= 256;
  return config;
}

/// The same without filter lines where the metric has none.
inline vexfs_graph_config usual_config(std::uint32_t dim, vexfs_metric metric) {
  vexfs_graph_config config = usual_config(dim);
  if (metric == VEXFS_METRIC_MANHATTAN) config.lines = 0;
  return config;
}

/// Memory aligned as scratch and codes are.
class aligned_memory {
 public:
  explicit aligned_memory(std::size_t size) : bytes_(size + 64) {}
  [[nodiscard]] void* get() {
    return bytes_.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes_.data()) % 64) % 64;
  }

 private:
  std::vector<std::byte> bytes_;
};

struct search_options {
  std::uint32_t wanted = 10;
  std::uint32_t ef = 64;
  std::uint32_t stop_rank = 0;
  std::uint32_t stop_share = 0;
  std::uint32_t walk_count = 4;
  const std::uint64_t* allowed = nullptr;  // for all queries
  std::uint32_t told_count = ~0U;          // what the engine is told of it; ~0: the truth
  std::uint64_t* expanded = nullptr;       // how many places it took, for all queries
};

/// One vector file with its graph and linker.
class engine_index {
 public:
  engine_index(std::uint32_t dim, vexfs_metric metric, const vexfs_graph_config& config,
               simd_level level = detect_simd_level())
      : dim_(dim) {
    file_ = vexfs_vector_file_create(dim, metric, kernels_for(level).scan);
    EXPECT_NE(file_, nullptr);
    EXPECT_EQ(vexfs_graph_create(file_, &config, kernels_for(level).graph, &graph_), 0);
    EXPECT_EQ(vexfs_linker_create(graph_, &linker_), 0);
  }
  ~engine_index() {
    vexfs_linker_destroy(linker_);
    vexfs_graph_destroy(graph_);
    vexfs_vector_file_destroy(file_);
  }
  engine_index(const engine_index&) = delete;

  int insert(std::uint32_t slot, const float* values, std::uint32_t generation = 0) {
    return vexfs_graph_insert(graph_, slot, generation,
                              reinterpret_cast<const std::uint32_t*>(values));
  }
  void insert_all(const floats& rows, std::uint32_t first = 0) {
    for (std::uint32_t i = 0; i < rows.size() / dim_; ++i)
      ASSERT_EQ(insert(first + i, rows.data() + std::size_t{i} * dim_), 0);
  }
  void remove(std::uint32_t slot) { vexfs_graph_remove(graph_, slot); }

  /// One call of the command; how many items it ran.
  std::uint32_t link_some(std::uint32_t budget, vexfs_link_order order = VEXFS_LINK_USUAL) {
    const std::uint32_t limit = vexfs_slot_limit(graph_);
    aligned_memory scratch(vexfs_link_scratch_bytes(linker_, limit));
    return vexfs_run_link(linker_, order, budget, limit, scratch.get());
  }
  void link_all(std::uint32_t budget = 100) {
    while (link_some(budget) != 0) {
    }
    ASSERT_EQ(vexfs_tail_length(graph_), 0U);
  }

  [[nodiscard]] std::vector<std::vector<vexfs_found>> search(const floats& queries,
                                                             const search_options& options) const {
    const auto count = static_cast<std::uint32_t>(queries.size() / dim_);
    std::vector<vexfs_found> found(std::size_t{count} * options.wanted);
    std::vector<std::uint32_t> counts(count);
    const std::uint32_t limit = vexfs_slot_limit(graph_);
    aligned_memory scratch(
        vexfs_search_scratch_bytes(graph_, options.ef, options.walk_count, limit));
    vexfs_search search{};
    search.query_count = count;
    search.query_bits = reinterpret_cast<const std::uint32_t*>(queries.data());
    search.wanted = options.wanted;
    search.ef = options.ef;
    search.stop_rank = options.stop_rank;
    search.stop_share = options.stop_share;
    search.slack = 16;
    search.walk_count = options.walk_count;
    search.slot_limit = limit;
    search.found = found.data();
    search.counts = counts.data();
    search.scratch = scratch.get();
    const std::vector<const std::uint64_t*> allowed(count, options.allowed);
    search.allowed = options.allowed ? allowed.data() : nullptr;
    std::uint32_t passing = 0;
    for (std::uint32_t word = 0; options.allowed && word < limit / 64; ++word)
      passing += static_cast<std::uint32_t>(std::popcount(options.allowed[word]));
    const std::vector<std::uint32_t> allowed_counts(
        count, options.told_count == ~0U ? passing : options.told_count);
    search.allowed_counts = allowed_counts.data();
    EXPECT_EQ(vexfs_run_search(graph_, &search), 0);
    if (options.expanded) *options.expanded = search.expanded_count;
    std::vector<std::vector<vexfs_found>> answers;
    for (std::uint32_t q = 0; q < count; ++q) {
      const auto* begin = found.data() + std::size_t{q} * options.wanted;
      answers.emplace_back(begin, begin + counts[q]);
    }
    return answers;
  }

  [[nodiscard]] vexfs_graph* graph() const { return graph_; }
  [[nodiscard]] vexfs_linker* linker() const { return linker_; }
  [[nodiscard]] std::uint32_t dim() const { return dim_; }

  /// All links of a slot, as slots.
  [[nodiscard]] std::vector<std::uint32_t> links(std::uint32_t slot) const {
    const std::uint32_t* row = vexfs_links_at(graph_, slot);
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < graph_->config.width && row[i] != 0; ++i)
      found.push_back(row[i] - 1);
    return found;
  }

 private:
  const std::uint32_t dim_;
  vexfs_vector_file* file_ = nullptr;
  vexfs_graph* graph_ = nullptr;
  vexfs_linker* linker_ = nullptr;
};

/// The kinds of data that a collection may hold.
inline floats make_rows(std::mt19937_64& random, const std::string& kind, std::uint32_t count,
                        std::uint32_t dim) {
  std::normal_distribution<float> normal;
  floats centres(std::size_t{40} * dim);
  std::mt19937_64 fixed(7);
  for (float& value : centres)
    value = normal(fixed);
  floats rows(std::size_t{count} * dim);
  for (std::uint32_t r = 0; r < count; ++r) {
    float* row = rows.data() + std::size_t{r} * dim;
    // In clustered order all rows of a cluster come in one stretch.
    const std::uint64_t cluster =
        kind == "clustered order" ? std::uint64_t{r} * 40 / count : random() % 40;
    float scale = 1;
    if (kind == "tiny") scale = 1e-38F;
    if (kind == "huge") scale = 1e17F;
    if (kind == "short half" && random() % 2 == 0) scale = 1e-6F;
    if (kind == "a few huge" && r % 401 == 50) scale = 1e30F;
    if (kind == "mixed norms") scale = std::ldexp(1.0F, static_cast<int>(random() % 12) - 6);
    for (std::uint32_t d = 0; d < dim; ++d) {
      const float spread = kind == "tight clusters" ? 0.015F : 0.4F;
      float value = centres[cluster * dim + d] + spread * normal(random);
      if (kind == "anisotropic") value *= 4.0F / static_cast<float>(d + 4);
      if (kind == "drifting") value += 4.0F * static_cast<float>(r) / static_cast<float>(count);
      if (kind == "many zeros" && random() % 8 != 0) value = 0;
      row[d] = value * scale;
    }
    if (kind == "duplicates" && r >= count / 20)
      std::copy_n(rows.data() + (random() % (count / 20)) * dim, dim, row);
  }
  return rows;
}

inline void normalise_rows(floats& rows, std::uint32_t dim) {
  for (std::size_t at = 0; at < rows.size(); at += dim) {
    double square = 0;
    for (std::uint32_t d = 0; d < dim; ++d)
      square += double{rows[at + d]} * rows[at + d];
    for (std::uint32_t d = 0; d < dim; ++d)
      rows[at + d] = static_cast<float>(rows[at + d] / std::sqrt(square));
  }
}

/// Smaller is nearer, in double.
inline double distance_of(vexfs_metric metric, const float* query, const float* row,
                          std::uint32_t dim) {
  double sum = 0;
  for (std::uint32_t d = 0; d < dim; ++d) {
    const double difference = double{query[d]} - row[d];
    sum += metric == VEXFS_METRIC_DOT      ? -double{query[d]} * row[d]
           : metric == VEXFS_METRIC_EUCLID ? difference * difference
                                           : std::abs(difference);
  }
  return sum;
}

inline bool is_in_graph(const vexfs_graph* graph, std::uint32_t slot) {
  const std::uint8_t state = *vexfs_state_at(graph, slot);
  return state == VEXFS_SLOT_LINKED || state == VEXFS_SLOT_DEAD;
}

/// One row of the entries: a linked slot, with copies of what keys are made of.
inline void validate_entry(const vexfs_graph* graph, const vexfs_entry_rows& rows,
                           std::uint32_t index) {
  const std::uint32_t slot = rows.slots[index];
  const std::size_t line_bytes = graph->config.lines ? graph->line_bytes : graph->row_bytes;
  ASSERT_TRUE(is_in_graph(graph, slot));
  const void* line = graph->config.lines ? static_cast<const void*>(vexfs_line_at(graph, slot))
                                         : vexfs_code_at(graph, slot);
  ASSERT_EQ(std::memcmp(rows.rows + index * line_bytes, line, line_bytes), 0);
  ASSERT_EQ(std::memcmp(&rows.scales[index], vexfs_scale_at(graph, slot), sizeof(vexfs_row_scale)),
            0);
}

inline void validate_entries(const vexfs_graph* graph) {
  const vexfs_entries& entries = *graph->entries;
  ASSERT_EQ(entries.count != 0, graph->linked_count != 0);
  ASSERT_LE(entries.group_count, entries.groups_made);
  std::vector<std::uint32_t> slots;
  for (std::uint32_t g = 0; g < entries.group_count; ++g) {
    const vexfs_entry_rows& group = entries.groups[g];
    ASSERT_GT(group.count, 0U);
    ASSERT_LE(group.count, VEXFS_GROUP_ENTRIES);
    validate_entry(graph, entries.centres, g);
    for (std::uint32_t i = 0; i < group.count; ++i) {
      validate_entry(graph, group, i);
      slots.push_back(group.slots[i]);
    }
  }
  ASSERT_EQ(slots.size(), entries.count);
  std::ranges::sort(slots);
  ASSERT_TRUE(std::ranges::adjacent_find(slots) == slots.end()) << "a slot is twice an entry";
}

inline void validate_longest(const vexfs_graph* graph) {
  const vexfs_longest& known = graph->longest;
  ASSERT_LE(known.count, VEXFS_BEYOND_MAX);
  std::vector<std::uint32_t> longest(known.slots, known.slots + known.count);
  for (const std::uint32_t slot : longest)
    ASSERT_TRUE(is_in_graph(graph, slot));
  std::ranges::sort(longest);
  ASSERT_TRUE(std::ranges::adjacent_find(longest) == longest.end())
      << "a slot is twice among the longest";
}

/// Walks all invariants of a graph that nobody changes meanwhile, between repairs.
inline void validate(const vexfs_graph* graph) {
  const std::uint32_t limit = vexfs_slot_limit(graph);
  std::uint32_t linked = 0;
  std::uint32_t dead = 0;
  for (std::uint32_t slot = 0; slot < limit; ++slot) {
    const std::uint32_t* row = vexfs_links_at(graph, slot);
    const std::uint8_t state = *vexfs_state_at(graph, slot);
    ASSERT_LE(state, VEXFS_SLOT_DEAD);
    linked += is_in_graph(graph, slot);
    dead += state == VEXFS_SLOT_DEAD;
    if (state == VEXFS_SLOT_LINKED) {
      ASSERT_NE(vexfs_life_at(graph, slot), 0U);
    } else if (state != VEXFS_SLOT_TAIL) {
      ASSERT_EQ(vexfs_life_at(graph, slot), 0U);
    }
    std::vector<std::uint32_t> seen;
    bool has_ended = false;
    for (std::uint32_t i = 0; i < graph->config.width; ++i) {
      if (row[i] == 0) {
        has_ended = true;
        continue;
      }
      ASSERT_FALSE(has_ended) << "slot " << slot << " has a link behind an empty place";
      const std::uint32_t target = row[i] - 1;
      ASSERT_TRUE(is_in_graph(graph, slot)) << "slot " << slot << " is not linked and has links";
      ASSERT_LT(target, limit);
      ASSERT_NE(target, slot) << "links to itself";
      ASSERT_TRUE(is_in_graph(graph, target))
          << "slot " << slot << " links to " << target << ", which is not linked";
      ASSERT_EQ(std::ranges::count(seen, target), 0) << "slot " << slot << " links twice";
      seen.push_back(target);
    }
  }
  ASSERT_EQ(linked, graph->linked_count);
  ASSERT_EQ(dead, graph->dead_count);
  ASSERT_EQ(graph->dying_count, 0U);

  std::vector<std::uint32_t> tail;
  for (std::uint32_t at = graph->tail_first; at != graph->tail_last; ++at) {
    const std::uint32_t slot = graph->tail[at & (graph->config.tail_max - 1)];
    ASSERT_LT(slot, limit);
    ASSERT_EQ(*vexfs_state_at(graph, slot), VEXFS_SLOT_TAIL);
    tail.push_back(slot);
  }
  std::ranges::sort(tail);
  ASSERT_TRUE(std::ranges::adjacent_find(tail) == tail.end()) << "a slot is twice in the tail";

  validate_entries(graph);
  validate_longest(graph);
}

/// Rows whose keeper, the slot of their first link, has no link to them.
inline std::uint32_t unkept_count(const vexfs_graph* graph) {
  std::uint32_t unkept = 0;
  for (std::uint32_t slot = 0; slot < vexfs_slot_limit(graph); ++slot) {
    const std::uint32_t* row = vexfs_links_at(graph, slot);
    if (row[0] == 0) continue;
    const std::uint32_t* keeper = vexfs_links_at(graph, row[0] - 1);
    unkept +=
        std::find(keeper, keeper + graph->config.width, slot + 1) == keeper + graph->config.width;
  }
  return unkept;
}

/// Linked slots that no path from an entry reaches.
inline std::uint32_t unreachable_count(const vexfs_graph* graph) {
  std::vector<bool> seen(vexfs_slot_limit(graph));
  std::vector<std::uint32_t> open;
  for (std::uint32_t g = 0; g < graph->entries->group_count; ++g)
    open.insert(open.end(), graph->entries->groups[g].slots,
                graph->entries->groups[g].slots + graph->entries->groups[g].count);
  for (const std::uint32_t slot : open)
    seen[slot] = true;
  std::uint32_t reached = 0;
  while (!open.empty()) {
    const std::uint32_t slot = open.back();
    open.pop_back();
    ++reached;
    const std::uint32_t* row = vexfs_links_at(graph, slot);
    for (std::uint32_t i = 0; i < graph->config.width && row[i] != 0; ++i) {
      if (seen[row[i] - 1]) continue;
      seen[row[i] - 1] = true;
      open.push_back(row[i] - 1);
    }
  }
  return graph->linked_count - reached;
}

}  // namespace vexfs::engine
