// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/filter/slot_set.h"

namespace vexfs {

/// Distinct texts and the slots that have them. A text keeps its number while it has a slot;
/// numbers are used again, so that the table does not grow with texts that came and went.
class value_table {
 public:
  void add(std::string_view text, std::uint32_t slot) {
    auto found = numbers_.find(text);
    if (found == numbers_.end()) {
      std::uint32_t number = static_cast<std::uint32_t>(values_.size());
      if (free_.empty()) {
        values_.emplace_back();
      } else {
        number = free_.back();
        free_.pop_back();
      }
      found = numbers_.emplace(std::string(text), number).first;
      values_[number].text = &found->first;
    }
    values_[found->second].slots.add(slot);
  }
  void remove(std::string_view text, std::uint32_t slot) {
    const auto found = numbers_.find(text);
    if (found == numbers_.end()) return;
    value& its = values_[found->second];
    its.slots.remove(slot);
    if (!its.slots.isEmpty()) return;
    its = {};
    free_.push_back(found->second);
    numbers_.erase(found);
  }
  /// Null where no slot has the text.
  [[nodiscard]] const slot_set* find(std::string_view text) const {
    const auto found = numbers_.find(text);
    return found == numbers_.end() ? nullptr : &values_[found->second].slots;
  }
  [[nodiscard]] std::uint64_t number_count() const { return values_.size(); }
  [[nodiscard]] std::uint64_t text_count() const { return numbers_.size(); }
  /// Null for a number that is free.
  [[nodiscard]] const std::string* text(std::uint64_t number) const { return values_[number].text; }
  [[nodiscard]] const slot_set& slots(std::uint64_t number) const { return values_[number].slots; }

 private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct value {
    const std::string* text = nullptr;
    slot_set slots;
  };
  std::unordered_map<std::string, std::uint32_t, hash, std::equal_to<>> numbers_;
  std::deque<value> values_;
  std::vector<std::uint32_t> free_;
};

}  // namespace vexfs
