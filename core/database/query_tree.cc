// SPDX-License-Identifier: Apache-2.0
#include "core/database/query_tree.h"

#include <algorithm>
#include <vector>

#include "core/base/limits.h"
#include "core/database/formula.h"
#include "core/database/fusion.h"
#include "core/database/mmr.h"
#include "core/database/ranking.h"
#include "core/database/records.h"
#include "core/database/scroll.h"
#include "core/database/searcher.h"
#include "core/database/slot_reading.h"

namespace vexfs {
namespace {

/// One query's evaluation; its slots are held by the caller's slot_reading.
class query_tree {
 public:
  query_tree(collection& source, query_resolver& resolver, const query_request& root, arena& memory)
      : source_(source),
        resolver_(resolver),
        root_(root),
        excluded_(resolver.references(root)),
        memory_(memory) {
    // Of random points the first are as good as the next ones.
    if (!std::holds_alternative<sample_query>(root.what) || !root.prefetch.empty())
      skipped_ = root.offset;
  }

  io::task<result<ranking>> run() {
    return evaluate(root_, nullptr,
                    root_.limit > UINT64_MAX - skipped_ ? UINT64_MAX : root_.limit + skipped_);
  }

  /// Points that have gone meanwhile are left out; `lost` tells whether there were any.
  io::task<result<std::span<const record>>> records(ranking ranked, bool& lost) {
    ranked = ranked.subspan(std::min<std::uint64_t>(skipped_, ranked.size()));
    const bool scored = is_by_example(root_.what) ||
                        std::holds_alternative<fusion_query>(root_.what) ||
                        std::holds_alternative<formula_query>(root_.what);
    const auto made = memory_.array<record>(ranked.size());
    row_reads reads(memory_);
    std::size_t count = 0;
    for (std::size_t i = 0; i < ranked.size(); i += apply_group_points) {
      const auto section = co_await io::read(source_.guard);
      for (const ranked_point& point :
           ranked.subspan(i, std::min<std::size_t>(apply_group_points, ranked.size() - i))) {
        if (!source_.slots.live(point.slot)) {
          lost = true;
          continue;
        }
        record& one = made[count++];
        one =
            make_record(source_, point.slot, root_.with_payload, root_.with_vector, reads, memory_);
        if (!scored) one.version = 0;
        one.score = point.score;
        one.order_value = point.order_value;
      }
    }
    VEXFS_CHECK_CO(co_await reads.finish());
    co_return std::span<const record>(made.first(count));
  }

 private:
  using task = io::task<result<ranking>>;

  /// One stage. `outer` is the filter of the stages around it.
  task evaluate(const query_request& stage, const filter* outer, std::uint64_t wanted) {
    const filter* narrowed = both(outer, stage.condition);
    if (stage.prefetch.empty()) return search_all(stage, narrowed, wanted);
    return search_prefetched(stage, narrowed, wanted);
  }

  task search_all(const query_request& stage, const filter* narrowed, std::uint64_t wanted) {
    if (std::holds_alternative<fusion_query>(stage.what))
      co_return fail(errc::bad_input, "Validation failed: cannot apply Fusion without prefetches");
    if (std::holds_alternative<formula_query>(stage.what))
      co_return fail(errc::bad_input, "Validation failed: cannot apply Formula without prefetches");
    if (is_by_example(stage.what)) {
      auto searching = search(stage, narrowed, std::nullopt, wanted);
      co_return co_await searching;
    }
    auto selecting = select_points(source_, narrowed, memory_);
    selection left = co_await selecting;
    if (!excluded_.empty()) {
      const auto section = co_await io::read(source_.guard);
      left = without_excluded(left);
    }
    auto scrolling = scroll(stage, left, wanted);
    co_return co_await scrolling;
  }

  task search_prefetched(const query_request& stage, const filter* narrowed, std::uint64_t wanted) {
    const auto lists = memory_.array<ranking>(stage.prefetch.size());
    for (std::size_t i = 0; i < lists.size(); ++i) {
      auto evaluating = evaluate(stage.prefetch[i], narrowed, stage.prefetch[i].limit);
      const auto list = co_await evaluating;
      if (!list) co_return std::unexpected(list.error());
      lists[i] = *list;
    }
    if (const auto* fusion = std::get_if<fusion_query>(&stage.what)) {
      auto fused = fuse(*fusion, lists);
      if (!fused) co_return std::unexpected(std::move(fused).error());
      co_return best_of(*fused, stage, wanted);
    }
    if (const auto* formula = std::get_if<formula_query>(&stage.what)) {
      auto scoring = score_by_formula(stage, *formula, lists, wanted);
      co_return co_await scoring;
    }
    const selection found = found_by(lists);
    auto further = is_by_example(stage.what) ? search(stage, nullptr, found.words, wanted)
                                             : scroll(stage, found, wanted);
    co_return co_await further;
  }

  // Stages.

