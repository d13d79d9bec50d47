// SPDX-License-Identifier: Apache-2.0
// Groups and facets: reads that gather points by a payload value.
#include <algorithm>

#include "core/base/limits.h"
#include "core/database/database.h"
#include "core/database/scroll.h"
#include "core/database/slot_reading.h"
#include "core/payload/payload.h"
#include "core/payload/walk.h"

namespace vexfs {
namespace {

/// The group that a payload value puts its point into: strings and integers make groups.
std::optional<group_key> key_of(const json_value& value, arena& memory) {
  if (value.kind() == json_value::form::string) {
    std::string buffer;
    return group_key(memory.copy(json_string_text(value.text, buffer)));
  }
  if (value.kind() != json_value::form::number) return std::nullopt;
  const json_number number = read_json_number(value.text);
  if (number.kind == json_number::form::integer) return group_key(number.integer);
  if (number.kind == json_number::form::natural) return group_key(number.natural);
  return std::nullopt;
}

/// All groups of one point, each once.
std::vector<group_key> keys_of(std::string_view payload, const payload_path& path, arena& memory) {
  std::vector<group_key> keys;
  const auto add = [&](const json_value& value) {
    if (auto key = key_of(value, memory); key && std::ranges::find(keys, *key) == keys.end())
      keys.push_back(std::move(*key));
  };
  visit_payload(payload, path, [&](const json_value& value) {
    if (value.kind() != json_value::form::array) {
      add(value);
      return true;
    }
    json_cursor elements(value.text);
    for (json_value element; elements.next_element(element.text);)
      add(element);
    return true;
  });
  return keys;
}

struct forming_group {
  group_key id;
  std::vector<record> hits;
};

/// Fills groups from hits, best first. True when all groups are there and full.
bool fill_groups(std::span<const record> hits, const group_request& request,
                 std::vector<forming_group>& groups, arena& memory) {
  groups.clear();
  for (const record& hit : hits) {
    for (const group_key& key : keys_of(*hit.payload, request.group_by, memory)) {
      auto place = std::ranges::find(groups, key, &forming_group::id);
      if (place == groups.end()) {
        if (groups.size() >= request.search.limit) continue;
        groups.push_back({key, {}});
        place = groups.end() - 1;
      }
      if (place->hits.size() < request.group_size) place->hits.push_back(hit);
    }
  }
  return groups.size() >= request.search.limit &&
         std::ranges::all_of(groups, [&](const forming_group& group) {
           return group.hits.size() >= request.group_size;
         });
}

std::optional<std::string_view> selected(std::optional<std::string_view> payload,
                                         const payload_selector& selector, arena& memory) {
  switch (selector.kind) {
    case payload_selector::form::none:
      return std::nullopt;
    case payload_selector::form::all:
      return payload;
    case payload_selector::form::include:
      return memory.copy(std::string_view(include_payload(*payload, selector.paths)));
    case payload_selector::form::exclude:
      return memory.copy(std::string_view(exclude_payload(*payload, selector.paths)));
  }
  return std::nullopt;
}

/// The point that a group's id names in the collection of with_lookup.
std::optional<point_id> id_of(const group_key& key) {
  if (const auto* text = std::get_if<std::string_view>(&key)) return point_id::from_uuid(*text);
  if (const auto* large = std::get_if<std::uint64_t>(&key)) return point_id::from_number(*large);
  const std::int64_t whole = std::get<std::int64_t>(key);
  if (whole < 0) return std::nullopt;
  return point_id::from_number(static_cast<std::uint64_t>(whole));
}

/// Prefetches look for as many points of each group as are wanted, so that groups can be filled.
std::span<const query_request> widened(std::span<const query_request> prefetch,
                                       std::uint64_t group_size, arena& memory) {
  const auto wide = memory.copy(prefetch);
  for (query_request& stage : wide) {
    stage.limit = stage.limit > UINT64_MAX / group_size ? UINT64_MAX : stage.limit * group_size;
    stage.prefetch = widened(stage.prefetch, group_size, memory);
  }
  return wide;
}

}  // namespace

io::task<result<std::span<const point_group>>> database::query_groups(std::string_view name,
                                                                      const group_request& request,
                                                                      arena& memory) {
  if (request.with_lookup && !exists(request.with_lookup->collection))
    co_return fail(errc::not_found,
                   "Collection " + std::string(request.with_lookup->collection) + " not found");
  // Search wider until every group is full or there are no more points.
  query_request wide = request.search;
  wide.with_payload.kind = payload_selector::form::all;
  wide.offset = 0;
  const std::uint64_t group_size = std::max<std::uint64_t>(request.group_size, 1);
  wide.prefetch = widened(request.search.prefetch, group_size, memory);
  std::vector<forming_group> groups;
  std::uint64_t limit = std::max<std::uint64_t>(request.search.limit > group_hits_max / group_size
                                                    ? group_hits_max
                                                    : request.search.limit * group_size,
                                                64);
  for (;;) {
    wide.limit = limit;
    auto searching = query(name, {&wide, 1}, memory);
    const auto found = co_await searching;
    if (!found) co_return std::unexpected(found.error());
    const auto hits = found->front();
    if (fill_groups(hits, request, groups, memory) || hits.size() < limit) break;
    limit *= 4;
  }
  const auto answer = memory.array<point_group>(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    answer[g].id = groups[g].id;
    for (record& hit : groups[g].hits)
      hit.payload = selected(hit.payload, request.search.with_payload, memory);
    answer[g].hits = memory.copy(std::span<const record>(groups[g].hits));
    if (!request.with_lookup) continue;
    const auto id = id_of(groups[g].id);
    if (!id) continue;
    retrieve_request lookup;
    lookup.ids = {&*id, 1};
    lookup.with_payload = request.with_lookup->with_payload;
    lookup.with_vector = request.with_lookup->with_vector;
    auto retrieving = retrieve(request.with_lookup->collection, lookup, memory);
    const auto record_found = co_await retrieving;
    if (record_found && !record_found->empty()) answer[g].lookup = record_found->front();
  }
  co_return std::span<const point_group>(answer);
}

io::task<result<std::span<const facet_hit>>> database::facet(std::string_view name,
                                                             const facet_request& request,
                                                             arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& source = **found;
  // Points that passed are counted by their slots.
  const slot_reading held(source.readers);
  selection selected;
  if (request.condition) {
    auto selecting = select_points(source, request.condition, memory);
    selected = co_await selecting;
  }
  std::vector<facet_hit> hits;
  facet_position position;
  for (bool done = false, started = false; !done; started = true) {
    if (started) co_await io::loop::current().yield();
    const auto section = co_await io::read(source.guard);
    if (!source.indexes.can_facet(request.key.text))
      co_return fail(errc::bad_request,
                     "No appropriate index for faceting: `" + std::string(request.key.text) +
                         "`. Please create one to facet on this field. Check "
                         "https://qdrant.tech/documentation/concepts/indexing/#payload-index to "
                         "see which payload schemas support Match conditions");
    // No words at all would mean every point.
    if (request.condition && selected.words.empty()) break;
    std::vector<facet_value> values;
    done = source.indexes.facet(request.key.text, selected.words, filter_step_points, position,
                                values);
    for (const facet_value& value : values) {
      facet_hit hit;
      hit.count = value.count;
      hit.value = value.value;
      if (const auto* text = std::get_if<std::string_view>(&value.value))
        hit.value = memory.copy(*text);
      hits.push_back(hit);
    }
  }
  std::ranges::sort(hits, [](const facet_hit& left, const facet_hit& right) {
    if (left.count != right.count) return left.count > right.count;
    return left.value < right.value;
  });
  if (hits.size() > request.limit) hits.resize(request.limit);
  co_return memory.copy(std::span<const facet_hit>(hits));
}

}  // namespace vexfs
