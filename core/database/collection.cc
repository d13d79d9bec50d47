// SPDX-License-Identifier: Apache-2.0
#include "core/database/collection.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/database/variable_column.h"
#include "core/database/vector_column.h"

namespace vexfs {

collection::collection(std::uint64_t given_number, std::string given_name,
                       collection_config given_config, std::uint32_t owner,
                       std::uint32_t core_count, device& given_machine)
    : number(given_number),
      name(std::move(given_name)),
      owner_core(owner),
      machine(given_machine),
      guard(core_count),
      readers(core_count),
      selections(core_count),
      config(std::move(given_config)),
      slots(readers) {}

error too_many_vectors() {
  return {errc::bad_request,
          "A collection may have at most " + std::to_string(vector_names_max) + " vectors"};
}

result<std::shared_ptr<column>> make_column(const std::string& name, const vector_params& params,
                                            device& machine) {
  if (params.multivector) return variable_column::create_multi(name, params);
  VEXFS_TRY(auto dense, vector_column::create(name, params, machine));
  return dense;
}

result<std::unique_ptr<collection>> collection::create(std::uint64_t number, std::string name,
                                                       collection_config config,
                                                       std::uint32_t owner_core,
                                                       std::uint32_t core_count, device& machine) {
  if (config.vectors.params.size() + config.sparse_vectors.size() > vector_names_max)
    return std::unexpected(too_many_vectors());
  auto made = std::unique_ptr<collection>(
      new collection(number, std::move(name), std::move(config), owner_core, core_count, machine));
  for (const auto& [vector_name, params] : made->config.vectors.params) {
    VEXFS_TRY(auto column, make_column(vector_name, params, machine));
    made->columns.emplace(vector_name, std::move(column));
  }
  for (const auto& [vector_name, params] : made->config.sparse_vectors)
    made->columns.emplace(vector_name, variable_column::create_sparse(vector_name, params));
  return made;
}

void collection::live_words(std::uint32_t first_word, std::span<std::uint64_t> words) const {
  const auto all = slots.live_words();
  const auto known = all.subspan(std::min<std::size_t>(first_word, all.size()));
  const auto copied =
      std::ranges::copy(known.first(std::min(known.size(), words.size())), words.begin());
  std::ranges::fill(copied.out, words.end(), std::uint64_t{0});
}

void collection::payloads(std::span<const std::uint32_t> wanted, std::string_view* texts) const {
  for (const std::uint32_t slot : wanted)
    *texts++ = slots[slot].payload;
}

void collection::ids(std::span<const std::uint32_t> wanted, point_id* found) const {
  for (const std::uint32_t slot : wanted)
    *found++ = slots[slot].id;
}

bool collection::is_free(slot_index slot) const {
  return std::ranges::all_of(columns, [&](const auto& one) { return one.second->is_free(slot); });
}

bool collection::has_vector(std::uint32_t slot, std::string_view vector_name) const {
  const auto found = columns.find(vector_name);
  return found != columns.end() && found->second->has(slot);
}

}  // namespace vexfs
