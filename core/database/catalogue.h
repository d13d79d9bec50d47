// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/database/collection.h"
#include "core/io/storage.h"

namespace vexfs {

/// The names of one moment: collections and the aliases of some of them.
struct catalogue_view {
  std::map<std::string, std::shared_ptr<collection>, std::less<>> collections;
  std::map<std::string, std::string, std::less<>> aliases;  // alias to collection

  /// The collection of that name or alias, or nullptr.
  [[nodiscard]] const std::shared_ptr<collection>* find(std::string_view name) const;
};

/// What the catalogue file says of one collection.
struct catalogue_entry {
  std::uint64_t number = 0;
  std::uint64_t first_segment = 0;  // older segments of the log hold nothing of it
  std::string name;
  collection_config config;
};

struct catalogue_file {
  std::uint64_t next_number = 1;
  std::vector<catalogue_entry> collections;
  std::map<std::string, std::string, std::less<>> aliases;
};

/// An empty one where there is no file yet. A damaged file is an error that names it.
[[nodiscard]] result<catalogue_file> load_catalogue(io::storage& disk);
/// Atomic and durable; blocks.
[[nodiscard]] result<void> save_catalogue(io::storage& disk, const catalogue_file& stored);

}  // namespace vexfs
