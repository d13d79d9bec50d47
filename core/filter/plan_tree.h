// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/filter/compiled_node.h"
#include "core/filter/field_index.h"
#include "core/filter/filter_plan.h"

namespace vexfs {

/// What indexes say about a group of slots: those that pass for sure, and those that may pass. A
/// slot in both is sure.
struct verdict {
  std::span<std::uint64_t> sure, maybe;
};

/// A condition that an index serves, with its bitmaps over all slots; without them, it is decided
/// from payloads.
struct plan_leaf {
  const compiled_node* node = nullptr;
  selection_cursor cursor;
  std::span<std::uint64_t> sure, maybe;
};

/// The compiled tree as a plan sees it.
struct plan_node {
  enum class form : std::uint8_t { all, any, none, leaf, unknown, never };
  form kind = form::unknown;
  bool loose = false;  // inside nested: an upper bound of the condition on the whole point
  std::uint64_t min_count = 1;
  std::span<const plan_node> children;
  plan_leaf* leaf = nullptr;
};

struct plan_tree {
  plan_node root;
  std::span<plan_leaf* const> leaves;
  std::uint32_t depth = 1;
  std::uint32_t node_count = 0;
  std::uint64_t look_cost = 1;  // of a payload, against that of one with a few conditions
};

[[nodiscard]] plan_tree make_plan_tree(const compiled_node& root, arena& memory);

/// Decides the slots of `out`'s words, the first of which is word `first_word`. `scratch` has
/// 2 * out.sure.size() words for each level of the tree.
void fold(const plan_node& node, std::size_t first_word, std::span<std::uint64_t> scratch,
          verdict out);

}  // namespace vexfs
