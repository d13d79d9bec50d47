// SPDX-License-Identifier: Apache-2.0
#include "core/filter/compiled_filter.h"

#include <algorithm>
#include <vector>

#include "core/filter/compiled_node.h"
#include "core/filter/indexes.h"
#include "core/filter/sip_hash.h"
#include "core/payload/payload.h"

namespace vexfs {
namespace {

using form = compiled_node::form;

class compiler {
 public:
  compiler(const field_indexes* indexes, arena& memory) : indexes_(indexes), memory_(memory) {}

  compiled_node filter_node(const filter& what) {
    std::vector<compiled_node> clauses;
    if (!what.must.empty()) clauses.push_back(clause(form::all, what.must));
    if (!what.should.empty()) clauses.push_back(clause(form::any, what.should));
    if (what.at_least) {
      clauses.push_back(clause(form::any, what.at_least->conditions));
      clauses.back().min_count = what.at_least->min_count;
    }
    if (!what.must_not.empty()) clauses.push_back(clause(form::none, what.must_not));
    if (clauses.size() == 1) return clauses.front();
    compiled_node node;
    node.children = memory_.copy(std::span<const compiled_node>(clauses));
    return node;
  }

 private:
  static int cost_rank(const compiled_node& node) {
    if (node.kind == form::has_id || node.kind == form::slice) return 0;
    return node.children.empty() ? 1 : 2;
  }

  compiled_node clause(form kind, std::span<const condition> conditions) {
    // What is cheap to decide goes first, else as the client wrote it; the answer is the same.
    std::vector<compiled_node> made;
    made.reserve(conditions.size());
    for (const condition& one : conditions) {
      made.push_back(std::visit([&](const auto& it) { return node_of(it); }, one));
    }
    auto children = memory_.array<compiled_node>(made.size());
    std::size_t placed = 0;
    for (const int wanted : {0, 1, 2}) {
      for (const compiled_node& one : made) {
        if (cost_rank(one) == wanted) children[placed++] = one;
      }
    }
    compiled_node node;
    node.kind = kind;
    node.children = children;
    return node;
  }

  /// The index of a key, as the condition's place sees it: inside nested the keys are joined.
  const field_index* index_of(std::span<const path_step> key) const {
    if (indexes_ == nullptr) return nullptr;
    if (prefix_.empty()) return indexes_->find(key);
    std::vector<path_step> whole = prefix_;
    whole.insert(whole.end(), key.begin(), key.end());
    return indexes_->find(whole);
  }

  compiled_node keyed(form kind, const payload_path& key) {
    compiled_node node;
    node.kind = kind;
    node.key = key.steps;
    node.index = index_of(key.steps);
    return node;
  }

  compiled_node node_of(const field_condition& what) {
    compiled_node node = keyed(form::field, what.key);
    node.predicate = prepare_predicate(what, node.index, memory_);
    return node;
  }
  compiled_node node_of(const is_empty_condition& what) { return keyed(form::is_empty, what.key); }
  compiled_node node_of(const is_null_condition& what) {
    compiled_node node = keyed(form::is_null, what.key);
    node.array_with_null = node.index != nullptr;
    return node;
  }
  compiled_node node_of(const has_id_condition& what) {
    compiled_node node;
    node.kind = prefix_.empty() ? form::has_id : form::never;
    auto ids = memory_.copy(what.ids);
    std::ranges::sort(ids);
    const auto tail = std::ranges::unique(ids);
    node.ids = ids.first(ids.size() - tail.size());
    return node;
  }
  compiled_node node_of(const has_vector_condition& what) {
    compiled_node node;
    node.kind = prefix_.empty() ? form::has_vector : form::never;
    node.vector_name = what.name;
    return node;
  }
  compiled_node node_of(const nested_condition& what) {
    compiled_node node;
    node.kind = form::nested;
    // "nest" and "nest[]" name the same elements.
    auto steps = what.key.steps;
    if (!steps.empty() && steps.back().kind == path_step::form::all)
      steps = steps.first(steps.size() - 1);
    auto key = memory_.array<path_step>(steps.size() + 1);
    std::ranges::copy(steps, key.begin());
    key.back().kind = path_step::form::all;
    node.key = key;
    const std::size_t outer = prefix_.size();
    prefix_.insert(prefix_.end(), key.begin(), key.end());
    node.children = std::span(memory_.make<compiled_node>(filter_node(*what.inner)), 1);
    prefix_.resize(outer);
    return node;
  }
  compiled_node node_of(const filter_condition& what) { return filter_node(*what.inner); }
  compiled_node node_of(const slice_condition& what) {
    compiled_node node;
    node.kind = prefix_.empty() ? form::slice : form::never;
    node.slice_total = what.total;
    node.slice_index = what.index;
    return node;
  }

