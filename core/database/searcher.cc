// SPDX-License-Identifier: Apache-2.0
#include "core/database/searcher.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/limits.h"
#include "core/database/graph_slices.h"
#include "core/database/hnsw_settings.h"
#include "core/database/late_points.h"
#include "core/database/linking.h"
#include "core/database/records.h"
#include "core/database/scan_slices.h"
#include "core/database/selection.h"
#include "core/database/slot_reading.h"
#include "core/database/vector_column.h"
#include "core/filter/filter_key.h"
#include "core/io/slices.h"

namespace vexfs {
namespace {

/// Searches that go again together.
constexpr std::uint32_t repeated_queries = 64;

std::span<const scored_slot> keep_best(std::span<scored_slot> scored, std::uint32_t k) {
  const std::size_t wanted = std::min<std::size_t>(scored.size(), k);
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(wanted),
                    scored.end(), is_better);
  return scored.first(wanted);
}

/// Each point once, the better of two.
std::span<const record> drop_repeated(std::span<record> found) {
  point_map<bool> seen;
  const auto repeated = std::ranges::remove_if(
      found, [&](const record& one) { return !seen.emplace(one.id, true).second; });
  return found.first(found.size() - repeated.size());
}

/// Ranks the few points of a small allow set one by one.
io::task<result<std::span<const scored_slot>>> rank_few(const nearest_search& search,
                                                        const selection& allowed, std::uint32_t k,
                                                        arena& memory) {
  const auto scored = memory.array<scored_slot>(allowed.count);
  const auto stored = memory.array<const std::byte*>(allowed.count);
  row_reads reads(memory);
  std::size_t found = 0;
  for (std::size_t w = 0; w < allowed.words.size(); ++w) {
    for (std::uint64_t bits = allowed.words[w]; bits != 0; bits &= bits - 1) {
      const auto slot =
          static_cast<slot_index>(w * 64 + static_cast<unsigned>(std::countr_zero(bits)));
      if (!search.over->has(slot) || found == scored.size()) continue;
      stored[found] = search.over->stored(slot, reads);
      scored[found++].slot = slot;
    }
  }
  VEXFS_CHECK_CO(co_await reads.finish());
  std::size_t count = 0;
  for (std::size_t i = 0; i < found; ++i)
    if (const auto similarity = similarity_of(search, stored[i]))
      scored[count++] = {comparable(*similarity), scored[i].slot};
  co_return keep_best(scored.first(count), k);
}

/// Compares every row in slices: of a column that the device does not know, or with examples.
io::task<result<std::span<const scored_slot>>> rank_all(const nearest_search& search,
                                                        const selection* allowed, slot_index limit,
                                                        std::uint32_t k, arena& memory) {
  const auto examples =
      static_cast<std::uint32_t>(search.examples ? search.examples->example_count() : 1);
  const std::uint32_t rows = std::max(variable_slice_rows / examples, variable_slice_rows_min);
  const auto scored = memory.array<scored_slot>(limit);
  const auto stored = memory.array<const std::byte*>(std::min(limit, variable_round_rows));
  const auto compared = memory.array<bool>(stored.size());
  row_reads reads(memory);
  std::size_t count = 0;
  // In rounds, so that what is read and not yet compared stays little.
  for (slot_index next = 0; next < limit;) {
    if (next > 0) co_await io::loop::current().yield();
    const std::size_t first = count;
    for (; next < limit && count - first < stored.size() && !reads.is_full(); ++next) {
      if ((allowed && !allowed->has(next)) || !search.over->has(next)) continue;
      stored[count - first] = search.over->stored(next, reads);
      scored[count++].slot = next;
    }
    VEXFS_CHECK_CO(co_await reads.finish());
    const auto round = scored.subspan(first, count - first);
    auto rank = [&](std::uint32_t index) {
      const std::size_t last = std::min<std::size_t>((index + 1) * rows, round.size());
      for (std::size_t i = index * rows; i < last; ++i) {
        const auto similarity = similarity_of(search, stored[i]);
        compared[i] = similarity.has_value();
        if (similarity) round[i].similarity = comparable(*similarity);
      }
    };
    auto ranking =
        io::run_slices(static_cast<std::uint32_t>((round.size() + rows - 1) / rows), rank);
    co_await ranking;
    count = first;
    for (std::size_t i = 0; i < round.size(); ++i)
      if (compared[i]) scored[count++] = round[i];
    reads.reuse();
  }
  co_return keep_best(scored.first(count), k);
}

/// One batch's way through the search; all that is as large as its answers lives in the arena.
struct batch_search {
  collection& source;
  std::span<const nearest_search> searches;
  arena& memory;
  std::span<selection> allowed;
  std::span<std::span<const scored_slot>> ranked;
  slot_index slot_limit = 0;
  std::optional<std::uint64_t> changes_seen = {};  // before anything was looked at
  // The codes of the columns as they are when the slot limit is: later ones may lack a slot below
  // it.
  std::vector<std::pair<const column*, std::shared_ptr<const coded_rows>>> codes = {};

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
    std::map<std::string, std::size_t> planned;  // filters of the batch that are alike
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (const auto& among = searches[i].among) {
        allowed[i].words = *among;
        for (const std::uint64_t word : *among)
          allowed[i].count += static_cast<std::uint64_t>(std::popcount(word));
        continue;
      }
      if (!searches[i].condition) continue;
      if (!changes_seen) {
        const auto section = co_await io::read(source.guard);
        changes_seen = source.indexes.change_count();
      }
      std::optional<std::string_view> known_by;
      if (auto key = filter_key(*searches[i].condition)) {
        const auto [place, added] = planned.emplace(std::move(*key), i);
        if (!added) {
          allowed[i] = allowed[place->second];
          continue;
        }
        known_by = place->first;
      }
      auto planning = select_points(source, searches[i].condition, known_by, memory);
      allowed[i] = co_await planning;
    }
    const auto section = co_await io::read(source.guard);
    slot_limit = source.slots.limit();
    hold_codes();
    if (!changes_seen) changes_seen = source.indexes.change_count();
    for (std::size_t i = 0; i < searches.size(); ++i) {
      // A slot inserted after its filter was planned has no bit: it does not pass.
      if (restricted(i) && allowed[i].words.size() * 64 < slot_limit) {
        const auto padded = memory.array<std::uint64_t>((slot_limit + 63) / 64);
        std::ranges::copy(allowed[i].words, padded.begin());
        allowed[i].words = padded;
      }
    }
  }

  vector_column& dense_of(std::size_t index) const {
    return static_cast<vector_column&>(*searches[index].over);
  }
  /// In a section of the guard.
  void hold_codes() {
    for (std::size_t i = 0; i < searches.size(); ++i) {
      const column* over = searches[i].over.get();
      if (over->kind() == vector_kind::dense && !codes_of(over))
        codes.emplace_back(over, dense_of(i).codes());
    }
  }
  const coded_rows* codes_of(const column* over) const {
    const auto held = std::ranges::find(codes, over, &decltype(codes)::value_type::first);
    return held == codes.end() ? nullptr : held->second.get();
  }
  /// Rows that a search may answer.
  std::uint64_t row_count(std::size_t index) const {
    const std::uint64_t held = searches[index].over->count();
    return restricted(index) ? std::min(allowed[index].count, held) : held;
  }

  /// How a search looks for its candidates.
  enum class access : std::uint8_t { one_by_one, compare_all, scan, graph };
  access choose(std::size_t index) const {
    const nearest_search& search = searches[index];
    if (restricted(index) && allowed[index].count <= direct_scan_points_max)
      return access::one_by_one;
    if (search.examples || search.over->kind() != vector_kind::dense) return access::compare_all;
    const vector_column& dense = dense_of(index);
    const auto graph = codes_of(&dense)->file().graph();
    if (search.params.exact || !graph) return access::scan;
    // Behind a start or a change of settings, the graph is not yet the faster way to all points.
    if (!search.params.indexed_only && !graph->complete) return access::scan;
    // Where a filter lets few through, the device looks at all of them by itself.
    const bool scans_few = !restricted(index) || search.full_scan_threshold;
    if (scans_few && is_scan_size(row_count(index), dense.dim(), search.full_scan_threshold))
      return access::scan;
    return effort_of(index).wanted <= search_ef_max ? access::graph : access::scan;
  }

  /// How hard a graph is searched. Quantisation swaps neighbours within a few ranks, so somewhat
  /// more candidates are ranked exactly than are wanted.
  search_effort effort_of(std::size_t index) const {
    const search_params& params = searches[index].params;
    const std::uint32_t k = wanted(index);
    const double more = std::max(params.oversampling.value_or(1), 1.0);
    search_effort effort;
    effort.k = k;
    const std::uint64_t usual = std::uint64_t{k} + k / rescored_more_one_in + rescored_more;
    effort.wanted = static_cast<std::uint32_t>(
        std::min(std::max(k * more, static_cast<double>(usual)), search_ef_max + 1.0));
    if (params.hnsw_ef) {
      effort.ef =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(*params.hnsw_ef, search_ef_max));
    } else {
      effort.ef = std::min(std::max(search_ef_default, 2 * k), search_ef_max);
      effort.stop_rank = k;
      effort.stop_share = search_stop_share_default;
    }
    effort.ef = std::max(effort.ef, effort.wanted);
    if (params.ignore_codes) effort.wanted = effort.ef;
    effort.is_by_codes = params.is_by_codes();
    return effort;
  }

  /// Searches of one column that go to the device together.
  struct group {
    const vector_column* column;
    const coded_rows* codes;
    std::span<const std::uint32_t> members;
    std::span<const float> targets;
    std::span<const float> coded_targets;
    std::span<const std::uint64_t* const> bitmaps;
  };
  template <class Belongs>
  group gather(const vector_column& column, Belongs belongs) const {
    const auto members = memory.array<std::uint32_t>(searches.size());
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < searches.size(); ++i)
      if (belongs(i)) members[count++] = i;
    const std::size_t dim = column.dim();
    const auto targets = memory.array<float>(count * dim);
    const auto bitmaps = memory.array<const std::uint64_t*>(count);
    for (std::uint32_t m = 0; m < count; ++m) {
      std::ranges::copy(searches[members[m]].target.values,
                        targets.begin() + static_cast<std::ptrdiff_t>(m * dim));
      bitmaps[m] = restricted(members[m]) ? allowed[members[m]].words.data() : nullptr;
    }
    const coded_rows* rows = codes_of(&column);
    std::span<const float> coded_targets = targets;
    if (!rows->centre().empty()) {
      const auto moved = memory.copy(std::span<const float>(targets));
      rows->move_to_centre(moved);
      coded_targets = moved;
    }
    return {&column, rows, members.first(count), targets, coded_targets, bitmaps};
  }

  io::task<result<void>> scan(group together, arena& scratch) {
    scan_batch batch;
    for (const std::uint32_t member : together.members) {
      batch.k = std::max(batch.k, wanted(member));
      batch.row_count = std::max(batch.row_count, row_count(member));
    }
    batch.column = together.column;
    batch.codes = together.codes;
    batch.slot_limit = slot_limit;
    batch.targets = together.targets;
    batch.coded_targets = together.coded_targets;
    batch.allowed = together.bitmaps;
    scan_slices slices(batch, scratch);
    auto run = [&](std::uint32_t index) { slices.run(index); };
    auto running = io::run_slices(slices.count(), run);
    co_await running;
    VEXFS_CHECK_CO(slices.outcome());
    auto reading = slices.rank_rest(scratch);
    VEXFS_CHECK_CO(co_await reading);
    for (std::uint32_t m = 0; m < together.members.size(); ++m)
      ranked[together.members[m]] = slices.best(m, memory);
    co_return result<void>{};
  }

  /// Marks the searches whose candidates turn out to be too few.
  io::task<result<void>> walk_once(group together, const search_effort& effort,
                                   std::span<bool> is_short, arena& scratch) {
    graph_batch batch;
    batch.effort = effort;
    const auto counts = memory.array<std::uint32_t>(together.members.size());
    for (std::size_t m = 0; m < counts.size(); ++m)
      counts[m] = static_cast<std::uint32_t>(row_count(together.members[m]));
    batch.column = together.column;
    batch.codes = together.codes;
    batch.slot_limit = slot_limit;
    batch.targets = together.targets;
    batch.coded_targets = together.coded_targets;
    batch.allowed = together.bitmaps;
    batch.allowed_counts = counts;
    graph_slices slices(batch, scratch);
    auto run = [&](std::uint32_t index) { slices.run(index); };
    auto running = io::run_slices(slices.count(), run);
    co_await running;
    const auto walked = slices.outcome();
    if (!walked && walked.error().code == errc::not_found) {
      // The graph has been dropped since it was chosen.
      auto scanning = scan(together, scratch);
      co_return co_await scanning;
    }
    VEXFS_CHECK_CO(walked);
    auto reading = slices.rank_rest(scratch);
    VEXFS_CHECK_CO(co_await reading);
    for (std::uint32_t m = 0; m < together.members.size(); ++m) {
      ranked[together.members[m]] = slices.best(m);
      is_short[together.members[m]] = slices.is_short(m);
    }
    co_return result<void>{};
  }

  /// Where vectors lie together more closely than the codes tell, a walk that keeps few returns any
  /// of them: searches that come to that go again, with more.
  io::task<result<void>> walk(group together) {
    const auto is_short = memory.array<bool>(searches.size());
    search_effort effort = effort_of(together.members.front());
    auto walking = walk_once(together, effort, is_short, memory);
    VEXFS_CHECK_CO(co_await walking);
    while (effort.ef < search_ef_max && std::ranges::any_of(is_short, std::identity())) {
      effort.ef = std::min(effort.ef * search_widening, search_ef_max);
      effort.stop_rank = 0;
      if (searches[together.members.front()].params.ignore_codes) effort.wanted = effort.ef;
      auto repeating = repeat(together, effort, is_short);
      VEXFS_CHECK_CO(co_await repeating);
    }
    co_return result<void>{};
  }

  /// Some of the short ones of a group at a time, in memory that is given back: there is much more
  /// of it than at first.
  io::task<result<void>> repeat(group together, search_effort effort, std::span<bool> is_short) {
    enum class way : std::uint8_t { none, walk, scan };
    const auto ways = memory.array<way>(searches.size());
    for (const std::uint32_t member : together.members)
      if (is_short[member]) ways[member] = looks_at_most(member, effort) ? way::scan : way::walk;
    std::ranges::fill(is_short, false);
    for (const way chosen : {way::walk, way::scan}) {
      for (;;) {
        std::uint32_t count = 0;
        arena scratch;
        const group part = gather(*together.column, [&](std::uint32_t i) {
          if (ways[i] != chosen || count == repeated_queries) return false;
          ways[i] = way::none;
          ++count;
          return true;
        });
        if (count == 0) break;
        auto asking =
            chosen == way::scan ? scan(part, scratch) : walk_once(part, effort, is_short, scratch);
        VEXFS_CHECK_CO(co_await asking);
        for (const std::uint32_t member : part.members)
          ranked[member] = memory.copy(
              ranked[member].first(std::min<std::size_t>(ranked[member].size(), 2 * effort.k)));
      }
    }
    co_return result<void>{};
  }
  /// Whether a walk would, so that a scan does it sooner.
  bool looks_at_most(std::uint32_t index, const search_effort& effort) const {
    return !searches[index].params.indexed_only &&
           row_count(index) <= std::uint64_t{effort.ef} * rows_walked_per_candidate;
  }

  io::task<result<void>> rank() {
    const auto ways = memory.array<access>(searches.size());
    const auto done = memory.array<bool>(searches.size());
    for (std::size_t i = 0; i < searches.size(); ++i)
      ways[i] = choose(i);
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (done[i]) continue;
      if (ways[i] == access::one_by_one) {
        auto ranking = rank_few(searches[i], allowed[i], wanted(i), memory);
        const auto few = co_await ranking;
        if (!few) co_return std::unexpected(few.error());
        ranked[i] = *few;
      } else if (ways[i] == access::compare_all) {
        auto ranking = rank_all(searches[i], restricted(i) ? &allowed[i] : nullptr, slot_limit,
                                wanted(i), memory);
        const auto all = co_await ranking;
        if (!all) co_return std::unexpected(all.error());
        ranked[i] = *all;
      } else {
        const auto with_this = [&](std::uint32_t other) {
          const bool together = other >= i && ways[other] == ways[i] &&
                                searches[other].over == searches[i].over &&
                                (ways[i] == access::scan || effort_of(other) == effort_of(i));
          done[other] = done[other] || together;
          return together;
        };
        const group together = gather(dense_of(i), with_this);
        auto asking = ways[i] == access::scan ? scan(together, memory) : walk(together);
        VEXFS_CHECK_CO(co_await asking);
      }
    }
    auto completing = complete(ways);
    co_return co_await completing;
  }

  /// A walk may end early where what it looks for hangs together badly. Then everything is looked
  /// at.
  io::task<result<void>> complete(std::span<access> ways) {
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (ways[i] != access::graph || searches[i].params.indexed_only) continue;
      if (ranked[i].size() >= std::min<std::uint64_t>(wanted(i), row_count(i))) continue;
      auto scanning =
          scan(gather(dense_of(i), [&](std::uint32_t other) { return other == i; }), memory);
      VEXFS_CHECK_CO(co_await scanning);
    }
    co_return result<void>{};
  }

  /// Slots to points. Candidates that have gone meanwhile are dropped, and points that moved are
  /// found where they are now; `incomplete` tells that a query has lost some and could have had
  /// more.
  io::task<result<std::span<const record>>> finish(std::size_t index, row_reads& reads,
                                                   bool& incomplete) {
    const nearest_search& search = searches[index];
    auto candidates = ranked[index];
    // What the device was not asked for is not known.
    const bool may_have_more = candidates.size() >= wanted(index);
    late_points late(
        source, search, *changes_seen,
        may_have_more ? candidates.back().similarity : -std::numeric_limits<float>::infinity(),
        memory);
    const auto records = memory.array<record>(
        std::min<std::uint64_t>(search.wanted, std::max<slot_index>(slot_limit, 1)));
    std::size_t count = 0;
    std::uint64_t passed = 0;
    bool lost = false;
    bool look_again = true;  // at what has changed
    bool has_seen_all = search.among.has_value();
    std::size_t next = 0;
    while (passed < search.wanted && (next < candidates.size() || look_again)) {
      if (late.is_pending()) {
        VEXFS_CHECK_CO(co_await reads.finish());
        late.rank();
      }
      const auto section = co_await io::read(source.guard);
      if (late.is_pending()) {
        candidates = late.join(candidates.subspan(next), candidates.first(next));
        next = 0;
      }
      bool is_up_to_date = false;  // all changes until this section have been looked at
      if (!has_seen_all) {
        has_seen_all = late.look(reads);
        if (!has_seen_all || late.is_pending()) continue;
        is_up_to_date = true;
      }
      look_again = false;
      // Records lie anywhere: all are asked for before the first is looked at.
      const std::uint64_t most =
          std::min<std::uint64_t>(apply_group_points, search.wanted - passed);
      for (const scored_slot& scored :
           candidates.subspan(next, std::min<std::size_t>(most, candidates.size() - next)))
        __builtin_prefetch(&source.slots[scored.slot]);
      for (std::size_t step = 0;
           step < apply_group_points && next < candidates.size() && passed < search.wanted;
           ++step, ++next) {
        const scored_slot& scored = candidates[next];
        const slot_record& stored = source.slots[scored.slot];
        if (!source.slots.live(scored.slot) || !search.over->has(scored.slot)) {
          lost = true;
          if (search.among || is_up_to_date) continue;
          // Where the point is now is looked for before others take its place.
          look_again = true;
          has_seen_all = false;
          ++next;
          break;
        }
        if (std::ranges::find(search.excluded, stored.id) != search.excluded.end()) continue;
        const float score = shown_score(search, scored.similarity);
        if (!within_threshold(search, score)) continue;
        if (passed++ < search.skipped || count == records.size()) continue;
        record& made = records[count++];
        made = make_record(source, scored.slot, search.with_payload, search.with_vector, reads,
                           memory);
        made.score = score;
      }
    }
    if (passed < search.wanted && ((lost && may_have_more) || late.has_gap())) incomplete = true;
    const auto found = records.first(count);
    std::ranges::stable_sort(found, [&](const record& left, const record& right) {
      if (left.score != right.score)
        return larger_is_better(search) ? left.score > right.score : left.score < right.score;
      return left.id < right.id;
    });
    if (!late.joined_behind()) co_return std::span<const record>(found);
    const auto kept = drop_repeated(found);
    incomplete = incomplete || kept.size() < found.size();
    co_return kept;
  }
};

}  // namespace

std::optional<float> similarity_of(const nearest_search& search, const std::byte* stored) {
  if (!search.examples) return search.over->similarity(search.target, stored);
  return score_by_examples(*search.examples, [&](const vector_value& example) {
    return search.over->similarity(example, stored).value_or(0.0F);
  });
}

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
  batch_search batch{source, searches, memory, memory.array<selection>(searches.size()),
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
    batch_search batch{source, searches, memory, memory.array<selection>(searches.size()),
                       memory.array<std::span<const scored_slot>>(searches.size())};
    auto planning = batch.plan();
    co_await planning;
    auto ranking = batch.rank();
    VEXFS_CHECK_CO(co_await ranking);
    bool incomplete = false;
    row_reads reads(memory);
    for (std::size_t i = 0; i < searches.size(); ++i) {
      auto finishing = batch.finish(i, reads, incomplete);
      const auto found = co_await finishing;
      if (!found) co_return std::unexpected(found.error());
      answers[i] = *found;
    }
    VEXFS_CHECK_CO(co_await reads.finish());
    if (!incomplete) break;
  }
  co_return std::span<const std::span<const record>>(answers);
}

}  // namespace vexfs