  task search(const query_request& stage, const filter* narrowed,
              std::optional<std::span<const std::uint64_t>> among, std::uint64_t wanted) {
    const auto* nearest = std::get_if<nearest_query>(&stage.what);
    const bool diverse = nearest && nearest->mmr;
    auto resolving = resolver_.resolve(stage, excluded_);
    auto resolved = co_await resolving;
    if (!resolved) co_return std::unexpected(std::move(resolved).error());
    nearest_search& one = *resolved;
    one.condition = narrowed;
    one.among = among;
    one.wanted = diverse ? nearest->mmr->candidates_limit.value_or(stage.limit) : wanted;
    auto searching = rank_nearest(source_, {&one, 1}, memory_);
    const auto found = co_await searching;
    if (!found) co_return std::unexpected(found.error());
    auto showing = show(one, found->front());
    const ranking ranked = co_await showing;
    if (!diverse) co_return ranked;
    auto choosing = choose(one, ranked, nearest->mmr->diversity, wanted);
    co_return co_await choosing;
  }

  task scroll(const query_request& stage, selection among, std::uint64_t wanted) {
    const payload_selector no_payload;
    const vector_selector no_vector;
    std::span<const record> found;
    if (const auto* order = std::get_if<order_by>(&stage.what)) {
      auto scrolling =
          scroll_by_value(source_, *order, wanted, &among, no_payload, no_vector, memory_);
      const auto page = co_await scrolling;
      if (!page) co_return std::unexpected(page.error());
      found = page->points;
    } else if (std::holds_alternative<sample_query>(stage.what)) {
      auto sampling = sample_points(source_, wanted, among, no_payload, no_vector, memory_);
      const auto sample = co_await sampling;
      if (!sample) co_return std::unexpected(sample.error());
      found = *sample;
    } else {
      auto scrolling =
          scroll_by_id(source_, std::nullopt, wanted, &among, no_payload, no_vector, memory_);
      const auto page = co_await scrolling;
      if (!page) co_return std::unexpected(page.error());
      found = page->points;
    }
    const auto ranked = memory_.array<ranked_point>(found.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < found.size(); i += apply_group_points) {
      const auto section = co_await io::read(source_.guard);
      for (const record& one :
           found.subspan(i, std::min<std::size_t>(apply_group_points, found.size() - i))) {
        const auto slot = source_.id_to_slot.find(one.id);
        if (slot) ranked[count++] = {*slot, one.score, one.id, one.order_value};
      }
    }
    co_return ranking(ranked.first(count));
  }

  task score_by_formula(const query_request& stage, const formula_query& formula,
                        std::span<const ranking> lists, std::uint64_t wanted) {
    std::vector<ranked_point> points = united(lists);
    for (std::size_t i = 0; i < points.size(); i += apply_group_points) {
      const auto section = co_await io::read(source_.guard);
      const formula_scorer scorer(formula, lists, source_.indexes, memory_);
      for (std::size_t p = i; p < std::min(i + apply_group_points, points.size()); ++p) {
        const slot_record& stored = source_.slots[points[p].slot];
        if (!source_.slots.live(points[p].slot)) continue;
        const auto score = scorer.score(source_, points[p], stored.payload);
        if (!score) co_return std::unexpected(score.error());
        points[p].score = *score;
      }
    }
    std::ranges::sort(points, [](const ranked_point& left, const ranked_point& right) {
      if (left.score != right.score) return left.score > right.score;
      return left.id < right.id;
    });
    co_return best_of(points, stage, wanted);
  }

  // Steps of stages.

  /// Slots of a search as points with shown scores, equal ones by id.
  io::task<ranking> show(const nearest_search& one, std::span<const scored_slot> found) {
    const auto ranked = memory_.array<ranked_point>(found.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < found.size(); i += apply_group_points) {
      const auto section = co_await io::read(source_.guard);
      for (const scored_slot& scored :
           found.subspan(i, std::min<std::size_t>(apply_group_points, found.size() - i))) {
        const slot_record& stored = source_.slots[scored.slot];
        if (!source_.slots.live(scored.slot) ||
            std::ranges::find(excluded_, stored.id) != excluded_.end())
          continue;
        const float score = shown_score(one, scored.similarity);
        if (within_threshold(one, score)) ranked[count++] = {scored.slot, score, stored.id, {}};
      }
    }
    const bool larger = larger_is_better(one);
    std::ranges::stable_sort(
        ranked.first(count), [larger](const ranked_point& left, const ranked_point& right) {
          if (left.score != right.score)
            return larger ? left.score > right.score : left.score < right.score;
          return left.id < right.id;
        });
    co_return ranking(ranked.first(std::min<std::uint64_t>(count, one.wanted)));
  }

