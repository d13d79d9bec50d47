// SPDX-License-Identifier: Apache-2.0
// Filtered search of the engine's graph with float32 rescoring, on one thread: recall@10 and
// queries a second beside those of a search without a filter, for filters that are independent of
// the vectors, near the queries and far from them, at selectivities from .01 to 99 %; as the engine
// chooses to search, and by each of its ways.
//
// filtered_search_bench [--min-seconds=S] [--ef=N] [--stop=SHARE] [--seed=N]
//                       [--width=N,NEW,KEPT,EF] [--queries=N] [--only-chosen]
//                       [--percents=P,...] [--only=all|near|far]
//                       [BASE.fbin QUERIES.fbin ip|l2 [PAYLOAD.jsonl]]
//
// Without files it makes clustered sets of 128 dimensions. Beside the independent filters there are
// whole clusters, or a part of the space, and where a payload is given its topics. A query is near
// a filter if five of its ten nearest pass, and far from it if none does. Times are processor time.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/engine/built_index.h"
#include "core/database/rescore.h"

namespace vexfs::bench {
namespace {

const std::vector<double> usual_percents = {0.01, 0.1, 1, 2, 3, 5, 7, 10, 25, 50, 75, 90, 99};

struct options {
  double seconds_min = 0.1;
  std::uint32_t ef = 64;
  std::uint32_t stop_share = 0;
  std::uint64_t seed = 1;
  vexfs_graph_config config{64, 32, 52, 100, 0, 0};
  std::uint32_t queries_max = 400;  // of a filter
  bool only_chosen = false;         // not by each of its ways too
  std::vector<double> percents = usual_percents;
  std::string only_kind;  // of queries; empty: all kinds
  std::vector<std::string> files;
};

struct filter {
  std::string name;
  std::vector<std::uint64_t> words;
  std::uint32_t count = 0;

