// SPDX-License-Identifier: Apache-2.0
// The engine's graph with float32 rescoring, on one thread: queries a second at recall@10 of .95
// and .99, singly and with several walks under way; and how many vectors a second two threads link.
//
// engine_bench [--min-seconds=S] [--write=FOLDER] [BASE.fbin QUERIES.fbin ip|l2|l1]
//
// Without files it makes clustered sets of 128 dimensions, which --write keeps as files for other
// programs. The search parameters are the smallest that reach the recall on the first half of the
// queries; recall and speed are then taken of the other half. Times are processor time.
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/engine/built_index.h"
#include "bench/engine/data_set.h"
#include "core/database/rescore.h"

namespace vexfs::bench {
namespace {

struct width {
  std::uint32_t links, links_new, links_kept, ef;
};

struct options {
  double seconds_min = 0.3;
  std::uint32_t row_count = 200'000;
  bool is_of_efforts = false;
  std::vector<width> widths{{64, 32, 52, 100}, {48, 32, 40, 200}, {48, 32, 40, 100}};
  std::string folder;
  std::vector<std::string> files;
};

constexpr std::array<std::pair<std::string_view, distance>, 3> metrics{
    {{"ip", distance::dot}, {"l2", distance::euclid}, {"l1", distance::manhattan}}};

std::optional<distance> metric_of(std::string_view name) {
  for (const auto& [known, metric] : metrics)
    if (known == name) return metric;
  return std::nullopt;
}

std::string_view name_of(distance metric) {
  for (const auto& [name, known] : metrics)
    if (known == metric) return name;
  return "?";
}

struct search_settings {
  std::uint32_t k = truth_rank;
  std::uint32_t ef = 200;
  std::uint32_t stop_share = 0;  // 0: none
  std::uint32_t rescored = 12;
  std::uint32_t walk_count = 6;
};

struct outcome {
  double recall = 0;
  double expanded = 0;
  double filtered = 0;
  double scored = 0;
};

/// Searches a range of queries, in batches, and rescores in float32.
class searcher {
 public:
  searcher(const data_set& data, const built_index& of)
      : data_(data),
        graph_(of.graph()),
        similarity_(similarity_for(data.metric, datatype::float32)),
        scratch_(
            vexfs_search_scratch_bytes(graph_, 1024, VEXFS_WALKS_MAX, vexfs_slot_limit(graph_))),
        found_(std::size_t{batch_max} * rescored_max),
        counts_(batch_max),
        answers_(std::size_t{data.query_count} * truth_depth) {}

  outcome run(std::uint32_t first, std::uint32_t last, const search_settings& settings) {
    outcome result;
    vexfs_search search{};
    search.wanted = std::min(settings.rescored, settings.ef);
    search.ef = settings.ef;
    search.stop_rank = settings.stop_share ? settings.k : 0;
    search.stop_share = settings.stop_share;
    search.slack = 16;
    search.walk_count = settings.walk_count;
    search.slot_limit = vexfs_slot_limit(graph_);
    search.found = found_.data();
    search.counts = counts_.data();
    search.scratch = scratch_.data();
    const std::uint32_t batch = settings.walk_count == 1 ? 1 : batch_max;
    for (std::uint32_t q = first; q < last; q += batch) {
      search.query_count = std::min(batch, last - q);
      search.query_bits = reinterpret_cast<const std::uint32_t*>(data_.query(q));
      if (vexfs_run_search(graph_, &search) != 0) std::exit(2);
      for (std::uint32_t i = 0; i < search.query_count; ++i)
        rescore(q + i, found_.data() + std::size_t{i} * search.wanted, counts_[i], settings.k);
      result.expanded += static_cast<double>(search.expanded_count);
      result.filtered += static_cast<double>(search.filtered_count);
      result.scored += static_cast<double>(search.scored_count);
    }
    const double count = last - first;
    result.expanded /= count;
    result.filtered /= count;
    result.scored /= count;
    return result;
  }

  double recall(std::uint32_t first, std::uint32_t last, std::uint32_t k = truth_rank) const {
    std::size_t hits = 0;
    for (std::uint32_t q = first; q < last; ++q) {
      const auto* truth = data_.nearest(q);
      for (std::uint32_t i = 0; i < k; ++i)
        hits += static_cast<std::size_t>(
            std::count(truth, truth + k, answers_[std::size_t{q} * truth_depth + i]));
    }
    return static_cast<double>(hits) / (last - first) / k;
  }

 private:
  static constexpr std::uint32_t batch_max = 64;
  static constexpr std::uint32_t rescored_max = 256;

