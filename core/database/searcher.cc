// SPDX-License-Identifier: Apache-2.0
#include "core/database/searcher.h"

#include <algorithm>
#include <bit>

#include "core/base/limits.h"
#include "core/database/records.h"
#include "core/database/slot_reading.h"
#include "core/database/vector_column.h"
#include "core/filter/filter_plan.h"
#include "core/io/slices.h"

namespace vexfs {
namespace {

struct allowed_slots {
  std::span<const std::uint64_t> words;
  std::uint64_t count = 0;
};

/// The allow bitmap of one filter, in guarded steps.
io::task<allowed_slots> plan_filter(collection& source, const filter& condition, arena& memory) {
  // The plan stays in the arena because its bitmap does.
  auto* plan =
      static_cast<filter_plan*>(memory.allocate(sizeof(filter_plan), alignof(filter_plan)));
  std::construct_at(plan, &condition, memory);
  for (;;) {
    {
      const auto section = co_await io::read(source.guard);
      if (plan->advance(source.indexes, source, filter_step_points)) break;
    }
    co_await io::loop::current().yield();
  }
  co_return allowed_slots{plan->allowed(), plan->count()};
}

/// The exact similarity of one slot that has a vector; nothing where it is no answer at all.
std::optional<float> similarity_at(const nearest_search& search, slot_index slot) {
  if (!search.examples) return search.over->similarity(search.target, slot);
  return score_by_examples(*search.examples, [&](const vector_value& example) {
    return search.over->similarity(example, slot).value_or(0.0F);
  });
}

std::span<const scored_slot> keep_best(std::span<scored_slot> scored, std::uint32_t k) {
  const std::size_t wanted = std::min<std::size_t>(scored.size(), k);
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(wanted),
                    scored.end(), is_better);
  return scored.first(wanted);
}

/// Ranks the few points of a small allow set one by one.
std::span<const scored_slot> rank_few(const nearest_search& search, const allowed_slots& allowed,
                                      std::uint32_t k, arena& memory) {
  const auto scored = memory.array<scored_slot>(allowed.count);
  std::size_t count = 0;
  for (std::size_t w = 0; w < allowed.words.size(); ++w) {
    for (std::uint64_t bits = allowed.words[w]; bits != 0; bits &= bits - 1) {
      const auto slot =
          static_cast<slot_index>(w * 64 + static_cast<unsigned>(std::countr_zero(bits)));
      if (!search.over->has(slot) || count == scored.size()) continue;
      if (const auto similarity = similarity_at(search, slot))
        scored[count++] = {comparable(*similarity), slot};
    }
  }
  return keep_best(scored.first(count), k);
}

/// Compares every row in slices: of a column that the device does not know, or with examples.
io::task<std::span<const scored_slot>> rank_all(const nearest_search& search,
                                                const allowed_slots* allowed, slot_index limit,
                                                std::uint32_t k, arena& memory) {
  const auto examples =
      static_cast<std::uint32_t>(search.examples ? search.examples->example_count() : 1);
  const std::uint32_t rows = std::max(variable_slice_rows / examples, variable_slice_rows_min);
  const std::uint32_t slices = (limit + rows - 1) / rows;
  const auto scored = memory.array<scored_slot>(limit);
  const auto counts = memory.array<std::uint32_t>(slices);
  auto rank = [&](std::uint32_t index) {
    const slot_index first = index * rows;
    const slot_index last = std::min(first + rows, limit);
    for (slot_index slot = first; slot < last; ++slot) {
      if (allowed && (allowed->words[slot / 64] >> (slot % 64) & 1) == 0) continue;
      if (!search.over->has(slot)) continue;
      if (const auto similarity = similarity_at(search, slot))
        scored[first + counts[index]++] = {comparable(*similarity), slot};
    }
  };
  auto ranking = io::run_slices(slices, rank);
  co_await ranking;
  std::size_t count = 0;
  for (std::uint32_t index = 0; index < slices; ++index)
    for (std::uint32_t i = 0; i < counts[index]; ++i)
      scored[count++] = scored[index * rows + i];
  co_return keep_best(scored.first(count), k);
}

/// One batch's way through the search; everything it owns lives in the arena.
struct batch_search {
  collection& source;
  std::span<const nearest_search> searches;
  arena& memory;
  std::span<allowed_slots> allowed;
  std::span<std::span<const scored_slot>> ranked;
  slot_index slot_limit = 0;