  [[nodiscard]] bool passes(std::uint32_t row) const { return words[row / 64] >> (row % 64) & 1; }
};

template <class Passes>
filter make_filter(std::string name, const data_set& data, std::uint32_t slot_limit,
                   Passes passes) {
  filter made{std::move(name), std::vector<std::uint64_t>(slot_limit / 64), 0};
  for (std::uint32_t row = 0; row < data.row_count; ++row) {
    if (!passes(row)) continue;
    made.words[row / 64] |= 1ULL << (row % 64);
    ++made.count;
  }
  return made;
}

std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

filter independent_filter(const data_set& data, std::uint32_t slot_limit, double percent,
                          std::uint64_t seed) {
  const auto bound = static_cast<std::uint64_t>(percent / 100 * 0x1p63) * 2;
  return make_filter("independent", data, slot_limit,
                     [&](std::uint32_t row) { return mixed(row + (seed << 32)) < bound; });
}

/// Whole clusters, in an order of the seed's, until so many rows pass.
filter cluster_filter(const data_set& data, std::uint32_t slot_limit, double percent,
                      std::uint64_t seed) {
  std::vector<std::uint32_t> sizes(*std::ranges::max_element(data.clusters) + 1);
  for (const std::uint32_t cluster : data.clusters)
    ++sizes[cluster];
  std::vector<std::uint32_t> order(sizes.size());
  for (std::uint32_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::ranges::sort(order, {}, [&](std::uint32_t cluster) { return mixed(cluster + seed * 977); });
  std::vector<bool> chosen(sizes.size());
  double wanted = percent / 100 * data.row_count;
  for (const std::uint32_t cluster : order) {
    if (wanted <= 0) break;
    chosen[cluster] = true;
    wanted -= sizes[cluster];
  }
  return make_filter("clusters", data, slot_limit,
                     [&](std::uint32_t row) { return chosen[data.clusters[row]]; });
}

/// The rows in an order in which those that are near each other stand near each other: halved along
/// the line between two of them, and each half again.
void order_by_place(const data_set& data, std::uint64_t seed, std::span<std::uint32_t> rows) {
  constexpr std::size_t rows_few = 64;
  if (rows.size() < rows_few) return;
  const auto drawn = [&](std::uint64_t which) {
    return data.row(rows[mixed(seed * 2 + which + rows.size() * 977) % rows.size()]);
  };
  std::vector<float> direction(drawn(0), drawn(0) + data.dim);
  for (std::uint32_t axis = 0; axis < data.dim; ++axis)
    direction[axis] -= drawn(1)[axis];
  std::vector<std::pair<float, std::uint32_t>> along;
  for (const std::uint32_t row : rows)
    along.emplace_back(std::inner_product(direction.begin(), direction.end(), data.row(row), 0.0F),
                       row);
  const std::size_t half = rows.size() / 2;
  std::ranges::nth_element(along, along.begin() + static_cast<std::ptrdiff_t>(half));
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = along[i].second;
  order_by_place(data, mixed(seed), rows.first(half));
  order_by_place(data, mixed(seed + 1), rows.subspan(half));
}

/// The end of such an order.
filter stretch_filter(const data_set& data, std::uint32_t slot_limit, double percent,
                      const std::vector<std::uint32_t>& order) {
  std::vector<bool> chosen(data.row_count);
  const auto failing = data.row_count - static_cast<std::size_t>(percent / 100 * data.row_count);
  for (std::size_t place = failing; place < order.size(); ++place)
    chosen[order[place]] = true;
  return make_filter("stretch", data, slot_limit, [&](std::uint32_t row) { return chosen[row]; });
}

/// The topics of each line, which is a row's payload.
std::vector<std::vector<std::string>> read_topics(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::vector<std::string>> topics;
  constexpr std::string_view key = "\"topics\":[";
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> found;
    const std::size_t at = line.find(key);
    const std::size_t end = line.find(']', at);
    for (std::size_t from = at + key.size(); at != std::string::npos && from < end;) {
      const std::size_t to = line.find('"', from + 1);
      found.push_back(line.substr(from + 1, to - from - 1));
      from = to + 2;
    }
    topics.push_back(std::move(found));
  }
  return topics;
}

/// Topics alone, and the most frequent of them together.
std::vector<filter> topic_filters(const data_set& data, std::uint32_t slot_limit,
                                  const std::string& payload) {
  const auto topics = read_topics(payload);
  if (topics.size() != data.row_count) {
    std::fprintf(stderr, "%s: has no line for each vector\n", payload.c_str());
    std::exit(2);
  }
  std::map<std::string, std::uint32_t> counts;
  for (const auto& of_row : topics)
    for (const std::string& topic : of_row)
      ++counts[topic];
  std::vector<std::pair<std::uint32_t, std::string>> order;
  for (const auto& [topic, count] : counts)
    order.emplace_back(count, topic);
  std::ranges::sort(order, std::greater<>());
  std::vector<filter> filters;
  std::vector<std::string> together;
  const auto add = [&](const std::string& name, const std::vector<std::string>& wanted) {
    filters.push_back(make_filter(name, data, slot_limit, [&](std::uint32_t row) {
      return std::ranges::find_first_of(topics[row], wanted) != topics[row].end();
    }));
  };
  for (std::size_t i = 0; i < order.size(); i = i < 8 ? i + 1 : i * 3 / 2)
    add(order[i].second, {order[i].second});
  for (std::size_t i = 0; i < order.size(); ++i) {
    together.push_back(order[i].second);
    if (std::has_single_bit(i + 1)) add(std::to_string(i + 1) + " topics", together);
  }
  return filters;
}

/// The ten nearest rows that pass, exactly.
std::vector<std::uint32_t> true_nearest(const data_set& data, const filter& through,
                                        std::uint32_t query) {
  const similarity_fn similarity = similarity_for(data.metric, datatype::float32);
  std::vector<std::pair<float, std::uint32_t>> scored;
  for (std::uint32_t row = 0; row < data.row_count; ++row)
    if (through.passes(row))
      scored.emplace_back(-similarity(data.query(query),
                                      reinterpret_cast<const std::byte*>(data.row(row)), data.dim),
                          row);
  const std::size_t kept = std::min<std::size_t>(truth_rank, scored.size());
  std::ranges::partial_sort(scored, scored.begin() + static_cast<std::ptrdiff_t>(kept));
  std::vector<std::uint32_t> nearest;
  for (std::size_t i = 0; i < kept; ++i)
    nearest.push_back(scored[i].second);
  return nearest;
}

struct outcome {
  double recall = 1;
  double rate = 0;
  double expanded = 0;  // a query
  double scored = 0;
};

class filtered_searcher {
 public:
  filtered_searcher(const data_set& data, const built_index& of, const options& chosen)
      : data_(data),
        graph_(of.graph()),
        chosen_(chosen),
        scratch_(vexfs_search_scratch_bytes(graph_, chosen.ef, walks, vexfs_slot_limit(graph_))) {}