  void rescore(std::uint32_t query, const vexfs_found* found, std::uint32_t count,
               std::uint32_t k) {
    std::pair<float, std::uint32_t> scored[rescored_max];
    const auto ahead = static_cast<std::uint32_t>(rows_ahead(data_.dim * sizeof(float)));
    const auto prefetch = [&](std::uint32_t i) {
      const auto* bytes = reinterpret_cast<const char*>(data_.row(found[i].slot));
      for (std::uint32_t at = 0; at < data_.dim * sizeof(float); at += 64)
        __builtin_prefetch(bytes + at);
    };
    for (std::uint32_t i = 0; i < std::min(ahead, count); ++i)
      prefetch(i);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (i + ahead < count) prefetch(i + ahead);
      scored[i] = {
          -similarity_(data_.query(query),
                       reinterpret_cast<const std::byte*>(data_.row(found[i].slot)), data_.dim),
          found[i].slot};
    }
    const std::uint32_t kept = std::min(k, count);
    std::partial_sort(scored, scored + kept, scored + count);
    for (std::uint32_t i = 0; i < k; ++i)
      answers_[std::size_t{query} * truth_depth + i] = i < kept ? scored[i].second : ~0U;
  }

  const data_set& data_;
  const vexfs_graph* graph_;
  const similarity_fn similarity_;
  std::vector<std::byte> scratch_;
  std::vector<vexfs_found> found_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint32_t> answers_;
};

/// The smallest value in [low, high] of a parameter that reaches the recall on the tuning queries.
template <class Set>
bool tune(searcher& searches, std::uint32_t tuning, double wanted, std::uint32_t low,
          std::uint32_t high, search_settings& settings, Set set) {
  const auto reaches = [&](std::uint32_t value) {
    set(settings, value);
    searches.run(0, tuning, settings);
    return searches.recall(0, tuning) >= wanted;
  };
  if (!reaches(high)) return false;
  while (low < high) {
    const std::uint32_t middle = (low + high) / 2;
    if (reaches(middle))
      high = middle;
    else
      low = middle + 1;
  }
  set(settings, high);
  return true;
}

void measure(const data_set& data, const built_index& built, double seconds_min) {
  searcher searches(data, built);
  const std::uint32_t tuning = data.query_count / 2;
  for (const double wanted : {0.95, 0.99}) {
    search_settings adaptive;
    search_settings fixed;
    const bool has_adaptive =
        tune(searches, tuning, wanted, 1, 1U << 16, adaptive,
             [](search_settings& s, std::uint32_t value) { s.stop_share = value; });
    const bool has_fixed = tune(searches, tuning, wanted, truth_rank, 1000, fixed,
                                [](search_settings& s, std::uint32_t value) { s.ef = value; });
    for (const std::uint32_t walks : {1U, 6U}) {
      double best[2] = {0, 0};
      outcome took[2];
      double recalls[2] = {0, 0};
      const search_settings* both[2] = {&adaptive, &fixed};
      const bool has[2] = {has_adaptive, has_fixed};
      const auto start = steady::now();
      do {
        for (int i = 0; i < 2; ++i) {
          if (!has[i]) continue;
          search_settings settings = *both[i];
          settings.walk_count = walks;
          const double begun = thread_seconds();
          took[i] = searches.run(tuning, data.query_count, settings);
          best[i] = std::max(best[i], (data.query_count - tuning) / (thread_seconds() - begun));
          recalls[i] = searches.recall(tuning, data.query_count);
        }
      } while (seconds_since(start) < seconds_min);
      for (int i = 0; i < 2; ++i) {
        if (!has[i]) {
          std::printf("  recall %.2f, %u walks, %s: never\n", wanted, walks, i ? "ef" : "stop");
          continue;
        }
        std::printf(
            "  recall %.2f (%.4f), %u walks, %s %u: %.0f queries/s; expanded %.1f, by line "
            "%.0f, by code %.0f\n",
            wanted, recalls[i], walks, i ? "ef" : "stop", i ? both[i]->ef : both[i]->stop_share,
            best[i], took[i].expanded, took[i].filtered, took[i].scored);
      }
    }
  }
}

/// Recall of all queries by ef and by distance, for ten answers and a hundred.
void measure_efforts(const data_set& data, const built_index& built) {
  searcher searches(data, built);
  const std::uint32_t half = data.query_count / 2;
  const auto print = [&](const search_settings& settings) {
    const double start = thread_seconds();
    const outcome took = searches.run(0, data.query_count, settings);
    const double ran = thread_seconds() - start;
    std::printf(
        "  k %u, ef %u, stop %u, rescored %u: recall %.4f + %.4f, %.0f queries/s, expanded %.1f\n",
        settings.k, settings.ef, settings.stop_share, settings.rescored,
        searches.recall(0, half, settings.k), searches.recall(half, data.query_count, settings.k),
        data.query_count / ran, took.expanded);
  };
  for (const std::uint32_t k : {10U, 100U}) {
    for (const std::uint32_t ef : {10U, 16U, 24U, 32U, 48U, 64U, 96U, 128U, 192U, 256U, 400U}) {
      if (ef < k) continue;
      search_settings settings;
      settings.k = k;
      settings.ef = ef;
      settings.rescored = k + k / 10 + 5;
      print(settings);
    }
    for (const std::uint32_t ef : {128U, 200U, 400U})
      for (const std::uint32_t stop :
           {2000U, 3000U, 4000U, 5000U, 6000U, 7000U, 8000U, 10000U, 12000U}) {
        search_settings settings;
        settings.k = k;
        settings.ef = ef;
        settings.stop_share = stop;
        settings.rescored = k + k / 10 + 5;
        print(settings);
      }
  }
}

void run(const data_set& data, const options& chosen) {
  std::printf("%s: %u x %u, %s, %s\n", data.name.c_str(), data.row_count, data.dim,
              std::string(name_of(data.metric)).c_str(),
              std::string(name_of(chosen_simd_level())).c_str());
  for (const width& one : chosen.widths) {
    vexfs_graph_config config{};
    config.width = one.links;
    config.links_new = one.links_new;
    config.links_kept = one.links_kept;
    config.ef_construct = one.ef;
    config.tail_max = std::bit_ceil(data.row_count);
    config.lines = data.dim >= 256 && data.metric != distance::manhattan;
    built_index built(data, config);
    pin_to_one_core(false);
    const double inserting = built.insert();
    const double linking = built.link(2);
    pin_to_one_core(true);
    std::printf(
        " width %u, ef_construct %u: coded %.0f/s (1 thread), linked %.0f/s (2 threads), "
        "%.0f bytes a vector, %u entries\n",
        one.links, one.ef, data.row_count / inserting, data.row_count / linking,
        static_cast<double>(vexfs_graph_memory_bytes(built.graph())) / data.row_count,
        built.graph()->entries->count);
    if (chosen.is_of_efforts)
      measure_efforts(data, built);
    else
      measure(data, built, chosen.seconds_min);
    std::fflush(stdout);
  }
}

options read_options(int count, char** words) {
  options read;
  std::vector<width> widths;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word.starts_with("--min-seconds="))
      read.seconds_min = std::strtod(word.data() + std::strlen("--min-seconds="), nullptr);
    else if (word.starts_with("--benchmark_min_time="))  // as the other benchmarks say it
      read.seconds_min = std::strtod(word.data() + std::strlen("--benchmark_min_time="), nullptr);
    else if (word.starts_with("--rows="))
      read.row_count = static_cast<std::uint32_t>(
          std::strtoul(word.data() + std::strlen("--rows="), nullptr, 10));
    else if (word == "--efforts")
      read.is_of_efforts = true;
    else if (word.starts_with("--width=")) {
      width& one = widths.emplace_back();
      if (std::sscanf(word.data() + std::strlen("--width="), "%u,%u,%u,%u", &one.links,
                      &one.links_new, &one.links_kept, &one.ef) != 4)
        read.row_count = 0;
    } else if (word.starts_with("--write="))
      read.folder = word.substr(std::strlen("--write="));
    else
      read.files.emplace_back(word);
  }
  if (!widths.empty()) read.widths = widths;
  const bool is_known =
      read.row_count >= 1000 &&
      (read.files.empty() || (read.files.size() == 3 && metric_of(read.files[2])));
  if (!is_known) {
    std::fputs(
        "usage: engine_bench [--min-seconds=S] [--efforts] [--width=N,NEW,KEPT,EF]... [--rows=N] "
        "[--write=FOLDER] [BASE.fbin QUERIES.fbin ip|l2|l1]\n",
        stderr);
    std::exit(2);
  }
  return read;
}

}  // namespace
}  // namespace vexfs::bench

int main(int count, char** words) {
  using namespace vexfs::bench;
  const options chosen = read_options(count, words);
  if (!chosen.files.empty()) {
    run(read_data_set(chosen.files[0], chosen.files[1], *metric_of(chosen.files[2])), chosen);
    return 0;
  }
  const bool is_smoke = std::getenv("VEXFS_BENCH_SMOKE") != nullptr;
  const data_set data = is_smoke
                            ? make_clusters(2000, 100, 128, 50, vexfs::distance::euclid, 1)
                            : make_clusters(chosen.row_count, 2000, 128, chosen.row_count / 200,
                                            vexfs::distance::euclid, 1);
  if (!chosen.folder.empty()) write_data_set(data, chosen.folder);
  run(data, chosen);
  return 0;
}
