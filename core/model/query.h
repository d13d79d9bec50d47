// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "core/model/filter.h"
#include "core/model/formula.h"
#include "core/model/point_id.h"
#include "core/model/vector.h"

// Reads as a request carries them, and their results. Trivially destructible; memory belongs to the
// request's arena.
namespace vexfs {

/// with_payload: nothing, everything, or the named paths in or out.
struct payload_selector {
  enum class form : std::uint8_t { none, all, include, exclude };
  form kind = form::none;
  std::span<const payload_path> paths;
};

/// with_vector: nothing, every vector, or the named ones.
struct vector_selector {
  enum class form : std::uint8_t { none, all, named };
  form kind = form::none;
  std::span<const std::string_view> names;
};

struct search_params {
  std::optional<std::uint64_t> hnsw_ef;
  bool exact = false;
  bool indexed_only = false;
  // Heeded only where the vector has a quantization; the resolver drops them elsewhere.
  // `ignore_codes` ranks all candidates by originals, and wins over `rescore` = false.
  std::optional<double> oversampling;
  std::optional<bool> rescore;
  bool ignore_codes = false;
  /// True where a walk's scores come from codes.
  [[nodiscard]] bool is_by_codes() const { return !ignore_codes && !rescore.value_or(true); }
  bool idf_given = false;
  const filter* idf_corpus = nullptr;  // rarity is counted among these points; null: among all
};

/// A query by example: a vector, or the id of a point that carries one.
using vector_input = std::variant<vector_value, point_id>;

/// Pick the answers among this many candidates so that they differ from each other.
struct mmr_params {
  float diversity = 0.5F;
  std::optional<std::uint64_t> candidates_limit;  // else the limit of the query
};
struct nearest_query {
  vector_input target;
  std::optional<mmr_params> mmr;
};

/// Points like the positive examples and unlike the negative ones.
struct recommend_query {
  enum class strategy : std::uint8_t { average_vector, best_score, sum_scores };
  std::span<const vector_input> positive, negative;
  strategy how = strategy::average_vector;
};

/// A pair of examples: a point should be closer to the first.
struct context_pair {
  vector_input positive, negative;
};
/// First the points on the right side of the most pairs, among these the closest to the target.
struct discover_query {
  vector_input target;
  std::span<const context_pair> pairs;
};
struct context_query {
  std::span<const context_pair> pairs;
};

/// Closeness to a target, corrected by what somebody thought of some answers.
struct feedback_query {
  struct item {
    vector_input example;
    float score = 0;
  };
  vector_input target;
  std::span<const item> items;
  float a = 0, b = 0, c = 0;
};

/// One list out of those of the prefetches.
struct fusion_query {
  enum class method : std::uint8_t { rrf, dbsf };
  method how = method::rrf;
  std::uint64_t k = 2;             // of rrf
  std::span<const float> weights;  // of rrf: none, or one a prefetch
};

/// Scroll in the order of a payload key. start_from: number, or microseconds for datetimes.
struct order_by {
  payload_path key;
  bool descending = false;
  std::variant<std::monostate, std::int64_t, double> start_from;
};
struct sample_query {};  // random points

/// monostate: no query, a scroll by id.
using query_kind =
    std::variant<std::monostate, nearest_query, order_by, sample_query, recommend_query,
                 discover_query, context_query, feedback_query, fusion_query, formula_query>;

struct lookup_location {
  std::string_view collection;
  std::optional<std::string_view> vector;
};

/// One search of points/query, points/search and their batch and group forms; or a prefetch: then
/// offset and selectors are unused, and the points it finds are the only ones that the query above
/// it sees.
struct query_request {
  std::span<const query_request> prefetch;
  query_kind what;
  std::string_view using_vector;  // "" is the unnamed one
  const filter* condition = nullptr;
  search_params params;
  std::optional<float> score_threshold;
  std::uint64_t limit = 10;
  std::uint64_t offset = 0;
  payload_selector with_payload;
  vector_selector with_vector;
  std::optional<lookup_location> lookup_from;
};

struct group_request {
  query_request search;  // its limit is the number of groups
  payload_path group_by;
  std::uint64_t group_size = 3;
  struct lookup {
    std::string_view collection;
    payload_selector with_payload;
    vector_selector with_vector;
  };
  std::optional<lookup> with_lookup;
};

struct scroll_request {
  std::optional<point_id> offset;
  std::uint64_t limit = 10;
  const filter* condition = nullptr;
  payload_selector with_payload{payload_selector::form::all, {}};
  vector_selector with_vector;
  std::optional<order_by> order;
};

struct retrieve_request {
  std::span<const point_id> ids;
  payload_selector with_payload;
  vector_selector with_vector;
};

/// Random points, and for each the nearest among them.
struct matrix_request {
  std::uint64_t sample = 10;
  std::uint64_t limit = 3;
  const filter* condition = nullptr;
  std::string_view using_vector;
};

struct count_request {
  const filter* condition = nullptr;
  bool exact = true;
};

struct facet_request {
  payload_path key;
  std::uint64_t limit = 10;
  const filter* condition = nullptr;
  bool exact = false;
};

// Results.

struct record {
  point_id id;
  std::uint64_t version = 0;
  float score = 1.0F;
  std::optional<std::string_view> payload;               // canonical JSON text
  std::optional<std::span<const named_vector>> vectors;  // asked for: maybe empty
  std::variant<std::monostate, std::int64_t, double> order_value;
};

using group_key = std::variant<std::string_view, std::int64_t, std::uint64_t>;

struct point_group {
  group_key id;
  std::span<const record> hits;
  std::optional<record> lookup;
};

struct scroll_result {
  std::span<const record> points;
  std::optional<point_id> next_page_offset;
};

/// rows[i] lists the nearest of ids[i], best first.
struct matrix_result {
  struct cell {
    std::uint32_t column = 0;  // of ids
    float score = 0;
  };
  std::span<const point_id> ids;
  std::span<const std::span<const cell>> rows;
};

struct facet_hit {
  std::variant<std::string_view, std::int64_t, bool> value;
  std::uint64_t count = 0;
};

}  // namespace vexfs
