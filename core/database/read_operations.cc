// SPDX-License-Identifier: Apache-2.0
// The reading half of the database: each request is taken to pieces here, its searches run in
// searcher.cc.
#include <algorithm>
#include <bit>
#include <random>

#include "core/base/limits.h"
#include "core/database/database.h"
#include "core/database/records.h"
#include "core/database/searcher.h"
#include "core/filter/filter_plan.h"

namespace vexfs {
namespace {

error no_point(const point_id& id) {
  return {errc::not_found, "No point with id " + id.text() + " found"};
}

/// Bits of the points that a filter lets through; all live points without one.
struct selection {
  std::span<const std::uint64_t> words;
  std::uint64_t count = 0;
  [[nodiscard]] bool has(slot_index slot) const {
    return slot / 64 < words.size() && (words[slot / 64] >> (slot % 64) & 1) != 0;
  }
};

io::task<selection> select(collection& source, const filter* condition, arena& memory) {
  filter_plan plan(condition, memory);
  for (;;) {
    {
      const auto section = co_await io::read(source.guard);
      if (plan.advance(source.indexes, source, filter_step_points)) break;
    }
    co_await io::loop::current().yield();
  }
  co_return selection{plan.allowed(), plan.count()};
}

/// A page of points in the order of their ids. Goes through the guard in steps.
io::task<scroll_result> scroll_by_id(collection& source, std::optional<point_id> from,
                                     std::uint64_t limit, const selection* selected,
                                     const payload_selector& with_payload,
                                     const vector_selector& with_vector, arena& memory) {
  const auto records =
      memory.array<record>(std::min<std::uint64_t>(limit, source.id_to_slot.size() + 1));
  scroll_result page;
  std::size_t count = 0;
  std::optional<point_id> next = from;
  bool started = false;
  for (bool more = true; more;) {
    const auto section = co_await io::read(source.guard);
    const auto& ordered = source.id_to_slot.ordered();
    auto place = next ? ordered.lower_bound(*next) : started ? ordered.end() : ordered.begin();
    started = true;
    std::uint32_t steps = 0;
    for (; place != ordered.end() && steps < filter_step_points; ++place, ++steps) {
      if (selected && !selected->has(place->second)) continue;
      if (count == limit) {
        page.next_page_offset = place->first;
        more = false;
        break;
      }
      if (count == records.size()) break;
      records[count++] = make_record(source, place->second, with_payload, with_vector, memory);
      records[count - 1].version = 0;
    }
    if (place == ordered.end()) break;
    next = place->first;
  }
  page.points = records.first(count);
  co_return page;
}

io::task<result<scroll_result>> scroll_by_value(collection& source, const order_by& order,
                                                std::uint64_t limit, const selection* selected,
                                                const payload_selector& with_payload,
                                                const vector_selector& with_vector, arena& memory) {
  constexpr std::size_t step_entries = 128;
  std::vector<record> found;
  order_position position;
  position.value = order.start_from;
  if (order.descending) position.slot = UINT32_MAX;
  for (bool more = true; more;) {
    const auto section = co_await io::read(source.guard);
    if (!source.indexes.can_order(order.key.text))
      co_return fail(errc::bad_request,
                     "No range index for `order_by` key: `" + std::string(order.key.text) +
                         "`. Please create one to use `order_by`. Check "
                         "https://qdrant.tech/documentation/concepts/indexing/#payload-index to "
                         "see which payload schemas support Range conditions");
    std::array<order_entry, step_entries> entries;
    const std::size_t count =
        source.indexes.order(order.key.text, order.descending, position, entries);
    for (const order_entry& entry : std::span(entries).first(count)) {
      if (!source.slots[entry.slot].live || (selected && !selected->has(entry.slot))) continue;
      // Points of one value go by id: the last value is read to its end.
      record made;
      std::visit([&](auto value) { made.order_value = value; }, entry.value);
      if (found.size() >= limit && made.order_value != found.back().order_value) {
        more = false;
        break;
      }
      const auto value = made.order_value;
      made = make_record(source, entry.slot, with_payload, with_vector, memory);
      made.version = 0;
      made.order_value = value;
      found.push_back(made);
    }
    if (count < entries.size()) break;
  }
  std::ranges::stable_sort(found, [&](const record& left, const record& right) {
    if (left.order_value != right.order_value)
      return order.descending ? right.order_value < left.order_value
                              : left.order_value < right.order_value;
    return order.descending ? right.id < left.id : left.id < right.id;
  });
  if (found.size() > limit) found.resize(limit);
  co_return scroll_result{memory.copy(std::span<const record>(found)), std::nullopt};
}

/// Random points of a selection, drawn without repetition.
io::task<std::span<const record>> sample(collection& source, const query_request& request,
                                         const selection& selected, arena& memory) {
  thread_local std::mt19937_64 random(
      static_cast<std::uint64_t>(io::loop::current().wall_time_us()));
  std::vector<slot_index> drawn;
  std::uint64_t seen = 0;
  for (std::size_t w = 0; w < selected.words.size(); ++w) {
    for (std::uint64_t bits = selected.words[w]; bits != 0; bits &= bits - 1) {
      const auto slot =
          static_cast<slot_index>(w * 64 + static_cast<unsigned>(std::countr_zero(bits)));
      ++seen;
      if (drawn.size() < request.limit) {
        drawn.push_back(slot);
      } else if (const std::uint64_t place = random() % seen; place < request.limit) {
        drawn[place] = slot;
      }
    }
  }
  const auto records = memory.array<record>(drawn.size());
  std::size_t count = 0;
  const auto section = co_await io::read(source.guard);
  for (const slot_index slot : drawn) {
    if (!source.slots[slot].live) continue;
    records[count] = make_record(source, slot, request.with_payload, request.with_vector, memory);
    records[count++].version = 0;
  }
  co_return records.first(count);
}

/// What a nearest query asks for, as a search; under the guards of the collections involved.
io::task<result<nearest_search>> resolve_nearest(collection& source, collection& lookup,
                                                 const query_request& request,
                                                 const nearest_query& nearest, arena& memory) {
  nearest_search search;
  search.condition = request.condition;
  search.skipped = request.offset;
  search.wanted =
      request.limit > UINT64_MAX - request.offset ? UINT64_MAX : request.limit + request.offset;
  search.score_threshold = request.score_threshold;
  search.with_payload = request.with_payload;
  search.with_vector = request.with_vector;
  vector_value given;
  if (const auto* id = std::get_if<point_id>(&nearest.target)) {
    const std::string_view vector_name = request.lookup_from && request.lookup_from->vector
                                             ? *request.lookup_from->vector
                                             : request.using_vector;
    const auto section = co_await io::read(lookup.guard);
    const auto from = lookup.find_column(vector_name);
    if (!from) co_return std::unexpected(unknown_vector(vector_name));
    const auto slot = lookup.id_to_slot.find(*id);
    if (!slot) co_return std::unexpected(no_point(*id));
    if (!from->has(*slot))
      co_return fail(errc::not_found, "Point " + id->text() + " does not have the required vector");
    given = from->read(*slot, memory);
    if (&lookup == &source) search.excluded = *id;
  } else {
    given = std::get<vector_value>(nearest.target);
  }
  const auto section = co_await io::read(source.guard);
  search.over = source.find_column(request.using_vector);
  if (!search.over) co_return std::unexpected(unknown_vector(request.using_vector));
  VEXFS_CHECK_CO(search.over->check(given));
  VEXFS_CHECK_CO(check_selector(source, request.with_vector));
  search.target = search.over->prepare(given, memory);
  co_return search;
}

}  // namespace

io::task<result<std::span<const record>>> database::retrieve(std::string_view name,
                                                             const retrieve_request& request,
                                                             arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& source = **found;
  const auto records = memory.array<record>(request.ids.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < request.ids.size(); i += apply_group_points) {
    const auto section = co_await io::read(source.guard);
    for (const point_id& id : request.ids.subspan(
             i, std::min<std::size_t>(apply_group_points, request.ids.size() - i))) {
      const auto slot = source.id_to_slot.find(id);
      if (!slot) continue;
      records[count++] =
          make_record(source, *slot, request.with_payload, request.with_vector, memory);
    }
  }
  // Of an id given twice the first answer stays.
  if (count > 1) {
    boost::unordered_flat_map<point_id, bool, point_id_hash> seen;
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
  selection selected;
  if (request.condition) {
    auto selecting = select(source, request.condition, memory);
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
  auto selecting = select(source, request.condition, memory);
  const selection selected = co_await selecting;
  co_return selected.count;
}

io::task<result<std::span<const std::span<const record>>>> database::query(
    std::string_view name, std::span<const query_request> requests, arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& source = **found;
  const auto answers = memory.array<std::span<const record>>(requests.size());
  const auto searches = memory.array<std::size_t>(requests.size());  // which request
  std::vector<nearest_search> nearest;
  nearest.reserve(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const query_request& request = requests[i];
    if (const auto* target = std::get_if<nearest_query>(&request.what)) {
      std::shared_ptr<collection> lookup = *found;
      if (request.lookup_from) {
        const auto other = find(request.lookup_from->collection);
        if (!other)
          co_return fail(
              errc::not_found,
              "Collection " + std::string(request.lookup_from->collection) + " not found");
        lookup = *other;
      }
      auto resolving = resolve_nearest(source, *lookup, request, *target, memory);
      auto resolved = co_await resolving;
      if (!resolved) co_return std::unexpected(std::move(resolved).error());
      searches[nearest.size()] = i;
      nearest.push_back(std::move(*resolved));
      continue;
    }
    selection selected;
    const bool samples = std::holds_alternative<sample_query>(request.what);
    if (request.condition || samples) {
      auto selecting = select(source, request.condition, memory);
      selected = co_await selecting;
    }
    if (samples) {
      auto sampling = sample(source, request, selected, memory);
      answers[i] = co_await sampling;
      continue;
    }
    const selection* chosen = request.condition ? &selected : nullptr;
    const std::uint64_t wanted =
        request.limit > UINT64_MAX - request.offset ? UINT64_MAX : request.limit + request.offset;
    std::span<const record> page;
    if (const auto* order = std::get_if<order_by>(&request.what)) {
      auto scrolling = scroll_by_value(source, *order, wanted, chosen, request.with_payload,
                                       request.with_vector, memory);
      const auto scrolled = co_await scrolling;
      if (!scrolled) co_return std::unexpected(scrolled.error());
      page = scrolled->points;
    } else {
      auto scrolling = scroll_by_id(source, std::nullopt, wanted, chosen, request.with_payload,
                                    request.with_vector, memory);
      page = (co_await scrolling).points;
    }
    answers[i] = page.subspan(std::min<std::uint64_t>(request.offset, page.size()));
  }
  if (!nearest.empty()) {
    auto searching = search_nearest(source, nearest, memory);
    const auto found_records = co_await searching;
    if (!found_records) co_return std::unexpected(found_records.error());
    for (std::size_t s = 0; s < nearest.size(); ++s)
      answers[searches[s]] = (*found_records)[s];
  }
  co_return std::span<const std::span<const record>>(answers);
}

}  // namespace vexfs
