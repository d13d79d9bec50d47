// SPDX-License-Identifier: Apache-2.0
#include "core/database/collection.h"

#include <algorithm>

#include "core/base/limits.h"
#include "core/database/variable_column.h"
#include "core/database/vector_column.h"

namespace vexfs {

collection::collection(std::uint64_t given_number, std::string given_name,
                       collection_config given_config, std::uint32_t owner,
                       std::uint32_t core_count, device& given_machine, io::storage& given_disk)
    : number(given_number),
      name(std::move(given_name)),
      owner_core(owner),
      machine(given_machine),
      disk(given_disk),
      guard(core_count),
      readers(core_count),
      selections(core_count),
      config(std::move(given_config)),
      slots(readers) {}

error too_many_vectors() {
  return {errc::bad_request,
          "A collection may have at most " + std::to_string(vector_names_max) + " vectors"};
}

result<std::shared_ptr<column>> collection::make_column(const std::string& vector_name,
                                                        const vector_params& params) {
  if (params.multivector) return variable_column::create_multi(vector_name, params);
  std::shared_ptr<row_file> on_disk;
  if (params.on_disk.value_or(false)) {
    // Names of vectors may be anything, and a dropped one may still be read when it is made again.
    std::string path = std::string(row_file::directory) + "/" + std::to_string(number) + "-" +
                       std::to_string(row_files_made_++);
    VEXFS_TRY(on_disk, row_file::create(disk, std::move(path), vector_column::row_bytes(params)));
  }
  VEXFS_TRY(auto dense, vector_column::create(vector_name, params, machine, std::move(on_disk)));
  return dense;
}

result<std::unique_ptr<collection>> collection::create(std::uint64_t number, std::string name,
                                                       collection_config config,
                                                       std::uint32_t owner_core,
                                                       std::uint32_t core_count, device& machine,
                                                       io::storage& disk) {
  if (config.vectors.params.size() + config.sparse_vectors.size() > vector_names_max)
    return std::unexpected(too_many_vectors());
  auto made = std::unique_ptr<collection>(new collection(number, std::move(name), std::move(config),
                                                         owner_core, core_count, machine, disk));
  for (const auto& [vector_name, params] : made->config.vectors.params) {
    VEXFS_TRY(auto column, made->make_column(vector_name, params));
    made->columns.emplace(vector_name, std::move(column));
  }
  for (const auto& [vector_name, params] : made->config.sparse_vectors)
    made->columns.emplace(vector_name, variable_column::create_sparse(vector_name, params));
  return made;
}

result<void> collection::reserve(std::uint64_t slot_count) {
  if (slot_count == 0) return {};
  const std::uint64_t all = slots.taken_count() + slots_in_flight + slot_count;
  for (const auto& [vector_name, one] : columns)
    VEXFS_CHECK(one->reserve(std::min<std::uint64_t>(all, slot_count_max)));
  return {};
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
