// SPDX-License-Identifier: Apache-2.0
#include "core/filter/filter_plan.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/base/limits.h"
#include "core/filter/compiled_filter.h"
#include "core/filter/indexes.h"
#include "core/filter/plan_tree.h"

namespace vexfs {
namespace {

/// Slots that are decided together: the bitmaps of a few levels of the tree stay in the first
/// cache.
constexpr std::size_t block_words = 256;
/// A fold of a large tree takes fewer: about this many words of all its nodes together.
constexpr std::size_t fold_words_max = 1 << 16;
/// Setting bits from an index, or folding words, against looking at one payload.
constexpr std::uint64_t bits_per_look = 64;

const filter everything;

}  // namespace

struct plan_state {
  enum class stage : std::uint8_t { known, start, leaves, blocks, changes, done };

  const filter* what;
  arena* memory;
  stage at = stage::start;
  std::uint32_t starts = 0;
  std::uint64_t schema_version = 0;
  std::uint64_t changes_seen = 0;
  std::uint64_t checked = 0;
  std::uint64_t count = 0;
  const compiled_filter* compiled = nullptr;
  plan_tree tree;
  std::size_t leaf_index = 0;
  std::size_t next_word = 0;         // of the block after the current one
  std::size_t pending_first = 0;     // first word of the current block
  std::size_t pending_words = 0;     // its size
  std::span<std::uint64_t> pending;  // what is still to be looked at in it
  std::span<std::uint64_t> allowed, scratch;

  void compile(const field_indexes& indexes);
  void make_room(const point_source& source);
  void start(const field_indexes& indexes, const point_source& source);
  bool leaves(const point_source& source, std::uint64_t& budget);
  bool blocks(const point_source& source, std::uint64_t& budget);
  bool look(const point_source& source, std::uint64_t& budget);
  bool changes(const field_indexes& indexes, const point_source& source, std::uint64_t& budget);
};

void plan_state::compile(const field_indexes& indexes) {
  compiled = memory->make<compiled_filter>(*what, &indexes, *memory);
  tree = make_plan_tree(compiled->root(), *memory);
}

/// Bits for all slots that there are now, in memory of the plan's own.
void plan_state::make_room(const point_source& source) {
  const auto before = allowed;
  const std::size_t words = (std::size_t{source.slot_count()} + 63) / 64;
  allowed = memory->array<std::uint64_t>(words);
  std::ranges::copy(before.first(std::min(before.size(), words)), allowed.begin());
}

void plan_state::start(const field_indexes& indexes, const point_source& source) {
  ++starts;
  schema_version = indexes.schema_version();
  changes_seen = indexes.change_count();
  compile(indexes);
  const std::size_t words = (std::size_t{source.slot_count()} + 63) / 64;
  allowed = memory->array<std::uint64_t>(words);
  pending = memory->array<std::uint64_t>(block_words);
  scratch = memory->array<std::uint64_t>(2 * block_words * (tree.depth + 1));
  std::uint64_t bitmap_bytes = 0;
  for (plan_leaf* leaf : tree.leaves) {
    const bool by_index = leaf->node->kind == compiled_node::form::field;
    bitmap_bytes += words * sizeof(std::uint64_t) * (by_index ? 2 : 1);
    if (bitmap_bytes > filter_bitmap_bytes_max) break;
    leaf->sure = memory->array<std::uint64_t>(words);
    if (by_index) leaf->maybe = memory->array<std::uint64_t>(words);
    if (by_index) {
      leaf->node->index->select_undecided(*leaf->node->predicate, slot_bits(leaf->maybe));
    }
  }
  leaf_index = 0;
  next_word = 0;
  pending_words = 0;
  at = stage::leaves;
}

bool plan_state::leaves(const point_source& source, std::uint64_t& budget) {
  for (; leaf_index < tree.leaves.size(); ++leaf_index) {
    plan_leaf& leaf = *tree.leaves[leaf_index];
    if (leaf.sure.empty()) continue;
    if (leaf.node->kind == compiled_node::form::has_id) {
      slot_bits bits(leaf.sure);
      for (std::uint64_t& item = leaf.cursor.item; item < leaf.node->ids.size(); ++item, --budget) {
        if (budget == 0) return false;
        if (const auto slot = source.find(leaf.node->ids[item])) bits.set(*slot);
      }
      continue;
    }
    const field_index& index = *leaf.node->index;
    const field_predicate& predicate = *leaf.node->predicate;
    // Exactness may be lost between two steps: a text index may meet a point with two texts. That
    // point has changed and is looked at again, so what was true at the first step is enough.
    const slot_bits bits(index.exact(predicate) ? leaf.sure : leaf.maybe);
    std::uint64_t bit_budget = budget * bits_per_look;
    const bool end = index.select(predicate, leaf.cursor, bits, bit_budget);
    budget = bit_budget / bits_per_look;
    if (!end) return false;
  }
  return true;
}

bool plan_state::look(const point_source& source, std::uint64_t& budget) {
  std::array<std::uint64_t, block_words> live;
  const std::size_t words = pending_words;
  source.live_words(static_cast<std::uint32_t>(pending_first), std::span(live.data(), words));
  std::array<std::uint32_t, point_source::point_group_max> group;
  std::array<std::string_view, point_source::point_group_max> payloads;
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t& word = pending[i];
    word &= live[i];
    if (word == 0) continue;
    if (budget == 0) return false;
    std::size_t found = 0;
    for (std::uint64_t left = word; left != 0; left &= left - 1) {
      group[found++] = static_cast<std::uint32_t>((pending_first + i) * 64) +
                       static_cast<std::uint32_t>(std::countr_zero(left));
    }
    source.payloads(std::span(group.data(), found), payloads.data());
    for (std::size_t j = 0; j < found && budget > 0; ++j) {
      ++checked;
      const std::uint64_t bit = 1ULL << (group[j] & 63);
      word &= ~bit;
      if (compiled->matches(source, group[j], payloads[j])) allowed[pending_first + i] |= bit;
      budget -= std::min(budget, (1 + payloads[j].size() / 1024) * tree.look_cost);
    }
    if (word != 0) return false;
  }
  return true;
}

