// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "core/base/limits.h"
#include "core/device.h"
#include "core/io/epoch.h"
#include "core/model/point_id.h"

namespace vexfs {

/// What core keeps of a slot beside its vectors.
struct slot_record {
  point_id id;
  std::uint64_t version = 0;  // sequence of the last operation that touched the point
  slot_generation generation = 0;
  bool live = false;
  std::string payload;  // canonical JSON text, "" is {}
};

/// The slots of a collection and those that are free. A retired slot comes back when every search
/// that may hold it has ended and every column has given it back. Written by the owner core, read
/// under the collection's guard.
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
    if (records_.size() >= slot_count_max) return std::nullopt;
    records_.emplace_back();
    return static_cast<slot_index>(records_.size() - 1);
  }

  /// Gives back a slot that was taken and never published. A search may have met it in a column.
  void give_back(slot_index slot) {
    ++records_[slot].generation;
    retired_.push_back({slot, readers_.retire()});
  }

  /// Makes a slot that was taken a live one.
  void publish(slot_index slot) {
    records_[slot].live = true;
    published_limit_ = std::max(published_limit_, slot + 1);
  }

  /// After the slot has been taken out of the id map and of the device.
  void retire(slot_index slot) {
    slot_record& record = records_[slot];
    record.live = false;
    ++record.generation;
    std::string().swap(record.payload);
    retired_.push_back({slot, readers_.retire()});
  }

  [[nodiscard]] slot_record& operator[](slot_index slot) { return records_[slot]; }
  [[nodiscard]] const slot_record& operator[](slot_index slot) const { return records_[slot]; }
  /// One past the highest slot ever taken.
  [[nodiscard]] slot_index limit() const { return static_cast<slot_index>(records_.size()); }
  /// One past the highest slot ever published. The device may know slots beyond it, whose points
  /// are not there yet: a search that took them for candidates would lose as many of those that
  /// are.
  [[nodiscard]] slot_index published_limit() const { return published_limit_; }

 private:
  struct retired_slot {
    slot_index slot;
    std::uint64_t epoch;
  };
  io::epochs& readers_;
  std::deque<slot_record> records_;
  std::deque<retired_slot> retired_;  // in the order of their epochs
  // No reader has these any more, but some column does. Columns let go of them in any order, so the
  // queue turns round: one that is kept for long does not keep those behind it.
  std::deque<slot_index> held_;
  slot_index published_limit_ = 0;
};

}  // namespace vexfs
