// SPDX-License-Identifier: Apache-2.0
#include "ioctl/embedded/embedded_device.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <string>

#include "core/base/assert.h"
#include "ioctl/embedded/built_graph.h"
#include "ioctl/embedded/engine_kernels.h"
#include "ioctl/embedded/scratch.h"

extern "C" {
#include "kernel/engine/scan.h"
#include "kernel/engine/search.h"
#include "kernel/engine/vector_file.h"
#include "kernel/engine/walk.h"
}

namespace vexfs {
namespace {

static_assert(sizeof(candidate) == sizeof(vexfs_candidate));
static_assert(offsetof(candidate, generation) == offsetof(vexfs_candidate, generation));
static_assert(search_ef_max == VEXFS_EF_MAX);
static_assert(sizeof(key_unit) == sizeof(vexfs_key_unit));
static_assert(offsetof(key_unit, exponent) == offsetof(vexfs_key_unit, exponent));

// Walks that a thread has under way at a time: four give most of what six do, eight are no faster.
constexpr std::uint32_t walks_at_a_time = 6;
// Standard deviations, in sixteenths, by which a filter line may be wrong.
constexpr std::uint32_t line_slack = 16;
// Below it a filter line costs as much memory traffic as the code that it saves.
constexpr std::uint32_t lines_dim_min = 256;
// A step of adoption passes by so many slots that add nothing, a look at two words each, for a row.
constexpr std::uint32_t looks_per_row = 64;

/// A row of three times m links, of which a slot takes two thirds when it is linked; an overflowing
/// one is cut to five sixths, so that it has room for a while.
vexfs_graph_config engine_config(const graph_config& given, const vector_file_config& file) {
  vexfs_graph_config config{};
  config.width = std::clamp((3 * given.m + 15) / 16 * 16, 16U, VEXFS_WIDTH_MAX);
  config.links_new = std::min(2 * given.m, config.width);
  config.links_kept = config.width / 6 * 5;
  config.ef_construct = std::clamp(given.ef_construct, config.links_new, VEXFS_EF_MAX);
  // The ring has room for what is linked and inserted while a search looks at it.
  config.tail_max = std::bit_ceil(2 * std::clamp(given.tail_max, 1U, VEXFS_TAIL_MAX / 2));
  config.lines = file.dim >= lines_dim_min && file.metric != distance::manhattan;
  return config;
}

error out_of_memory(std::string_view what) {
  return {errc::insufficient_storage, "out of memory for " + std::string(what)};
}

error query_not_finite() {
  return {errc::bad_input, "a query vector holds a value that is not a finite number"};
}

error insert_error(int status) {
  switch (status) {
    case -EINVAL:
      return {errc::bad_input, "a vector holds a value that is not a finite number"};
    case -ENOMEM:
      return out_of_memory("vectors");
    case -ERANGE:
      return {errc::insufficient_storage, "a collection holds too many points"};
    case -EAGAIN:
      return {errc::service, "too many points wait to be linked"};
    default:
      return {errc::service, "the slot is in use: errno " + std::to_string(-status)};
  }
}

class embedded_vector_file final : public vector_file {
 public:
  embedded_vector_file(vexfs_vector_file* opened, const vector_file_config& config,
                       const vexfs_graph_kernels* graph_kernels)
      : file_(opened), config_(config), graph_kernels_(graph_kernels) {}
  ~embedded_vector_file() override {
    for (built_graph& one : graphs_)
      one.destroy();
    vexfs_vector_file_destroy(file_);
  }
  embedded_vector_file(const embedded_vector_file&) = delete;

  result<void> insert(std::span<const slot_index> slots,
                      std::span<const slot_generation> generations,
                      std::span<const std::uint32_t> vector_bits) override {
    VEXFS_ASSERT(slots.size() == generations.size());
    VEXFS_ASSERT(vector_bits.size() == slots.size() * config_.dim);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const int status = insert_one(slots[i], generations[i], vector_bits.data() + i * config_.dim);
      if (status == 0) continue;
      remove(slots.first(i));
      return std::unexpected(insert_error(status));
    }
    return {};
  }

