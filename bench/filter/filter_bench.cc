// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/filter/filter_plan.h"
#include "core/filter/indexes.h"
#include "core/filter/point_source.h"

// 100,000 points and filters that one percent of them pass, with and without an index. Every
// benchmark first checks its answer. `looked_at` counts payloads that were evaluated: it does not
// depend on the machine. Instructions: run one benchmark under callgrind.
namespace vexfs {
namespace {

constexpr std::uint32_t points_count = 100'000;

class points final : public point_source {
 public:
  points() {
    for (std::uint32_t slot = 0; slot < points_count; ++slot) {
      // Multiplication by a number without common factors: no order that an index could profit
      // from.
      const std::uint32_t n = slot * 7919U % points_count;
      payloads_.push_back(R"({"title":"point number )" + std::to_string(slot) + R"(","city":"c)" +
                          std::to_string(n % 100) + R"(","price":)" + std::to_string(n) +
                          R"(,"rating":)" + std::to_string(n % 50) + R"(.5,"tags":["x","t)" +
                          std::to_string(n % 100) + R"("]})");
    }
  }
  std::uint32_t slot_count() const override { return points_count; }
  bool live(std::uint32_t) const override { return true; }
  void live_words(std::uint32_t first_word, std::span<std::uint64_t> words) const override {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::uint64_t first = (std::uint64_t{first_word} + i) * 64;
      words[i] = first + 64 <= points_count ? ~0ULL
                 : first < points_count     ? (1ULL << (points_count - first)) - 1
                                            : 0;
    }
  }
  void payloads(std::span<const std::uint32_t> slots, std::string_view* texts) const override {
    for (const std::uint32_t slot : slots)
      *texts++ = payloads_[slot];
  }
  void ids(std::span<const std::uint32_t> slots, point_id* ids) const override {
    for (const std::uint32_t slot : slots)
      *ids++ = point_id::from_number(slot);
  }
  std::optional<std::uint32_t> find(const point_id& id) const override {
    return static_cast<std::uint32_t>(id.low);
  }
  bool has_vector(std::uint32_t, std::string_view) const override { return true; }

 private:
  std::vector<std::string> payloads_;
};

enum class subject { keyword, range, tags };

void plan_filter(benchmark::State& state, subject what, bool indexed) {
  static const points source;
  field_indexes indexes;
  const char* key = what == subject::keyword ? "city" : what == subject::range ? "price" : "tags";
  if (indexed) {
    payload_field_schema schema;
    schema.params.type = what == subject::range ? payload_type::integer : payload_type::keyword;
    if (!indexes.create(key, schema)) std::abort();
    while (!indexes.build(source, points_count)) {
    }
  }
  arena keys;
  field_condition condition_on_key;
  condition_on_key.key = *parse_payload_path(key, keys);
  if (what == subject::range) {
    condition_on_key.range.emplace();
    condition_on_key.range->gte = 5'000;
    condition_on_key.range->lt = 6'000;
  } else {
    condition_on_key.matches = match_value{what == subject::keyword ? "c7" : "t7"};
  }
  const condition conditions[] = {condition_on_key};
  filter whole;
  whole.must = conditions;

  std::uint64_t looked_at = 0;
  arena memory;
  for (auto _ : state) {
    memory.reset();
    filter_plan plan(&whole, memory);
    while (!plan.advance(indexes, source, 500)) {
    }
    looked_at = plan.checked_count();
    if (plan.count() != points_count / 100) {
      state.SkipWithError("one percent of the points should pass");
      return;
    }
  }
  state.counters["looked_at"] = static_cast<double>(looked_at);
  state.counters["points"] = benchmark::Counter(static_cast<double>(points_count),
                                                benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK_CAPTURE(plan_filter, keyword_unindexed, subject::keyword, false);
BENCHMARK_CAPTURE(plan_filter, keyword_indexed, subject::keyword, true);
BENCHMARK_CAPTURE(plan_filter, range_unindexed, subject::range, false);
BENCHMARK_CAPTURE(plan_filter, range_indexed, subject::range, true);
BENCHMARK_CAPTURE(plan_filter, tags_unindexed, subject::tags, false);
BENCHMARK_CAPTURE(plan_filter, tags_indexed, subject::tags, true);

}  // namespace
}  // namespace vexfs

BENCHMARK_MAIN();