  std::uint32_t wanted(std::size_t index) const {
    const std::uint64_t most = std::max<slot_index>(slot_limit, 1);
    // As many more as there are points that the query came from.
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
        std::min(searches[index].wanted, most) + searches[index].excluded.size(), 1, most));
  }
  bool restricted(std::size_t index) const {
    return searches[index].condition || searches[index].among;
  }

  io::task<void> plan() {
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (const auto& among = searches[i].among) {
        allowed[i].words = *among;
        for (const std::uint64_t word : *among)
          allowed[i].count += static_cast<std::uint64_t>(std::popcount(word));
        continue;
      }
      if (!searches[i].condition) continue;
      auto planning = plan_filter(source, *searches[i].condition, memory);
      allowed[i] = co_await planning;
    }
    const auto section = co_await io::read(source.guard);
    slot_limit = source.slots.published_limit();
    for (std::size_t i = 0; i < searches.size(); ++i) {
      // A slot inserted after its filter was planned has no bit: it does not pass.
      if (restricted(i) && allowed[i].words.size() * 64 < slot_limit) {
        const auto padded = memory.array<std::uint64_t>((slot_limit + 63) / 64);
        std::ranges::copy(allowed[i].words, padded.begin());
        allowed[i].words = padded;
      }
    }
  }

  bool is_small(std::size_t index) const {
    return restricted(index) && allowed[index].count <= direct_scan_points_max;
  }

  bool is_scanned(std::size_t index) const {
    return !is_small(index) && !searches[index].examples &&
           searches[index].over->kind() == vector_kind::dense;
  }

  /// Scans all searches over one column together.
  io::task<result<void>> scan(vector_column& dense) {
    const auto members = memory.array<std::uint32_t>(searches.size());
    std::uint32_t count = 0;
    scan_batch batch;
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (searches[i].over.get() != &dense || !is_scanned(i)) continue;
      batch.k = std::max(batch.k, wanted(i));
      members[count++] = static_cast<std::uint32_t>(i);
    }
    if (count == 0) co_return result<void>{};
    const auto targets = memory.array<float>(std::size_t{count} * dense.dim());
    const auto bitmaps = memory.array<const std::uint64_t*>(count);
    for (std::uint32_t m = 0; m < count; ++m) {
      std::ranges::copy(
          searches[members[m]].target.values,
          targets.begin() + static_cast<std::ptrdiff_t>(std::size_t{m} * dense.dim()));
      bitmaps[m] = restricted(members[m]) ? allowed[members[m]].words.data() : nullptr;
    }
    batch.column = &dense;
    batch.slot_limit = slot_limit;
    batch.targets = targets;
    batch.allowed = bitmaps;
    scan_slices slices(batch, memory);
    auto run = [&](std::uint32_t index) { slices.run(index); };
    auto running = io::run_slices(slices.count(), run);
    co_await running;
    VEXFS_CHECK_CO(slices.outcome());
    for (std::uint32_t m = 0; m < count; ++m)
      ranked[members[m]] = slices.best(m, memory);
    co_return result<void>{};
  }

  io::task<result<void>> rank() {
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (is_small(i)) {
        ranked[i] = rank_few(searches[i], allowed[i], wanted(i), memory);
        continue;
      }
      if (!is_scanned(i)) {
        auto ranking = rank_all(searches[i], restricted(i) ? &allowed[i] : nullptr, slot_limit,
                                wanted(i), memory);
        ranked[i] = co_await ranking;
        continue;
      }
      const bool first_of_column =
          std::none_of(searches.begin(), searches.begin() + static_cast<std::ptrdiff_t>(i),
                       [&](const nearest_search& earlier) {
                         return earlier.over == searches[i].over &&
                                is_scanned(static_cast<std::size_t>(&earlier - searches.data()));
                       });
      if (!first_of_column) continue;
      auto scanning = scan(static_cast<vector_column&>(*searches[i].over));
      VEXFS_CHECK_CO(co_await scanning);
    }
    co_return result<void>{};
  }

  /// Slots to points. Candidates that have gone meanwhile are dropped; `incomplete` tells that a
  /// query has lost some and could have had more.
  io::task<std::span<const record>> finish(std::size_t index, bool& incomplete) {
    const nearest_search& search = searches[index];
    const auto candidates = ranked[index];
    const auto records =
        memory.array<record>(std::min<std::uint64_t>(candidates.size(), search.wanted));
    std::size_t count = 0;
    std::uint64_t passed = 0;
    bool lost = false;
    std::size_t next = 0;
    while (next < candidates.size() && passed < search.wanted) {
      const auto section = co_await io::read(source.guard);
      for (std::size_t step = 0;
           step < apply_group_points && next < candidates.size() && passed < search.wanted;
           ++step, ++next) {
        const scored_slot& scored = candidates[next];
        const slot_record& stored = source.slots[scored.slot];
        if (!stored.live || !search.over->has(scored.slot)) {
          lost = true;
          continue;
        }
        if (std::ranges::find(search.excluded, stored.id) != search.excluded.end()) continue;
        const float score = shown_score(search, scored.similarity);
        if (!within_threshold(search, score)) continue;
        if (passed++ < search.skipped) continue;
        record& made = records[count++];
        made = make_record(source, scored.slot, search.with_payload, search.with_vector, memory);
        made.score = score;
      }
    }
    incomplete = incomplete || (lost && passed < search.wanted);
    const auto found = records.first(count);
    std::ranges::stable_sort(found, [&](const record& left, const record& right) {
      if (left.score != right.score)
        return larger_is_better(search) ? left.score > right.score : left.score < right.score;
      return left.id < right.id;
    });
    co_return found;
  }
};

}  // namespace