  /// `count` is what the engine is told of how many pass: it chooses the way by that.
  outcome run(const std::vector<std::uint32_t>& queries,
              const std::vector<std::vector<std::uint32_t>>& truth, const filter* through,
              std::uint32_t count) {
    outcome best;
    std::size_t hits = 0;
    std::size_t wanted = 0;
    double ran = 0;
    do {
      hits = 0;
      wanted = 0;
      expanded_ = 0;
      scored_ = 0;
      const double start = thread_seconds();
      for (std::size_t first = 0; first < queries.size(); first += batch)
        search(queries, first, std::min(queries.size(), first + batch), through, count);
      const double took = thread_seconds() - start;
      ran += took;
      best.rate = std::max(best.rate, static_cast<double>(queries.size()) / took);
      for (std::size_t q = 0; q < queries.size(); ++q) {
        for (const std::uint32_t slot : truth[q])
          hits += static_cast<std::size_t>(std::ranges::count(answers_[q], slot));
        wanted += truth[q].size();
      }
    } while (ran < chosen_.seconds_min);
    best.expanded = static_cast<double>(expanded_) / static_cast<double>(queries.size());
    best.scored = static_cast<double>(scored_) / static_cast<double>(queries.size());
    best.recall = wanted ? static_cast<double>(hits) / static_cast<double>(wanted) : 1;
    return best;
  }

 private:
  static constexpr std::uint32_t batch = 64;
  static constexpr std::uint32_t walks = 6;
  static constexpr std::uint32_t rescored = 16;

  void search(const std::vector<std::uint32_t>& queries, std::size_t first, std::size_t last,
              const filter* through, std::uint32_t count) {
    std::vector<float> asked;
    for (std::size_t i = first; i < last; ++i)
      asked.insert(asked.end(), data_.query(queries[i]), data_.query(queries[i]) + data_.dim);
    std::vector<vexfs_found> found((last - first) * rescored);
    std::vector<std::uint32_t> counts(last - first);
    const std::vector<const std::uint64_t*> allowed(last - first,
                                                    through ? through->words.data() : nullptr);
    const std::vector<std::uint32_t> allowed_counts(last - first, count);
    vexfs_search search{};
    search.query_count = static_cast<std::uint32_t>(last - first);
    search.query_bits = reinterpret_cast<const std::uint32_t*>(asked.data());
    search.allowed = through ? allowed.data() : nullptr;
    search.allowed_counts = through ? allowed_counts.data() : nullptr;
    search.wanted = rescored;
    search.ef = chosen_.ef;
    search.stop_rank = chosen_.stop_share ? truth_rank : 0;
    search.stop_share = chosen_.stop_share;
    search.slack = 16;
    search.walk_count = walks;
    search.slot_limit = vexfs_slot_limit(graph_);
    search.found = found.data();
    search.counts = counts.data();
    search.scratch = scratch_.data();
    if (vexfs_run_search(graph_, &search) != 0) std::exit(2);
    expanded_ += search.expanded_count;
    scored_ += search.scored_count;
    const similarity_fn similarity = similarity_for(data_.metric, datatype::float32);
    answers_.resize(queries.size());
    for (std::size_t i = first; i < last; ++i) {
      std::pair<float, std::uint32_t> scored[rescored];
      const std::uint32_t held = counts[i - first];
      for (std::uint32_t j = 0; j < held; ++j) {
        const std::uint32_t slot = found[(i - first) * rescored + j].slot;
        if (through && !through->passes(slot)) std::abort();
        scored[j] = {-similarity(data_.query(queries[i]),
                                 reinterpret_cast<const std::byte*>(data_.row(slot)), data_.dim),
                     slot};
      }
      std::sort(scored, scored + held);
      answers_[i].clear();
      for (std::uint32_t j = 0; j < std::min(held, truth_rank); ++j)
        answers_[i].push_back(scored[j].second);
    }
  }