  void remove(std::span<const slot_index> slots) override {
    for (const slot_index slot : slots) {
      vexfs_remove(file_, slot);
      for (const built_graph* one : {current(), next()})
        if (one) vexfs_graph_remove(one->graph, slot);
    }
  }

  bool is_free(slot_index slot) const override {
    return std::ranges::all_of(std::array{current(), next()}, [&](const built_graph* one) {
      return !one || vexfs_graph_is_free(one->graph, slot);
    });
  }

  result<void> scan(const scan_command& command) const override {
    // There is no bound for Manhattan's distance.
    if (config_.metric == distance::manhattan) {
      std::ranges::fill(command.overflowed, std::uint8_t{1});
      std::ranges::fill(command.candidate_counts, 0U);
      return {};
    }
    VEXFS_ASSERT(command.k > 0 && command.candidate_capacity >= command.k);
    vexfs_scan request{};
    request.k = command.k;
    request.slot_first = command.slot_first;
    request.slot_last = command.slot_last;
    request.query_count = command.query_count;
    request.capacity = command.candidate_capacity;
    request.query_bits = command.query_bits.data();
    request.allowed = command.allowed.empty() ? nullptr : command.allowed.data();
    request.candidates = reinterpret_cast<vexfs_candidate*>(command.candidates.data());
    request.counts = command.candidate_counts.data();
    request.overflowed = command.overflowed.data();
    request.scratch = thread_scratch::take(vexfs_scan_scratch_bytes(
        file_, command.query_count, command.k, command.candidate_capacity));
    if (!request.scratch) return std::unexpected(out_of_memory("a scan"));
    if (vexfs_run_scan(file_, &request) != 0) return std::unexpected(query_not_finite());
    return {};
  }

  result<void> start_graph(const graph_config& config) override {
    give_back_unused();
    const auto free = std::ranges::find(graphs_, nullptr, &built_graph::graph);
    if (free == graphs_.end())
      return fail(errc::unavailable, "searches of earlier graphs have not ended yet");
    const vexfs_graph_config made_as = engine_config(config, config_);
    if (vexfs_graph_create(file_, &made_as, graph_kernels_, &free->graph) != 0)
      return std::unexpected(out_of_memory("a graph"));
    if (vexfs_linker_create(free->graph, &free->linker) != 0) {
      free->destroy();
      return std::unexpected(out_of_memory("a graph"));
    }
    free->config = config;
    free->adopted = 0;
    free->adopt_last = vexfs_slot_limit(free->graph);
    free->complete.store(false, std::memory_order_relaxed);
    const bool is_replacement = current() && current()->complete.load(std::memory_order_relaxed);
    put(is_replacement ? next_ : current_, &*free);
    return {};
  }

  void drop_graph() override {
    put(next_, nullptr);
    put(current_, nullptr);
    give_back_unused();
  }

  bool adopt(std::uint32_t row_count, std::uint32_t tail_limit) override {
    built_graph* newest = next() ? next() : current();
    if (!newest) return give_back_unused();
    std::uint64_t looks = std::uint64_t{row_count} * looks_per_row;
    for (; looks > 0 && newest->adopted < newest->adopt_last; ++newest->adopted) {
      if (!would_join(newest->graph, newest->adopted)) {
        --looks;
        continue;
      }
      if (looks < looks_per_row || vexfs_tail_length(newest->graph) >= tail_limit ||
          vexfs_graph_adopt(newest->graph, newest->adopted) != 0)
        break;
      looks -= looks_per_row;
    }
    if (newest->adopted < newest->adopt_last) return false;
    if (newest == next() && !may_replace(newest->graph, tail_limit)) return false;
    newest->complete.store(true, std::memory_order_release);
    if (newest == next()) {
      put(current_, newest);
      put(next_, nullptr);
    }
    return give_back_unused();
  }

  std::optional<graph_state> graph() const override { return state_at(current_); }
  std::optional<graph_state> next_graph() const override { return state_at(next_); }

