// SPDX-License-Identifier: Apache-2.0
#include "core/database/records.h"

#include <algorithm>

#include "core/payload/payload.h"

namespace vexfs {
namespace {

std::string_view select_payload(std::string_view stored, const payload_selector& selector,
                                arena& memory) {
  if (selector.kind == payload_selector::form::include)
    return memory.copy(std::string_view(include_payload(stored, selector.paths)));
  if (selector.kind == payload_selector::form::exclude)
    return memory.copy(std::string_view(exclude_payload(stored, selector.paths)));
  return memory.copy(stored);
}

std::span<const named_vector> select_vectors(const collection& source, slot_index slot,
                                             const vector_selector& selector, row_reads& reads,
                                             arena& memory) {
  const auto vectors = memory.array<named_vector>(source.columns.size());
  std::size_t count = 0;
  for (const auto& [name, column] : source.columns) {
    if (!column->has(slot)) continue;
    if (selector.kind == vector_selector::form::named &&
        std::ranges::find(selector.names, std::string_view(name)) == selector.names.end())
      continue;
    vectors[count++] = {memory.copy(std::string_view(name)), column->read(slot, reads, memory)};
  }
  return vectors.first(count);
}

}  // namespace

record make_record(const collection& source, slot_index slot, const payload_selector& with_payload,
                   const vector_selector& with_vector, row_reads& reads, arena& memory) {
  const slot_record& stored = source.slots[slot];
  record made;
  made.id = stored.id;
  made.version = stored.version;
  if (with_payload.kind != payload_selector::form::none)
    made.payload = select_payload(stored.payload, with_payload, memory);
  if (with_vector.kind != vector_selector::form::none)
    made.vectors = select_vectors(source, slot, with_vector, reads, memory);
  return made;
}

result<void> check_selector(const collection& source, const vector_selector& with_vector) {
  for (const std::string_view name : with_vector.names) {
    if (!source.find_column(name)) return std::unexpected(unknown_vector(name));
  }
  return {};
}

}  // namespace vexfs