  const field_indexes* indexes_;
  arena& memory_;
  std::vector<path_step> prefix_;  // keys of the nested conditions around
};

struct checked_point {
  const point_source& source;
  std::uint32_t slot;

  [[nodiscard]] point_id id() const {
    point_id id;
    source.ids(std::span(&slot, 1), &id);
    return id;
  }
};

/// `payload` is the point's, or the object's that a nested condition looks at.
bool passes(const compiled_node& node, const checked_point& point, std::string_view payload) {
  switch (node.kind) {
    case form::all:
      for (const compiled_node& child : node.children) {
        if (!passes(child, point, payload)) return false;
      }
      return true;
    case form::none:
      for (const compiled_node& child : node.children) {
        if (passes(child, point, payload)) return false;
      }
      return true;
    case form::any: {
      std::uint64_t left = node.min_count;
      for (const compiled_node& child : node.children) {
        if (left == 0) break;
        if (passes(child, point, payload)) --left;
      }
      return left == 0;
    }
    case form::field: {
      bool found = false;
      bool reached = false;
      const auto check = [&](json_value value) {
        reached = true;
        found = value_passes(*node.predicate, value.text);
        return !found;
      };
      walk_payload(payload, node.key, check);
      return reached ? found : missing_passes(*node.predicate);
    }
    case form::is_empty: {
      bool empty = true;
      const auto check = [&](json_value value) { return empty = is_empty_value(value.text); };
      walk_payload(payload, node.key, check);
      return empty;
    }
    case form::is_null: {
      bool null = false;
      const auto check = [&](json_value value) {
        null = value.text.front() == 'n' || (node.array_with_null && has_null_element(value.text));
        return !null;
      };
      walk_payload(payload, node.key, check);
      return null;
    }
    case form::nested: {
      bool found = false;
      const auto check = [&](json_value value) {
        found = value.text.front() == '{' && passes(node.children.front(), point, value.text);
        return !found;
      };
      walk_payload(payload, node.key, check);
      return found;
    }
    case form::has_id:
      return std::ranges::binary_search(node.ids, point.id());
    case form::has_vector:
      return point.source.has_vector(point.slot, node.vector_name);
    case form::slice:
      return sip_hash(point.id()) % node.slice_total == node.slice_index;
    case form::never:
      return false;
  }
  return false;
}

}  // namespace

compiled_filter::compiled_filter(const filter& what, const field_indexes* indexes, arena& memory)
    : root_(memory.make<compiled_node>(compiler(indexes, memory).filter_node(what))) {}

bool compiled_filter::matches(const point_source& source, std::uint32_t slot) const {
  if (slot >= source.slot_count() || !source.live(slot)) return false;
  std::string_view payload;
  source.payloads(std::span(&slot, 1), &payload);
  return matches(source, slot, payload);
}

bool compiled_filter::matches(const point_source& source, std::uint32_t slot,
                              std::string_view payload) const {
  return passes(*root_, {source, slot}, payload);
}

}  // namespace vexfs
