// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace vexfs {

/// Pairs of (key, slot) in ascending order, each once: sorted leaves under one sorted array. An
/// insertion moves at most one leaf and the array; a range is a run of whole leaves with two edges.
template <class Key>
class ordered_entries {
 public:
  struct entry {
    Key key;
    std::uint32_t slot;

    friend bool operator<(const entry& a, const entry& b) {
      return a.key < b.key || (!(b.key < a.key) && a.slot < b.slot);
    }
  };
  /// A place between entries. Valid until the next change.
  struct place {
    std::size_t leaf = 0;
    std::size_t at = 0;
  };

  [[nodiscard]] std::uint64_t size() const { return size_; }

  void insert(entry added) {
    auto leaf = std::ranges::partition_point(
        leaves_, [&](const auto& entries) { return entries.back() < added; });
    if (leaf == leaves_.end()) {
      if (leaves_.empty()) leaves_.emplace_back();
      leaf = leaves_.end() - 1;
    }
    auto at = std::ranges::lower_bound(*leaf, added, std::less<>{});
    if (at != leaf->end() && !(added < *at)) return;
    leaf->insert(at, added);
    ++size_;
    if (leaf->size() < leaf_entries_max) return;
    // In ascending load the new entry is the very last: full leaves stay behind.
    const bool ascending = leaf + 1 == leaves_.end() && !(leaf->back() < added);
    const auto kept = static_cast<std::ptrdiff_t>(ascending ? leaf->size() - 1 : leaf->size() / 2);
    std::vector<entry> tail(leaf->begin() + kept, leaf->end());
    leaf->erase(leaf->begin() + kept, leaf->end());
    leaves_.insert(leaf + 1, std::move(tail));
  }

  void erase(entry removed) {
    auto leaf = std::ranges::partition_point(
        leaves_, [&](const auto& entries) { return entries.back() < removed; });
    if (leaf == leaves_.end()) return;
    auto at = std::ranges::lower_bound(*leaf, removed, std::less<>{});
    if (at == leaf->end() || removed < *at) return;
    leaf->erase(at);
    --size_;
    if (leaf->empty()) leaves_.erase(leaf);
  }

  /// The first entry for which before(entry) is false; `before` is true on a prefix of the order.
  template <class Before>
  [[nodiscard]] place first_not(Before&& before) const {
    const auto leaf = std::ranges::partition_point(
        leaves_, [&](const auto& entries) { return before(entries.back()); });
    place found;
    found.leaf = static_cast<std::size_t>(leaf - leaves_.begin());
    if (leaf != leaves_.end()) {
      found.at =
          static_cast<std::size_t>(std::ranges::partition_point(*leaf, before) - leaf->begin());
    }
    return found;
  }

  [[nodiscard]] std::uint64_t count_before(place p) const {
    std::uint64_t count = p.at;
    for (std::size_t i = 0; i < p.leaf; ++i)
      count += leaves_[i].size();
    return count;
  }

  [[nodiscard]] bool at_end(place p) const { return p.leaf == leaves_.size(); }
  [[nodiscard]] const entry& operator[](place p) const { return leaves_[p.leaf][p.at]; }
  void next(place& p) const {
    if (++p.at == leaves_[p.leaf].size()) p = {p.leaf + 1, 0};
  }
  /// False at the start.
  bool previous(place& p) const {
    if (p.at == 0) {
      if (p.leaf == 0) return false;
      p = {p.leaf - 1, leaves_[p.leaf - 1].size()};
    }
    --p.at;
    return true;
  }

 private:
  static constexpr std::size_t leaf_entries_max = 512;
  std::vector<std::vector<entry>> leaves_;  // none is empty
  std::uint64_t size_ = 0;
};

}  // namespace vexfs
