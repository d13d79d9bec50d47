// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/result.h"
#include "core/model/vector.h"

namespace vexfs {

/// Dense place of a point in all its vector files. Not a point id.
using slot_index = std::uint32_t;
/// Counts reuses of a slot: a candidate with another generation than the slot's is stale.
using slot_generation = std::uint32_t;

/// What the device answers: never an id, never a float. Approximate: core rescores from the vectors
/// themselves, or takes the keys that come with it.
struct candidate {
  slot_index slot;
  slot_generation generation;
};

/// What the keys of a query's candidates mean: a key times mantissa * 2^exponent is minus the inner
/// product, half of the squared Euclidean distance minus half of the query's own square, or the
/// Manhattan distance; as near as codes are to vectors. Keys end at -2^31 and 2^31 - 2: a row far
/// longer than the usual (inner product) or far away (the others) has the score of that end.
struct key_unit {
  std::uint32_t mantissa = 0;
  std::int32_t exponent = 0;
};

struct vector_file_config {
  std::uint32_t dim;
  distance metric;
};

/// A search of one vector file for several queries at once, over the slots [slot_first, slot_last).
///
/// Answers, for each query, a set that contains every live and allowed slot of the range that could
/// be among the k best by the exact float32 score: each row and each query carries a bound of its
/// quantisation error, and a row whose bound reaches the k-th best pessimistic score stays in.
/// overflowed[q] = 1 where that set did not fit: the caller scores the range itself.
struct scan_command {
  std::uint32_t k = 0;
  slot_index slot_first = 0;
  slot_index slot_last = 0;
  std::uint32_t query_count = 0;
  std::span<const std::uint32_t> query_bits;      // query_count x dim, IEEE 754 single bit patterns
  std::span<const std::uint64_t* const> allowed;  // per query: a bitmap over slots, or nullptr
  std::uint32_t candidate_capacity = 0;           // per query, at least k
  std::span<candidate> candidates;                // out: query_count x candidate_capacity
  std::span<std::uint32_t> candidate_counts;      // out: per query
  std::span<std::uint8_t> overflowed;             // out: per query
};

/// An approximate search of a file's graph for several queries at once.
struct search_command {
  std::uint32_t wanted = 0;  // candidates of a query, at most ef
  std::uint32_t ef = 0;      // candidates that a walk keeps, at most search_ef_max
  // A walk also ends where the next candidate is farther than the stop_rank-th by more than
  // stop_share / 65536 of it. 0: only ef ends it.
  std::uint32_t stop_rank = 0;
  std::uint32_t stop_share = 0;
  slot_index slot_limit = 0;  // slots from here on are not answered
  std::uint32_t query_count = 0;
  std::span<const std::uint32_t> query_bits;  // query_count x dim, IEEE 754 single bit patterns
  std::span<const std::uint64_t* const>
      allowed;  // per query: a bitmap below slot_limit, or nullptr
  std::span<const std::uint32_t> allowed_counts;  // per query: bits of its bitmap, about
  std::span<candidate> candidates;                // out: query_count x wanted, nearest first
  std::span<std::uint32_t> candidate_counts;      // out: per query
  std::span<std::int32_t> keys;  // out: of each candidate, or empty where nobody wants them
  std::span<key_unit> units;     // out: per query, or empty likewise
};

inline constexpr std::uint32_t search_ef_max = 4096;

/// How a graph is made. m and ef_construct are those of HNSW: a row has room for about three times
/// m links.
struct graph_config {
  std::uint32_t m = 16;
  std::uint32_t ef_construct = 100;
  std::uint32_t tail_max = 0;  // slots that may wait to be linked
  friend bool operator==(const graph_config&, const graph_config&) = default;
};

/// What a file keeps of a vector.
struct vector_storage {
  std::string_view codes;         // in words
  std::uint32_t code_bytes = 0;   // of one vector, constants included
  std::uint32_t graph_bytes = 0;  // of one vector: links and filter line; 0 before start_graph()
};

/// What linking does first: what is worth most, or whatever gives removed slots back.
enum class link_order : std::uint8_t { usual, repair_first };

struct graph_state {
  graph_config config;
  bool complete = false;           // every live slot is linked or in the tail
  std::uint32_t linked_count = 0;  // live ones
  std::uint32_t dead_count = 0;    // removed ones that the graph still holds
  std::uint32_t dying_count = 0;   // of these, those that a repair is taking out
  std::uint32_t tail_count = 0;    // inserted and not linked yet: every search looks at each
};

/// One vector file of the device: codes, tombstones and generations of one collection's one named
/// dense vector, and a graph over them once it has been started. insert, remove, is_free,
/// start_graph, drop_graph and adopt are called by the collection's owner core only, one at a time;
/// everything else by any core at any time, also during them: a slot that is inserted or removed
/// meanwhile may or may not be answered, one that is not is.
class vector_file {
 public:
  virtual ~vector_file() = default;

  /// Codes and publishes rows; with a graph, they join its tail, which has room for them. Each slot
  /// is_free(). Vectors are IEEE bit patterns, slots.size() x dim. Not a finite number: bad_input,
  /// and nothing was inserted. Out of memory: insufficient_storage, and nothing was inserted.
  [[nodiscard]] virtual result<void> insert(std::span<const slot_index> slots,
                                            std::span<const slot_generation> generations,
                                            std::span<const std::uint32_t> vector_bits) = 0;
  /// Tombstones slots; dead ones are skipped.
  virtual void remove(std::span<const slot_index> slots) = 0;
  /// False for a removed slot that the graph has not given back yet.
  [[nodiscard]] virtual bool is_free(slot_index slot) const = 0;

  /// Blocks for the time of the scan; callers cut it into slices. A query is not a finite number:
  /// bad_input. Out of memory: insufficient_storage. So also for search().
  [[nodiscard]] virtual result<void> scan(const scan_command& command) const = 0;

  /// The rows that are there join by adopt(). Where there is a complete graph it goes on to be kept
  /// and searched until the new one is complete and takes its place; one that is not goes at once.
  /// Out of memory: insufficient_storage.
  [[nodiscard]] virtual result<void> start_graph(const graph_config& config) = 0;
  /// Takes all graphs away.
  virtual void drop_graph() = 0;
  /// Looks at the next rows of before the newest graph, as many as given or until its tail holds
  /// tail_limit; true when all have joined, this graph is the one that is searched, and the memory
  /// of earlier ones has been given back.
  [[nodiscard]] virtual bool adopt(std::uint32_t row_count, std::uint32_t tail_limit) = 0;
  /// The graph that is searched. Nothing before start_graph().
  [[nodiscard]] virtual std::optional<graph_state> graph() const = 0;
  /// The one that is to take its place. It may be given up for want of memory.
  [[nodiscard]] virtual std::optional<graph_state> next_graph() const = 0;
  /// Links some of the tail, or takes dead slots out: at most so many items of about 50 us.
  /// Returns how many it did; 0 where there is nothing to do, or other cores do the last of it.
  virtual std::uint32_t link(std::uint32_t item_count, link_order order) = 0;

  /// Of a complete graph; not_found where it has been dropped meanwhile. Blocks for the time of the
  /// search; callers cut batches into slices.
  [[nodiscard]] virtual result<void> search(const search_command& command) const = 0;

  [[nodiscard]] virtual vector_storage storage() const = 0;
  /// Memory held for rows and graph, in bytes.
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;
};

/// Where vector files live. Thread-safe.
class device {
 public:
  virtual ~device() = default;
  [[nodiscard]] virtual result<std::unique_ptr<vector_file>> create(
      const vector_file_config& config) = 0;
};

}  // namespace vexfs