  task choose(const nearest_search& one, ranking candidates, float diversity,
              std::uint64_t wanted) {
    const auto relevance = memory_.array<float>(candidates.size());
    const auto vectors = memory_.array<vector_value>(candidates.size());
    const auto stored = memory_.array<const std::byte*>(candidates.size());
    row_reads reads(memory_);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      stored[i] = one.over->stored(candidates[i].slot, reads);
      vectors[i] = one.over->read(candidates[i].slot, reads, memory_);
    }
    VEXFS_CHECK_CO(co_await reads.finish());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      relevance[i] = one.over->similarity(one.target, stored[i]).value_or(0.0F);
      vectors[i] = one.over->prepare(vectors[i], memory_);
    }
    const auto similarity = [&](std::uint32_t i, std::uint32_t j) {
      return one.over->similarity(vectors[i], stored[j]).value_or(0.0F);
    };
    auto choosing = choose_diverse(relevance, diversity, wanted, similarity);
    const auto chosen = co_await choosing;
    const auto ranked = memory_.array<ranked_point>(chosen.size());
    for (std::size_t i = 0; i < chosen.size(); ++i)
      ranked[i] = candidates[chosen[i]];
    co_return ranking(ranked);
  }

  /// The first of a sorted list that reach the stage's threshold.
  ranking best_of(std::span<const ranked_point> sorted, const query_request& stage,
                  std::uint64_t wanted) {
    std::size_t count = 0;
    while (count < sorted.size() && count < wanted &&
           (!stage.score_threshold || sorted[count].score >= *stage.score_threshold))
      ++count;
    return memory_.copy(sorted.first(count));
  }

  /// The points of all lists, each once.
  static std::vector<ranked_point> united(std::span<const ranking> lists) {
    std::vector<ranked_point> points;
    for (const ranking list : lists)
      points.insert(points.end(), list.begin(), list.end());
    std::ranges::stable_sort(points, {}, &ranked_point::id);
    const auto rest = std::ranges::unique(points, {}, &ranked_point::id);
    points.erase(rest.begin(), rest.end());
    for (ranked_point& point : points)
      point.order_value = {};
    return points;
  }

  selection found_by(std::span<const ranking> lists) {
    slot_index last = 0;
    for (const ranking list : lists)
      for (const ranked_point& point : list)
        last = std::max(last, point.slot);
    const auto words = memory_.array<std::uint64_t>(last / 64 + 1);
    selection found;
    for (const ranking list : lists) {
      for (const ranked_point& point : list) {
        std::uint64_t& word = words[point.slot / 64];
        const std::uint64_t bit = 1ULL << (point.slot % 64);
        found.count += (word & bit) == 0;
        word |= bit;
      }
    }
    found.words = words;
    return found;
  }

  /// Points that vectors were taken from are no answers. Under the guard.
  selection without_excluded(const selection& all) const {
    const auto words = memory_.copy(all.words);
    selection left{words, all.count};
    for (const point_id& id : excluded_) {
      const auto slot = source_.id_to_slot.find(id);
      if (!slot || !left.has(*slot)) continue;
      words[*slot / 64] &= ~(1ULL << (*slot % 64));
      --left.count;
    }
    return left;
  }

  std::span<const condition> concat(std::span<const condition> first,
                                    std::span<const condition> second) {
    if (first.empty() || second.empty()) return first.empty() ? second : first;
    const auto all = memory_.array<condition>(first.size() + second.size());
    std::ranges::copy(second, std::ranges::copy(first, all.begin()).out);
    return all;
  }

  /// The contract joins filters clause by clause, so that the `should` of a stage and of the stages
  /// around it are alternatives of each other.
  const filter* both(const filter* outer, const filter* inner) {
    if (!outer || !inner) return outer ? outer : inner;
    filter& joined = *memory_.make<filter>(*outer);
    joined.must = concat(outer->must, inner->must);
    joined.should = concat(outer->should, inner->should);
    joined.must_not = concat(outer->must_not, inner->must_not);
    if (outer->at_least && inner->at_least)
      joined.at_least =
          min_should{concat(outer->at_least->conditions, inner->at_least->conditions),
                     std::max(outer->at_least->min_count, inner->at_least->min_count)};
    else if (inner->at_least)
      joined.at_least = inner->at_least;
    return &joined;
  }

  collection& source_;
  query_resolver& resolver_;
  const query_request& root_;
  const std::span<const point_id> excluded_;
  arena& memory_;
  std::uint64_t skipped_ = 0;
};

}  // namespace

io::task<result<std::span<const record>>> evaluate_query(collection& source,
                                                         query_resolver& resolver,
                                                         const query_request& request,
                                                         arena& memory) {
  {
    const auto section = co_await io::read(source.guard);
    VEXFS_CHECK_CO(check_selector(source, request.with_vector));
  }
  std::span<const record> answer;
  for (std::uint32_t attempt = 0; attempt < search_attempts_max; ++attempt) {
    const slot_reading held(source.readers);
    query_tree tree(source, resolver, request, memory);
    auto running = tree.run();
    const auto ranked = co_await running;
    if (!ranked) co_return std::unexpected(ranked.error());
    bool lost = false;
    auto finishing = tree.records(*ranked, lost);
    const auto finished = co_await finishing;
    if (!finished) co_return std::unexpected(finished.error());
    answer = *finished;
    if (!lost) break;
  }
  co_return answer;
}

}  // namespace vexfs
