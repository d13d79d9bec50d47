// SPDX-License-Identifier: Apache-2.0
// The reading half of the database: each request is taken to pieces here, its searches run in
// searcher.cc, its scrolls in scroll.cc, what has several stages in query_tree.cc.
#include <algorithm>

#include "core/base/limits.h"
#include "core/database/database.h"
#include "core/database/query_resolver.h"
#include "core/database/query_tree.h"
#include "core/database/records.h"
#include "core/database/scroll.h"
#include "core/database/searcher.h"
#include "core/database/slot_reading.h"

namespace vexfs {
io::task<result<std::span<const record>>> database::retrieve(std::string_view name,
                                                             const retrieve_request& request,
                                                             arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& source = **found;
  {
    const auto section = co_await io::read(source.guard);
    VEXFS_CHECK_CO(check_selector(source, request.with_vector));
  }
  const slot_reading held(source.readers);
  row_reads reads(memory);
  const auto records = memory.array<record>(request.ids.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < request.ids.size(); i += apply_group_points) {
    if (i > 0) co_await io::loop::current().yield();
    const auto section = co_await io::read(source.guard);
    for (const point_id& id : request.ids.subspan(
             i, std::min<std::size_t>(apply_group_points, request.ids.size() - i))) {
      const auto slot = source.id_to_slot.find(id);
      if (!slot) continue;
      records[count++] =
          make_record(source, *slot, request.with_payload, request.with_vector, reads, memory);
    }
  }
  VEXFS_CHECK_CO(co_await reads.finish());
  // Of an id given twice the first answer stays.
  if (count > 1) {
    point_map<bool> seen;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i)
      if (seen.emplace(records[i].id, true).second) records[kept++] = records[i];
    count = kept;
  }
  co_return std::span<const record>(records.first(count));
}

io::task<result<scroll_result>> database::scroll(std::string_view name,
                                                 const scroll_request& request, arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& source = **found;
  {
    const auto section = co_await io::read(source.guard);
    VEXFS_CHECK_CO(check_selector(source, request.with_vector));
  }
  // Between the plan and the last page no other point may take the place of one that passed.
  const slot_reading held(source.readers);
  selection selected;
  if (request.condition) {
    auto selecting = select_points(source, request.condition, memory);
    selected = co_await selecting;
  }
  const selection* chosen = request.condition ? &selected : nullptr;
  if (request.order) {
    auto scrolling = scroll_by_value(source, *request.order, request.limit, chosen,
                                     request.with_payload, request.with_vector, memory);
    co_return co_await scrolling;
  }
  auto scrolling = scroll_by_id(source, request.offset, request.limit, chosen, request.with_payload,
                                request.with_vector, memory);
  co_return co_await scrolling;
}

io::task<result<std::uint64_t>> database::count(std::string_view name, const count_request& request,
                                                arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& source = **found;
  if (!request.condition) {
    const auto section = co_await io::read(source.guard);
    co_return source.id_to_slot.size();
  }
  auto selecting = select_points(source, request.condition, memory);
  const selection selected = co_await selecting;
  co_return selected.count;
}

io::task<result<std::span<const std::span<const record>>>> database::query(
    std::string_view name, std::span<const query_request> requests, arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& source = **found;
  query_resolver resolver(cores_[io::loop::current().core_index()].view, *found, memory);
  const auto answers = memory.array<std::span<const record>>(requests.size());
  const auto places = memory.array<std::size_t>(requests.size());  // of the batch's searches
  std::vector<nearest_search> batch;
  batch.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (is_one_search(requests[i])) {
      auto resolving = resolver.resolve(requests[i], resolver.references(requests[i]));
      auto resolved = co_await resolving;
      if (!resolved) co_return std::unexpected(std::move(resolved).error());
      places[batch.size()] = i;
      batch.push_back(std::move(*resolved));
      continue;
    }
    auto evaluating = evaluate_query(source, resolver, requests[i], memory);
    const auto evaluated = co_await evaluating;
    if (!evaluated) co_return std::unexpected(evaluated.error());
    answers[i] = *evaluated;
  }
  if (!batch.empty()) {
    auto searching = search_nearest(source, batch, memory);
    const auto found_records = co_await searching;
    if (!found_records) co_return std::unexpected(found_records.error());
    for (std::size_t s = 0; s < batch.size(); ++s)
      answers[places[s]] = (*found_records)[s];
  }
  co_return std::span<const std::span<const record>>(answers);
}

}  // namespace vexfs