bool plan_state::blocks(const point_source& source, std::uint64_t& budget) {
  for (;;) {
    if (!look(source, budget)) return false;
    if (next_word >= allowed.size()) return true;
    if (budget == 0) return false;
    const std::size_t first = next_word;
    const std::size_t block =
        std::clamp<std::size_t>(fold_words_max / tree.node_count, 1, block_words);
    const std::size_t words = std::min(block, allowed.size() - first);
    const verdict out{scratch.first(words), scratch.subspan(block_words, words)};
    fold(tree.root, first, scratch.subspan(2 * block_words), out);
    std::array<std::uint64_t, block_words> live;
    source.live_words(static_cast<std::uint32_t>(first), std::span(live.data(), words));
    for (std::size_t i = 0; i < words; ++i) {
      allowed[first + i] = out.sure[i] & live[i];
      pending[i] = out.maybe[i] & ~out.sure[i] & live[i];
    }
    pending_first = first;
    pending_words = words;
    next_word = first + words;
    budget -= std::min<std::uint64_t>(budget, tree.node_count * words / bits_per_look + 1);
  }
}

bool plan_state::changes(const field_indexes& indexes, const point_source& source,
                         std::uint64_t& budget) {
  for (; changes_seen != indexes.change_count(); ++changes_seen) {
    if (budget == 0) return false;
    const std::uint32_t slot = indexes.changed_slot(changes_seen);
    if (slot >> 6 >= allowed.size()) make_room(source);
    if (!compiled) compile(indexes);
    ++checked;
    budget -= std::min(budget, tree.look_cost);
    const std::uint64_t bit = 1ULL << (slot & 63);
    std::uint64_t& word = allowed[slot >> 6];
    word = compiled->matches(source, slot) ? word | bit : word & ~bit;
  }
  return true;
}

filter_plan::filter_plan(const filter* what, arena& memory) : state_(memory.make<plan_state>()) {
  state_->what = what != nullptr ? what : &everything;
  state_->memory = &memory;
}

filter_plan::filter_plan(const filter* what, const known_bits& known, arena& memory)
    : filter_plan(what, memory) {
  state_->at = plan_state::stage::known;
  // Read only: make_room() copies them.
  state_->allowed = {const_cast<std::uint64_t*>(known.words.data()), known.words.size()};
  state_->schema_version = known.schema_version;
  state_->changes_seen = known.changes_seen;
}

