// SPDX-License-Identifier: Apache-2.0
#include "core/database/selection_cache.h"

#include "core/base/limits.h"

namespace vexfs {

known_bits selection_cache::find(std::string_view key) {
  const auto place = places_.find(key);
  if (place == places_.end()) return {};
  const auto found = place->second;
  entries_.splice(entries_.begin(), entries_, found);
  return {found->words, found->schema_version, found->changes_seen};
}

void selection_cache::keep(std::string_view key, const known_bits& planned) {
  auto known = places_.find(key);
  if (known == places_.end()) {
    entries_.emplace_front().key = key;
    known = places_.emplace(entries_.front().key, entries_.begin()).first;
  } else {
    bytes_ -= known->second->bytes();
    entries_.splice(entries_.begin(), entries_, known->second);
  }
  const auto place = known->second;
  place->words.assign(planned.words.begin(), planned.words.end());
  place->schema_version = planned.schema_version;
  place->changes_seen = planned.changes_seen;
  bytes_ += place->bytes();
  while (bytes_ > selection_cache_bytes_max) {
    bytes_ -= entries_.back().bytes();
    places_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

}  // namespace vexfs
