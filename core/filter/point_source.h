// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/model/point_id.h"

namespace vexfs {

/// What filters and indexes read of a collection's points. Implemented by the collection; called
/// under its read guard only. Calls that a scan repeats take groups of slots, so that the cost of
/// the indirect call is shared; a group holds at most `point_group_max` slots.
class point_source {
 public:
  static constexpr std::size_t point_group_max = 64;

  /// All slots in use are below it.
  [[nodiscard]] virtual std::uint32_t slot_count() const = 0;
  [[nodiscard]] virtual bool live(std::uint32_t slot) const = 0;
  /// One bit per slot, set where a point lives; words.size() words from slot 64 * first_word on.
  /// Bits at and above slot_count() are cleared.
  virtual void live_words(std::uint32_t first_word, std::span<std::uint64_t> words) const = 0;
  /// Canonical text of each payload, valid while the guard is held. Slots are live.
  virtual void payloads(std::span<const std::uint32_t> slots, std::string_view* texts) const = 0;
  virtual void ids(std::span<const std::uint32_t> slots, point_id* ids) const = 0;
  [[nodiscard]] virtual std::optional<std::uint32_t> find(const point_id& id) const = 0;
  /// False for an unknown name; "" is the unnamed vector.
  [[nodiscard]] virtual bool has_vector(std::uint32_t slot, std::string_view name) const = 0;

 protected:
  ~point_source() = default;
};

}  // namespace vexfs