float shown_score(const nearest_search& search, float similarity) {
  return search.examples ? similarity : score_of(search.over->metric(), similarity);
}

bool larger_is_better(const nearest_search& search) {
  return search.examples || larger_is_better(search.over->metric());
}

bool within_threshold(const nearest_search& search, float score) {
  if (!search.score_threshold) return true;
  // The contract takes the metric's own order here, also for scores by examples.
  return larger_is_better(search.over->metric()) ? score > *search.score_threshold
                                                 : score < *search.score_threshold;
}

io::task<result<std::span<const std::span<const scored_slot>>>> rank_nearest(
    collection& source, std::span<const nearest_search> searches, arena& memory) {
  batch_search batch{source, searches, memory, memory.array<allowed_slots>(searches.size()),
                     memory.array<std::span<const scored_slot>>(searches.size())};
  auto planning = batch.plan();
  co_await planning;
  auto ranking = batch.rank();
  VEXFS_CHECK_CO(co_await ranking);
  co_return std::span<const std::span<const scored_slot>>(batch.ranked);
}

io::task<result<std::span<const std::span<const record>>>> search_nearest(
    collection& source, std::span<const nearest_search> searches, arena& memory) {
  const auto answers = memory.array<std::span<const record>>(searches.size());
  for (std::uint32_t attempt = 0; attempt < search_attempts_max; ++attempt) {
    const slot_reading held(source.readers);
    batch_search batch{source, searches, memory, memory.array<allowed_slots>(searches.size()),
                       memory.array<std::span<const scored_slot>>(searches.size())};
    auto planning = batch.plan();
    co_await planning;
    auto ranking = batch.rank();
    VEXFS_CHECK_CO(co_await ranking);
    bool incomplete = false;
    for (std::size_t i = 0; i < searches.size(); ++i) {
      auto finishing = batch.finish(i, incomplete);
      answers[i] = co_await finishing;
    }
    if (!incomplete) break;
  }
  co_return std::span<const std::span<const record>>(answers);
}

}  // namespace vexfs
