// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "core/device.h"
#include "core/io/epoch.h"
#include "core/model/point_id.h"

namespace vexfs {

/// What core keeps of a slot beside its vectors.
struct slot_record {
  point_id id;
  std::uint64_t version = 0;  // sequence of the last operation that touched the point
  std::string payload;        // canonical JSON text, "" is {}
};

/// The slots of a collection and those that are free. A retired slot comes back when every search
/// that may hold it has ended and every column has given it back. Written by the owner core; what
/// others read, the records and which are live, only changes in the exclusive side of the
/// collection's guard: publish() and retire().
class slot_table {
 public:
  explicit slot_table(io::epochs& readers) : readers_(readers) {}

  /// A dead slot for a new point; nothing when 32 bits are used up.
  template <class IsFree>
  [[nodiscard]] std::optional<slot_index> take(IsFree&& is_free) {
    // A few of each are enough: more slots are looked at than are retired.
    for (std::uint32_t looks = 0; looks < slot_looks_max && !retired_.empty(); ++looks) {
      const retired_slot first = retired_.front();
      if (first.epoch >= readers_.safe_before()) break;
      retired_.pop_front();
      if (is_free(first.slot)) return first.slot;
      held_.push_back(first.slot);
    }
    for (std::uint32_t looks = 0; looks < slot_looks_max && !held_.empty(); ++looks) {
      const slot_index slot = held_.front();
      held_.pop_front();
      if (is_free(slot)) return slot;
      held_.push_back(slot);
    }
    if (generations_.size() >= slot_count_max) return std::nullopt;
    generations_.push_back(0);
    return static_cast<slot_index>(generations_.size() - 1);
  }

  /// Gives back a slot that was taken and never published. A search may have met it in a column.
  void give_back(slot_index slot) { free_later(slot); }

  /// Makes a slot that was taken a live one, and its record one that others read.
  void publish(slot_index slot) {
    if (slot >= records_.size()) records_.resize(std::size_t{slot} + 1);
    if (slot / 64 >= live_.size()) live_.resize(slot / 64 + 1);
    live_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  }

  /// After the slot has been taken out of the id map and of the device.
  void retire(slot_index slot) {
    live_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    std::string().swap(records_[slot].payload);
    free_later(slot);
  }

  /// Of a slot that was published once.
  [[nodiscard]] slot_record& operator[](slot_index slot) { return records_[slot]; }
  [[nodiscard]] const slot_record& operator[](slot_index slot) const { return records_[slot]; }
  [[nodiscard]] bool live(slot_index slot) const {
    return slot / 64 < live_.size() && (live_[slot / 64] >> (slot % 64) & 1) != 0;
  }
  /// A bit a slot; none beyond the end.
  [[nodiscard]] std::span<const std::uint64_t> live_words() const { return live_; }
  /// One past the highest slot ever published. The device may know slots beyond it, whose points
  /// are not there yet: a search that took them for candidates would lose as many of those that
  /// are.
  [[nodiscard]] slot_index limit() const { return static_cast<slot_index>(records_.size()); }

  /// For the owner alone.
  [[nodiscard]] slot_generation generation(slot_index slot) const { return generations_[slot]; }

 private:
  struct retired_slot {
    slot_index slot;
    std::uint64_t epoch;
  };
  void free_later(slot_index slot) {
    ++generations_[slot];
    retired_.push_back({slot, readers_.retire()});
  }

  io::epochs& readers_;
  std::deque<slot_record> records_;
  std::vector<std::uint64_t> live_;
  std::vector<slot_generation> generations_;
  std::deque<retired_slot> retired_;  // in the order of their epochs
  // No reader has these any more, but some column does. Columns let go of them in any order, so the
  // queue turns round: one that is kept for long does not keep those behind it.
  std::deque<slot_index> held_;
};

}  // namespace vexfs
