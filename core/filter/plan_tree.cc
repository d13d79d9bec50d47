// SPDX-License-Identifier: Apache-2.0
#include "core/filter/plan_tree.h"

#include <algorithm>
#include <vector>

namespace vexfs {
namespace {

using form = plan_node::form;

constexpr std::uint64_t conditions_per_look = 8;
constexpr std::uint64_t ring_points_per_condition = 8;

/// Conditions that have to be checked on a point in the worst case.
std::uint64_t weight_of(const compiled_node& node) {
  std::uint64_t weight = 1;
  for (const compiled_node& child : node.children)
    weight += weight_of(child);
  if (node.predicate == nullptr) return weight;
  weight += node.predicate->tokens.size();
  if (node.predicate->match == match_form::substring) weight += node.predicate->strings.size();
  if (node.predicate->polygon == nullptr) return weight;
  const prepared_polygon& polygon = *node.predicate->polygon;
  std::uint64_t points = polygon.exterior.points.size();
  for (const geo_ring& hole : polygon.interiors)
    points += hole.points.size();
  return weight + points / ring_points_per_condition;
}

class tree_maker {
 public:
  explicit tree_maker(arena& memory) : memory_(memory) {}

  plan_tree make(const compiled_node& root) {
    plan_tree tree;
    tree.root = node_of(root, false, 1);
    tree.leaves = memory_.copy(std::span<plan_leaf* const>(leaves_));
    tree.depth = depth_;
    tree.node_count = node_count_;
    tree.look_cost = 1 + weight_of(root) / conditions_per_look;
    return tree;
  }

 private:
  plan_node node_of(const compiled_node& from, bool loose, std::uint32_t depth) {
    depth_ = std::max(depth_, depth);
    ++node_count_;
    plan_node node;
    node.loose = loose;
    switch (from.kind) {
      case compiled_node::form::none:
        // That no condition holds on one object says nothing about the others of the point.
        if (loose) return node;
        node.kind = form::none;
        node.children = children_of(from, loose, depth);
        return node;
      case compiled_node::form::all:
        node.kind = form::all;
        node.children = children_of(from, loose, depth);
        return node;
      case compiled_node::form::any:
        node.kind = form::any;
        node.min_count = from.min_count;
        node.children = children_of(from, loose, depth);
        return node;
      case compiled_node::form::nested: {
        // Some object passes, so each positive condition holds for some value of the joined key.
        node = node_of(from.children.front(), true, depth);
        return node;
      }
      case compiled_node::form::has_id:
        return leaf_node(node, from);
      case compiled_node::form::field: {
        const field_predicate& p = *from.predicate;
        if (p.match == match_form::nothing && p.alternatives() == 1 && !p.except) {
          node.kind = form::never;
          return node;
        }
        if (from.index == nullptr || !from.index->estimate(p)) return node;
        return leaf_node(node, from);
      }
      case compiled_node::form::never:
        node.kind = form::never;
        return node;
      default:
        return node;
    }
  }

  plan_node leaf_node(plan_node node, const compiled_node& from) {
    node.kind = form::leaf;
    node.leaf = memory_.make<plan_leaf>();
    node.leaf->node = &from;
    leaves_.push_back(node.leaf);
    return node;
  }

  std::span<const plan_node> children_of(const compiled_node& from, bool loose,
                                         std::uint32_t depth) {
    auto children = memory_.array<plan_node>(from.children.size());
    for (std::size_t i = 0; i < children.size(); ++i) {
      children[i] = node_of(from.children[i], loose, depth + 1);
    }
    return children;
  }

  arena& memory_;
  std::vector<plan_leaf*> leaves_;
  std::uint32_t depth_ = 1;
  std::uint32_t node_count_ = 0;
};

void fill(verdict out, std::uint64_t sure, std::uint64_t maybe) {
  std::ranges::fill(out.sure, sure);
  std::ranges::fill(out.maybe, maybe);
}

void fold_leaf(const plan_node& node, std::size_t first_word, verdict out) {
  const plan_leaf& leaf = *node.leaf;
  if (leaf.sure.empty()) {
    fill(out, 0, ~0ULL);
    return;
  }
  for (std::size_t i = 0; i < out.sure.size(); ++i) {
    const std::uint64_t sure = leaf.sure[first_word + i];
    const std::uint64_t maybe = leaf.maybe.empty() ? 0 : leaf.maybe[first_word + i];
    out.sure[i] = node.loose ? 0 : sure;
    out.maybe[i] = node.loose ? sure | maybe : maybe;
  }
}

}  // namespace

plan_tree make_plan_tree(const compiled_node& root, arena& memory) {
  return tree_maker(memory).make(root);
}

void fold(const plan_node& node, std::size_t first_word, std::span<std::uint64_t> scratch,
          verdict out) {
  const std::size_t words = out.sure.size();
  switch (node.kind) {
    case form::leaf:
      fold_leaf(node, first_word, out);
      return;
    case form::unknown:
      fill(out, 0, ~0ULL);
      return;
    case form::never:
      fill(out, 0, 0);
      return;
    default:
      break;
  }
  const verdict child{scratch.first(words), scratch.subspan(words, words)};
  const auto below = scratch.subspan(2 * words);
  if (node.kind == form::all) {
    // A loose node is never sure, even without conditions: the object itself must exist.
    fill(out, node.loose ? 0 : ~0ULL, ~0ULL);
    for (const plan_node& one : node.children) {
      fold(one, first_word, below, child);
      for (std::size_t i = 0; i < words; ++i) {
        out.sure[i] &= child.sure[i];
        out.maybe[i] &= child.sure[i] | child.maybe[i];
      }
    }
    return;
  }
  if (node.kind == form::any && node.min_count == 0) {
    fill(out, node.loose ? 0 : ~0ULL, ~0ULL);
    return;
  }
  if (node.kind == form::any && node.min_count > node.children.size()) {
    fill(out, 0, 0);
    return;
  }
  // With min_count above one, passing one condition is needed but not enough.
  const bool one_is_enough = node.kind == form::none || node.min_count == 1;
  fill(out, 0, 0);
  for (const plan_node& one : node.children) {
    fold(one, first_word, below, child);
    for (std::size_t i = 0; i < words; ++i) {
      if (one_is_enough) out.sure[i] |= child.sure[i];
      out.maybe[i] |= child.sure[i] | child.maybe[i];
    }
  }
  if (node.kind == form::none) {
    for (std::size_t i = 0; i < words; ++i) {
      const std::uint64_t fails = out.sure[i];
      out.sure[i] = ~(fails | out.maybe[i]);
      out.maybe[i] = ~fails;
    }
  }
}

}  // namespace vexfs
