// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/filter/filter_plan.h"

namespace vexfs {

/// What filters of a collection let through when they were last planned on one core. The searches
/// of a batch have the same filter more often than not, and the next batch has it again.
class selection_cache {
 public:
  /// What is known of a filter, by filter_key(); nothing known: no words. Valid until keep().
  [[nodiscard]] known_bits find(std::string_view key);
  /// The least recently used ones make room.
  void keep(std::string_view key, const known_bits& planned);

 private:
  struct entry {
    std::string key;
    std::vector<std::uint64_t> words;
    std::uint64_t schema_version = 0;
    std::uint64_t changes_seen = 0;
    [[nodiscard]] std::size_t bytes() const {
      return sizeof(entry) + key.size() + words.size() * sizeof(std::uint64_t);
    }
  };
  using entries = std::list<entry>;
  entries entries_;                                                 // most recently used first
  std::unordered_map<std::string_view, entries::iterator> places_;  // by the entries' own keys
  std::size_t bytes_ = 0;
};

}  // namespace vexfs