  std::uint32_t link(std::uint32_t item_count, link_order order) override {
    // First the one that searches wait for.
    const std::uint32_t done = link_at(current_, item_count, order);
    return done + link_at(next_, item_count - done, order);
  }

  result<void> search(const search_command& command) const override {
    const graph_use use(current_);
    if (!use) return fail(errc::not_found, "there is no graph any more");
    const vexfs_graph* graph = use->graph;
    const std::size_t found_max = std::size_t{command.query_count} * command.wanted;
    VEXFS_ASSERT(command.candidates.size() >= found_max);
    VEXFS_ASSERT(command.keys.empty() || command.keys.size() >= found_max);
    VEXFS_ASSERT(command.units.empty() || command.units.size() >= command.query_count);
    vexfs_search request{};
    request.query_count = command.query_count;
    request.query_bits = command.query_bits.data();
    request.allowed = command.allowed.empty() ? nullptr : command.allowed.data();
    request.allowed_counts =
        command.allowed_counts.empty() ? nullptr : command.allowed_counts.data();
    request.wanted = command.wanted;
    request.ef = command.ef;
    request.stop_rank = command.stop_rank;
    request.stop_share = command.stop_share;
    request.slack = line_slack;
    request.walk_count = std::min(walks_at_a_time, command.query_count);
    request.slot_limit = std::min(command.slot_limit, vexfs_slot_limit(graph));
    request.counts = command.candidate_counts.data();
    request.units =
        reinterpret_cast<vexfs_key_unit*>(command.units.empty() ? nullptr : command.units.data());
    const std::size_t found_bytes = found_max * sizeof(vexfs_found);
    auto* memory = static_cast<std::byte*>(thread_scratch::take(
        (found_bytes + 63) / 64 * 64 +
        vexfs_search_scratch_bytes(graph, request.ef, request.walk_count, request.slot_limit)));
    if (!memory) return std::unexpected(out_of_memory("a search"));
    request.found = reinterpret_cast<vexfs_found*>(memory);
    request.scratch = memory + (found_bytes + 63) / 64 * 64;
    if (vexfs_run_search(graph, &request) != 0) return std::unexpected(query_not_finite());
    for (std::uint32_t query = 0; query < command.query_count; ++query)
      for (std::uint32_t i = 0; i < command.candidate_counts[query]; ++i) {
        const std::size_t at = std::size_t{query} * command.wanted + i;
        command.candidates[at] = {request.found[at].slot, request.found[at].generation};
        if (!command.keys.empty()) command.keys[at] = request.found[at].key;
      }
    return {};
  }

  vector_storage storage() const override {
    const graph_use use(current_);
    vector_storage kept;
    kept.code_bytes = file_->row_bytes + static_cast<std::uint32_t>(sizeof(vexfs_row_constants) +
                                                                    sizeof(std::uint64_t));
    kept.codes = "int8, a step a vector";
    if (!use) return kept;
    const vexfs_graph* graph = use->graph;
    if (graph->config.lines) kept.codes = "int8, a step a vector, behind 1-bit filter lines";
    constexpr std::uint32_t link_bytes = sizeof(std::uint32_t);
    kept.graph_bytes = graph->line_bytes + graph->config.width * link_bytes + 1;
    return kept;
  }

  std::size_t memory_bytes() const override {
    std::size_t bytes = vexfs_memory_bytes(file_);
    for (const graph_place* place : {&current_, &next_})
      if (const graph_use use(*place); use) bytes += vexfs_graph_memory_bytes(use->graph);
    for (const built_graph& one : graphs_)
      bytes += one.left_bytes.load(std::memory_order_relaxed);
    return bytes;
  }

 private:
  // The owner's looks: nobody else changes a place.
  [[nodiscard]] built_graph* current() const { return current_.load(std::memory_order_relaxed); }
  [[nodiscard]] built_graph* next() const { return next_.load(std::memory_order_relaxed); }

  /// What was in the place is left to those who use it.
  void put(graph_place& place, built_graph* one) {
    built_graph* left = place.exchange(one, std::memory_order_seq_cst);
    if (left && left != current() && left != next())
      left->left_bytes.store(vexfs_graph_memory_bytes(left->graph), std::memory_order_relaxed);
  }

