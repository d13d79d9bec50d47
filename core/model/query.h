// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "core/model/filter.h"
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
  std::optional<double> oversampling;
};

/// A query by example: a vector, or the id of a point that carries one.
using vector_input = std::variant<vector_value, point_id>;

struct nearest_query {
  vector_input target;
};
/// Scroll in the order of a payload key. start_from: number, or microseconds for datetimes.
struct order_by {
  payload_path key;
  bool descending = false;
  std::variant<std::monostate, std::int64_t, double> start_from;
};
struct sample_query {};  // random points

/// monostate: no query, a scroll by id.
using query = std::variant<std::monostate, nearest_query, order_by, sample_query>;

struct lookup_location {
  std::string_view collection;
  std::optional<std::string_view> vector;
};

/// One search of points/query, points/search and their batch and group forms.
struct query_request {
  query what;
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

struct facet_hit {
  std::variant<std::string_view, std::int64_t, bool> value;
  std::uint64_t count = 0;
};

}  // namespace vexfs