  const data_set& data_;
  const vexfs_graph* graph_;
  const options& chosen_;
  std::vector<std::byte> scratch_;
  std::uint64_t expanded_ = 0;
  std::uint64_t scored_ = 0;
  std::vector<std::vector<std::uint32_t>> answers_;
};

/// One filter, for the queries near it, far from it, or all.
void measure(const data_set& data, filtered_searcher& searches, const filter& through,
             double unfiltered, const options& chosen) {
  const std::uint32_t queries_max = chosen.queries_max;
  std::vector<std::uint32_t> near, far, all;
  for (std::uint32_t q = 0; q < data.query_count; ++q) {
    const auto* nearest = data.nearest(q);
    const auto passing = std::count_if(nearest, nearest + truth_rank,
                                       [&](std::uint32_t row) { return through.passes(row); });
    if (passing >= 5 && near.size() < queries_max) near.push_back(q);
    if (passing == 0 && far.size() < queries_max) far.push_back(q);
    if (all.size() < queries_max) all.push_back(q);
  }
  const bool is_independent = through.name == "independent";
  for (const auto& [name, queries] : {std::pair{"all", &all}, {"near", &near}, {"far", &far}}) {
    if (!chosen.only_kind.empty() && chosen.only_kind != name) continue;
    if (is_independent != (queries == &all) || queries->size() < 20) continue;
    std::vector<std::vector<std::uint32_t>> truth;
    for (const std::uint32_t query : *queries)
      truth.push_back(true_nearest(data, through, query));
    std::printf("%-14s %-4s %7.3f %%:", through.name.c_str(), name,
                100.0 * through.count / data.row_count);
    // Told that so many pass, the engine always walks.
    constexpr std::uint32_t many = 1U << 17;
    const std::uint32_t told[] = {through.count, 0, std::max(many, through.count)};
    const char* ways[] = {"chosen", "scan", "walk"};
    for (int i = 0; i < (chosen.only_chosen ? 1 : 3); ++i) {
      // Ways that nobody would choose are slow.
      if (i == 1 && through.count > data.row_count / 3) continue;
      if (i == 2 && through.count < data.row_count / 500) continue;
      const outcome took = searches.run(*queries, truth, &through, told[i]);
      std::printf(
          "  %s %.4f %8.0f/s %3.0f/%5.0f%s", ways[i], took.recall, took.rate, took.expanded,
          took.scored,
          i == 0 ? (" (" + std::to_string(took.rate / unfiltered).substr(0, 4) + ")").c_str() : "");
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}

void run(const data_set& data, options& chosen) {
  chosen.config.tail_max = std::bit_ceil(data.row_count);
  chosen.config.lines = data.dim >= 256;
  built_index built(data, chosen.config);
  pin_to_one_core(false);
  built.insert();
  built.link(2);
  pin_to_one_core(true);
  filtered_searcher searches(data, built, chosen);
  std::vector<std::uint32_t> queries;
  std::vector<std::vector<std::uint32_t>> truth;
  for (std::uint32_t q = 0; q < std::min(chosen.queries_max, data.query_count); ++q) {
    const auto* nearest = data.nearest(q);
    queries.push_back(q);
    truth.emplace_back(nearest, nearest + truth_rank);
  }
  const outcome unfiltered = searches.run(queries, truth, nullptr, 0);
  std::printf(
      "%s: %u x %u, %s, %s, width %u, ef %u, stop %u: without a filter %.4f %.0f/s %3.0f/%5.0f\n",
      data.name.c_str(), data.row_count, data.dim, data.metric == distance::euclid ? "l2" : "ip",
      std::string(name_of(chosen_simd_level())).c_str(), chosen.config.width, chosen.ef,
      chosen.stop_share, unfiltered.recall, unfiltered.rate, unfiltered.expanded,
      unfiltered.scored);
  const std::uint32_t limit = vexfs_slot_limit(built.graph());
  for (const double percent : chosen.percents)
    measure(data, searches, independent_filter(data, limit, percent, chosen.seed), unfiltered.rate,
            chosen);
  if (!data.clusters.empty())
    for (const double percent : chosen.percents)
      measure(data, searches, cluster_filter(data, limit, percent, chosen.seed), unfiltered.rate,
              chosen);
  if (data.clusters.empty()) {
    std::vector<std::uint32_t> order(data.row_count);
    std::iota(order.begin(), order.end(), 0U);
    order_by_place(data, chosen.seed, order);
    for (const double percent : chosen.percents)
      measure(data, searches, stretch_filter(data, limit, percent, order), unfiltered.rate, chosen);
  }
  if (chosen.files.size() == 4)
    for (const filter& topic : topic_filters(data, limit, chosen.files[3]))
      measure(data, searches, topic, unfiltered.rate, chosen);
}

options read_options(int count, char** words) {
  options read;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const auto value = [&](std::string_view key) {
      return word.starts_with(key) ? word.data() + key.size() : nullptr;
    };
    if (const char* seconds = value("--min-seconds="))
      read.seconds_min = std::strtod(seconds, nullptr);
    else if (const char* time = value("--benchmark_min_time="))  // as the other benchmarks say it
      read.seconds_min = std::strtod(time, nullptr);
    else if (const char* most = value("--queries="))
      read.queries_max = static_cast<std::uint32_t>(std::strtoul(most, nullptr, 10));
    else if (const char* list = value("--percents=")) {
      read.percents.clear();
      for (const char* at = list; *at;) {
        char* end;
        read.percents.push_back(std::strtod(at, &end));
        at = *end ? end + 1 : end;
      }
    } else if (const char* only = value("--only="))
      read.only_kind = only;
    else if (word == "--only-chosen")
      read.only_chosen = true;
    else if (const char* ef = value("--ef="))
      read.ef = static_cast<std::uint32_t>(std::strtoul(ef, nullptr, 10));
    else if (const char* stop = value("--stop="))
      read.stop_share = static_cast<std::uint32_t>(std::strtoul(stop, nullptr, 10));
    else if (const char* seed = value("--seed="))
      read.seed = std::strtoull(seed, nullptr, 10);
    else if (const char* width = value("--width="))
      std::sscanf(width, "%u,%u,%u,%u", &read.config.width, &read.config.links_new,
                  &read.config.links_kept, &read.config.ef_construct);
    else
      read.files.emplace_back(word);
  }
  const bool is_known = read.files.empty() || ((read.files.size() == 3 || read.files.size() == 4) &&
                                               (read.files[2] == "ip" || read.files[2] == "l2"));
  if (!is_known || read.ef < 16) {
    std::fputs(
        "usage: filtered_search_bench [--min-seconds=S] [--ef=N] [--stop=SHARE] [--seed=N] "
        "[--width=N,NEW,KEPT,EF] [--queries=N] [--only-chosen] [--percents=P,...] "
        "[--only=all|near|far] [BASE.fbin QUERIES.fbin ip|l2 [PAYLOAD.jsonl]]\n",
        stderr);
    std::exit(2);
  }
  return read;
}

}  // namespace
}  // namespace vexfs::bench

int main(int count, char** words) {
  using namespace vexfs::bench;
  options chosen = read_options(count, words);
  if (!chosen.files.empty()) {
    run(read_data_set(chosen.files[0], chosen.files[1],
                      chosen.files[2] == "l2" ? vexfs::distance::euclid : vexfs::distance::dot),
        chosen);
    return 0;
  }
  const bool is_smoke = std::getenv("VEXFS_BENCH_SMOKE") != nullptr;
  run(is_smoke ? make_clusters(2000, 100, 128, 50, vexfs::distance::euclid, chosen.seed)
               : make_clusters(200'000, 2000, 128, 1000, vexfs::distance::euclid, chosen.seed),
      chosen);
  return 0;
}
