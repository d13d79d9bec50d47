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
    // Those behind the first one were retired later: most likely they are not free either.
    if (!retired_.empty() && retired_.front().epoch < readers_.safe_before() &&
        is_free(retired_.front().slot)) {
      const slot_index slot = retired_.front().slot;
      retired_.pop_front();
      return slot;
    }
    if (records_.size() >= slot_count_max) return std::nullopt;
    records_.emplace_back();
    return static_cast<slot_index>(records_.size() - 1);
  }

  /// Gives back a slot that was taken and never published.
  void give_back(slot_index slot) { retired_.push_front({slot, 0}); }

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
  std::deque<retired_slot> retired_;
  slot_index published_limit_ = 0;
};

}  // namespace vexfs
