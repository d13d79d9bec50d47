// SPDX-License-Identifier: Apache-2.0
#include "core/database/scroll.h"

#include <algorithm>
#include <array>
#include <bit>
#include <random>
#include <vector>

#include "core/base/limits.h"
#include "core/database/records.h"

namespace vexfs {

io::task<result<scroll_result>> scroll_by_id(collection& source, std::optional<point_id> from,
                                             std::uint64_t limit, const selection* selected,
                                             const payload_selector& with_payload,
                                             const vector_selector& with_vector, arena& memory) {
  // Grows with what is found: points may come while the guard is given up.
  std::vector<record> found;
  row_reads reads(memory);
  scroll_result page;
  std::optional<point_id> next = from;
  for (bool started = false;; started = true) {
    // Others of this core have their turn between the steps.
    if (started) co_await io::loop::current().yield();
    const auto section = co_await io::read(source.guard);
    const auto& ordered = source.id_to_slot.ordered();
    auto place = next ? ordered.lower_bound(*next) : ordered.begin();
    for (std::uint32_t steps = 0; place != ordered.end() && steps < filter_step_points;
         ++place, ++steps) {
      if (selected && !selected->has(place->second)) continue;
      if (found.size() == limit) {
        page.next_page_offset = place->first;
        break;
      }
      found.push_back(make_record(source, place->second, with_payload, with_vector, reads, memory));
      found.back().version = 0;
    }
    if (page.next_page_offset || place == ordered.end()) break;
    next = place->first;
  }
  VEXFS_CHECK_CO(co_await reads.finish());
  page.points = memory.copy(std::span<const record>(found));
  co_return page;
}

io::task<result<scroll_result>> scroll_by_value(collection& source, const order_by& order,
                                                std::uint64_t limit, const selection* selected,
                                                const payload_selector& with_payload,
                                                const vector_selector& with_vector, arena& memory) {
  constexpr std::size_t step_entries = 128;
  std::vector<record> found;
  row_reads reads(memory);
  order_position position;
  position.value = order.start_from;
  if (order.descending) position.slot = UINT32_MAX;
  for (bool more = true, started = false; more; started = true) {
    if (started) co_await io::loop::current().yield();
    const auto section = co_await io::read(source.guard);
    if (!source.indexes.can_order(order.key.text))
      co_return fail(errc::bad_input,
                     "No range index for `order_by` key: `" + std::string(order.key.text) +
                         "`. Please create one to use `order_by`. Check "
                         "https://qdrant.tech/documentation/concepts/indexing/#payload-index to "
                         "see which payload schemas support Range conditions");
    std::array<order_entry, step_entries> entries;
    const std::size_t count =
        source.indexes.order(order.key.text, order.descending, position, entries);
    for (const order_entry& entry : std::span(entries).first(count)) {
      if (!source.slots.live(entry.slot) || (selected && !selected->has(entry.slot))) continue;
      // Points of one value go by id: the last value is read to its end.
      record made;
      std::visit([&](auto value) { made.order_value = value; }, entry.value);
      if (found.size() >= limit && made.order_value != found.back().order_value) {
        more = false;
        break;
      }
      const auto value = made.order_value;
      made = make_record(source, entry.slot, with_payload, with_vector, reads, memory);
      made.version = 0;
      made.order_value = value;
      found.push_back(made);
    }
    if (count < entries.size()) break;
  }
  VEXFS_CHECK_CO(co_await reads.finish());
  std::ranges::stable_sort(found, [&](const record& left, const record& right) {
    if (left.order_value != right.order_value)
      return order.descending ? right.order_value < left.order_value
                              : left.order_value < right.order_value;
    return order.descending ? right.id < left.id : left.id < right.id;
  });
  if (found.size() > limit) found.resize(limit);
  co_return scroll_result{memory.copy(std::span<const record>(found)), std::nullopt};
}

io::task<result<std::span<const record>>> sample_points(collection& source, std::uint64_t limit,
                                                        const selection& selected,
                                                        const payload_selector& with_payload,
                                                        const vector_selector& with_vector,
                                                        arena& memory) {
  thread_local std::mt19937_64 random(
      static_cast<std::uint64_t>(io::loop::current().wall_time_us()));
  std::vector<slot_index> drawn;
  std::uint64_t seen = 0;
  for (std::size_t w = 0; w < selected.words.size(); ++w) {
    for (std::uint64_t bits = selected.words[w]; bits != 0; bits &= bits - 1) {
      const auto slot =
          static_cast<slot_index>(w * 64 + static_cast<unsigned>(std::countr_zero(bits)));
      ++seen;
      if (drawn.size() < limit) {
        drawn.push_back(slot);
      } else if (const std::uint64_t place = random() % seen; place < limit) {
        drawn[place] = slot;
      }
    }
  }
  // Drawing keeps the order of slots for the most part.
  std::ranges::shuffle(drawn, random);
  const auto records = memory.array<record>(drawn.size());
  row_reads reads(memory);
  std::size_t count = 0;
  for (std::size_t i = 0; i < drawn.size(); i += apply_group_points) {
    const auto section = co_await io::read(source.guard);
    for (std::size_t d = i; d < std::min(i + apply_group_points, drawn.size()); ++d) {
      if (!source.slots.live(drawn[d])) continue;
      records[count] = make_record(source, drawn[d], with_payload, with_vector, reads, memory);
      records[count++].version = 0;
    }
  }
  VEXFS_CHECK_CO(co_await reads.finish());
  co_return std::span<const record>(records.first(count));
}

}  // namespace vexfs
