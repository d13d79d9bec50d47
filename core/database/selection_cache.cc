// SPDX-License-Identifier: Apache-2.0
#include "core/database/selection_cache.h"

#include <algorithm>

#include "core/base/limits.h"

namespace vexfs {

known_bits selection_cache::find(std::string_view key) {
  const auto found = std::ranges::find(entries_, key, &entry::key);
  if (found == entries_.end()) return {};
  entries_.splice(entries_.begin(), entries_, found);
  return {found->words, found->schema_version, found->changes_seen};
}

void selection_cache::keep(std::string_view key, const known_bits& planned) {
  auto place = std::ranges::find(entries_, key, &entry::key);
  if (place == entries_.end()) {
    place = entries_.emplace(entries_.begin());
    place->key = key;
  } else {
    bytes_ -= place->bytes();
    entries_.splice(entries_.begin(), entries_, place);
  }
  place->words.assign(planned.words.begin(), planned.words.end());
  place->schema_version = planned.schema_version;
  place->changes_seen = planned.changes_seen;
  bytes_ += place->bytes();
  while (bytes_ > selection_cache_bytes_max) {
    bytes_ -= entries_.back().bytes();
    entries_.pop_back();
  }
}

}  // namespace vexfs