bool filter_plan::advance(const field_indexes& indexes, const point_source& source,
                          std::uint32_t budget_points) {
  plan_state& s = *state_;
  using stage = plan_state::stage;
  if (s.at == stage::done) return true;
  std::uint64_t budget = std::max<std::uint64_t>(budget_points, 1);
  // The compiled form points into indexes, and changes that were not kept cannot be looked at.
  const bool stale =
      s.at != stage::start && (s.schema_version != indexes.schema_version() ||
                               indexes.change_count() - s.changes_seen > filter_change_window);
  if (stale) s.at = stage::start;
  if (s.at == stage::known) {
    s.make_room(source);
    s.at = stage::changes;
  }
  // Writers that outrun the plan again and again must not keep it from ending.
  if (s.starts >= filter_plan_starts_max) budget = UINT32_MAX;
  if (s.at == stage::start) s.start(indexes, source);
  if (s.at == stage::leaves) {
    if (!s.leaves(source, budget)) return false;
    s.at = stage::blocks;
  }
  if (s.at == stage::blocks) {
    if (!s.blocks(source, budget)) return false;
    s.at = stage::changes;
  }
  if (!s.changes(indexes, source, budget)) return false;
  for (const std::uint64_t word : s.allowed) {
    s.count += static_cast<std::uint64_t>(std::popcount(word));
  }
  s.at = stage::done;
  return true;
}

std::span<const std::uint64_t> filter_plan::allowed() const {
  return state_->allowed;
}
std::uint64_t filter_plan::count() const {
  return state_->count;
}
known_bits filter_plan::known() const {
  return {state_->allowed, state_->schema_version, state_->changes_seen};
}
std::uint64_t filter_plan::checked_count() const {
  return state_->checked;
}

namespace {

cardinality estimate_node(const plan_node& node, double points) {
  const auto all = static_cast<std::uint64_t>(points);
  const auto within = [&](cardinality c) {
    c.max = std::min(c.max, all);
    c.min = std::min(c.min, c.max);
    c.expected = std::clamp(c.expected, c.min, c.max);
    return c;
  };
  switch (node.kind) {
    case plan_node::form::unknown:
      return {0, all / 2, all};
    case plan_node::form::never:
      return {};
    case plan_node::form::leaf: {
      const compiled_node& from = *node.leaf->node;
      if (from.kind == compiled_node::form::has_id) {
        return within({0, from.ids.size(), from.ids.size()});
      }
      cardinality c = *from.index->estimate(*from.predicate);
      if (node.loose || !from.index->exact(*from.predicate)) c.min = 0;
      return within(c);
    }
    case plan_node::form::all: {
      cardinality sum{all, all, all};
      double part = 1;
      std::uint64_t missing = 0;
      for (const plan_node& child : node.children) {
        const cardinality c = estimate_node(child, points);
        sum.max = std::min(sum.max, c.max);
        missing += all - c.min;
        part *= points > 0 ? static_cast<double>(c.expected) / points : 0;
      }
      sum.min = missing < all && !node.loose ? all - missing : 0;
      sum.expected = static_cast<std::uint64_t>(part * points);
      return within(sum);
    }
    case plan_node::form::any:
    case plan_node::form::none: {
      cardinality sum;
      double none = 1;
      for (const plan_node& child : node.children) {
        const cardinality c = estimate_node(child, points);
        sum.max += c.max;
        sum.min = std::max(sum.min, c.min);
        none *= points > 0 ? 1 - static_cast<double>(c.expected) / points : 0;
      }
      sum.expected = static_cast<std::uint64_t>((1 - none) * points);
      if (node.kind == plan_node::form::none) {
        sum = within(sum);
        return {all - sum.max, all - sum.expected, all - sum.min};
      }
      if (node.min_count == 0) return {all, all, all};
      if (node.min_count > node.children.size()) return {};
      if (node.min_count > 1 || node.loose) sum.min = 0;
      return within(sum);
    }
  }
  return {0, all / 2, all};
}

}  // namespace

cardinality estimate_cardinality(const filter* what, const field_indexes& indexes,
                                 std::uint64_t points_count, arena& memory) {
  const compiled_filter compiled(what != nullptr ? *what : everything, &indexes, memory);
  const plan_tree tree = make_plan_tree(compiled.root(), memory);
  return estimate_node(tree.root, static_cast<double>(points_count));
}

}  // namespace vexfs
