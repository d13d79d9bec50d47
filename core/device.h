// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/result.h"
#include "core/model/vector.h"

namespace vexfs {

/// Dense place of a point in all its vector files. Not a point id.
using slot_index = std::uint32_t;
/// Counts reuses of a slot: a candidate with another generation than the slot's is stale.
using slot_generation = std::uint32_t;

/// What the device answers: never an id, never a float. Approximate; core rescores exactly.
struct candidate {
  slot_index slot;
  slot_generation generation;
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
  std::span<std::byte> scratch;                   // at least scan_scratch_bytes(...)
};

/// One vector file of the device: codes, tombstones and generations of one collection's one named
/// dense vector. insert and remove are called by the collection's owner core only, one at a time;
/// scan by any core at any time, also during them: a slot that is inserted or removed meanwhile may
/// or may not be answered, one that is not is.
class vector_file {
 public:
  virtual ~vector_file() = default;

  /// Codes and publishes rows. Each slot is dead before (never used, or removed). Vectors are IEEE
  /// bit patterns, slots.size() x dim. Not a finite number: bad_input, and nothing was inserted.
  /// Out of memory: insufficient_storage, and nothing was inserted.
  [[nodiscard]] virtual result<void> insert(std::span<const slot_index> slots,
                                            std::span<const slot_generation> generations,
                                            std::span<const std::uint32_t> vector_bits) = 0;
  /// Tombstones slots; dead ones are skipped.
  virtual void remove(std::span<const slot_index> slots) = 0;

  /// Blocks for the time of the scan; callers cut it into slices.
  [[nodiscard]] virtual result<void> scan(const scan_command& command) = 0;

  [[nodiscard]] virtual std::size_t scan_scratch_bytes(std::uint32_t query_count, std::uint32_t k,
                                                       std::uint32_t candidate_capacity) const = 0;
  /// Memory held for rows, in bytes.
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
