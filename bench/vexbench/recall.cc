// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/recall.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "bench/vexbench/rest_encoder.h"
#include "bench/vexbench/truth.h"

namespace vexfs::bench {
namespace {

struct asked {
  std::uint32_t query;
  const sample* answer;
  std::vector<std::uint64_t> ids;
};

recall_report summed_up(std::vector<double> shares, std::uint32_t k) {
  std::ranges::sort(shares);
  recall_report made;
  made.k = k;
  made.queries = shares.size();
  for (const double share : shares)
    made.mean += share;
  made.mean /= static_cast<double>(shares.size());
  made.worst = shares.front();
  made.worst_tenth = shares[shares.size() / 10];
  return made;
}

std::vector<expectation> expectations(std::vector<neighbours> found) {
  std::vector<expectation> made;
  for (neighbours& each : found)
    made.push_back({std::move(each.rows), each.distances.empty() ? 0 : each.distances.back()});
  return made;
}

// Of a known list of neighbours, which may be in any order and end with empty places.
expectation expectation_of(const exact_search& search, std::span<const float> query,
                           std::span<const std::uint32_t> rows) {
  expectation made{.rows = {}, .limit = -std::numeric_limits<double>::infinity()};
  for (const std::uint32_t row : rows) {
    if (row == UINT32_MAX) continue;
    made.rows.push_back(row);
    made.limit = std::max(made.limit, search.distance_to(query, row));
  }
  return made;
}

}  // namespace

double recall_of(const exact_search& search, std::span<const float> query,
                 const expectation& expected, std::span<const std::uint64_t> ids, std::uint32_t k,
                 const std::function<bool(std::uint32_t)>& may_count) {
  std::set<std::uint64_t> seen;
  std::size_t hits = 0;
  const double limit = expected.limit + tie_width(expected.limit);
  for (const std::uint64_t id : ids.subspan(0, std::min<std::size_t>(ids.size(), k))) {
    if (id >= search.base().rows || !seen.insert(id).second) continue;
    const auto row = static_cast<std::uint32_t>(id);
    if (may_count && !may_count(row)) continue;
    if (search.distance_to(query, row) <= limit) ++hits;
  }
  return static_cast<double>(std::min(hits, expected.rows.size())) /
         static_cast<double>(expected.rows.size());
}

outcome<std::optional<recall_report>> judge(dataset& data, const search_spec& how,
                                            const row_filter* filter,
                                            std::span<const sample* const> answers,
                                            const point_lives* lives, std::uint32_t threads) {
  std::vector<asked> all;
  for (const sample* each : answers) {
    auto ids = read_search_answer(each->body, how.batch > 1);
    if (!ids) return std::unexpected(std::move(ids).error());
    if (ids->size() != how.batch)
      return fail_with(exit_code::error_status,
                       "a batch was answered with another number of results");
    for (std::uint32_t index = 0; index < how.batch; ++index) {
      const auto query = static_cast<std::uint32_t>((std::uint64_t{each->tag} * how.batch + index) %
                                                    data.queries().rows);
      all.push_back({query, each, std::move((*ids)[index])});
    }
  }
  if (all.empty()) return std::nullopt;

  const exact_search& search = data.search();
  std::vector<expectation> expected;  // of each answer, or of each query that was asked
  std::map<std::uint32_t, std::uint32_t> place_of;
  if (lives) {
    expected = expectations(nearest_in_parallel(
        search, static_cast<std::uint32_t>(all.size()), how.limit, threads,
        [&](std::uint32_t index) {
          const asked& each = all[index];
          return question{data.queries().row(each.query), [&, filter, lives](std::uint32_t row) {
                            return (!filter || filter->passes(each.query, row)) &&
                                   lives->must_be_seen(row, each.answer->sent_ns,
                                                       each.answer->answered_ns);
                          }};
        }));
  } else {
    // Where nothing changes, a query's neighbours are looked for once.
    std::vector<std::uint32_t> queries;
    for (const asked& each : all)
      if (place_of.try_emplace(each.query, queries.size()).second) queries.push_back(each.query);
    if (filter) {
      expected = expectations(nearest_in_parallel(
          search, static_cast<std::uint32_t>(queries.size()), how.limit, threads,
          [&](std::uint32_t index) {
            return question{data.queries().row(queries[index]),
                            [filter, query = queries[index]](std::uint32_t row) {
                              return filter->passes(query, row);
                            }};
          }));
    } else {
      auto known = data.neighbours(how.limit);
      if (!known) return std::unexpected(std::move(known).error());
      for (const std::uint32_t query : queries)
        expected.push_back(expectation_of(search, data.queries().row(query),
                                          (*known)->row(query).subspan(0, how.limit)));
    }
  }
  std::vector<std::optional<double>> shares(all.size());
  in_parallel(static_cast<std::uint32_t>(all.size()), threads, [&](std::uint32_t index) {
    const asked& each = all[index];
    const expectation& wanted = expected[lives ? index : place_of.at(each.query)];
    if (wanted.rows.empty()) return;  // nothing passes: nothing to find
    shares[index] = recall_of(search, data.queries().row(each.query), wanted, each.ids, how.limit,
                              [&](std::uint32_t row) {
                                return (!filter || filter->passes(each.query, row)) &&
                                       (!lives || lives->may_be_seen(row, each.answer->sent_ns,
                                                                     each.answer->answered_ns));
                              });
  });
  std::vector<double> judged;
  std::map<std::uint32_t, recall_report::second> seconds;
  for (std::size_t index = 0; index < all.size(); ++index) {
    if (!shares[index]) continue;
    judged.push_back(*shares[index]);
    const auto number = static_cast<std::uint32_t>(all[index].answer->answered_ns / 1'000'000'000);
    recall_report::second& during = seconds[number];
    during.number = number;
    during.mean += (*shares[index] - during.mean) / static_cast<double>(++during.queries);
  }
  if (judged.empty()) return std::nullopt;
  recall_report made = summed_up(std::move(judged), how.limit);
  for (const auto& [number, during] : seconds)
    made.seconds.push_back(during);
  return made;
}

}  // namespace vexfs::bench