  static bool would_join(const vexfs_graph* graph, std::uint32_t slot) {
    return vexfs_life_at(graph, slot) != 0 && vexfs_graph_is_free(graph, slot) != 0;
  }

  /// Of a graph with every row: it is searched about as fast as the other one.
  static bool may_replace(const vexfs_graph* graph, std::uint32_t tail_limit) {
    const std::uint32_t tail_count = vexfs_tail_length(graph);
    return tail_count <= tail_limit && tail_count <= vexfs_load_relaxed(&graph->linked_count);
  }

  /// True where nothing is left to give back.
  bool give_back_unused() {
    bool all = true;
    for (built_graph& one : graphs_) {
      if (!one.graph || &one == current() || &one == next()) continue;
      if (one.users.load(std::memory_order_seq_cst) == 0)
        one.destroy();
      else
        all = false;
    }
    return all;
  }

  /// The graph that is to come gets every row too. It is given up where it has no room: the row
  /// matters more.
  int insert_one(slot_index slot, slot_generation generation, const std::uint32_t* bits) {
    if (next() && vexfs_graph_reserve(next()->graph, slot) != 0) put(next_, nullptr);
    const int status = current() ? vexfs_graph_insert(current()->graph, slot, generation, bits)
                                 : vexfs_insert(file_, slot, generation, bits);
    if (status == 0 && next() && vexfs_graph_adopt(next()->graph, slot) != 0) put(next_, nullptr);
    return status;
  }

  [[nodiscard]] static std::optional<graph_state> state_at(const graph_place& place) {
    const graph_use use(place);
    if (!use) return std::nullopt;
    graph_state state;
    state.config = use->config;
    state.complete = use->complete.load(std::memory_order_acquire);
    state.tail_count = vexfs_tail_length(use->graph);
    // In this order: a repair that begins meanwhile counts the same slots for both, never for none.
    state.dead_count = vexfs_load_acquire(&use->graph->dead_count);
    state.dying_count = vexfs_load_relaxed(&use->graph->dying_count);
    state.dead_count += state.dying_count;
    const std::uint32_t linked = vexfs_load_relaxed(&use->graph->linked_count);
    state.linked_count = linked - std::min(linked, state.dead_count);
    return state;
  }

  [[nodiscard]] static std::uint32_t link_at(const graph_place& place, std::uint32_t item_count,
                                             link_order order) {
    const graph_use use(place);
    if (!use || item_count == 0) return 0;
    const std::uint32_t slot_limit = vexfs_slot_limit(use->graph);
    void* scratch = thread_scratch::take(vexfs_link_scratch_bytes(use->linker, slot_limit));
    if (!scratch) return 0;
    return vexfs_run_link(use->linker,
                          order == link_order::usual ? VEXFS_LINK_USUAL : VEXFS_LINK_REPAIR,
                          item_count, slot_limit, scratch);
  }

  vexfs_vector_file* const file_;
  const vector_file_config config_;
  const vexfs_graph_kernels* const graph_kernels_;
  graph_place current_{nullptr};
  graph_place next_{nullptr};
  // Two in their places, and those that searches have not let go yet.
  std::array<built_graph, 4> graphs_;
};

class embedded_device final : public device {
 public:
  explicit embedded_device(simd_level level) : kernels_(kernels_for(level)) {}

  result<std::unique_ptr<vector_file>> create(const vector_file_config& config) override {
    vexfs_vector_file* file =
        vexfs_vector_file_create(config.dim, engine_metric(config.metric), kernels_.scan);
    if (!file) return std::unexpected(out_of_memory("a vector file"));
    return std::make_unique<embedded_vector_file>(file, config, kernels_.graph);
  }

 private:
  const engine_kernels kernels_;
};

}  // namespace

std::unique_ptr<device> make_embedded_device(simd_level level) {
  return std::make_unique<embedded_device>(level);
}

}  // namespace vexfs
