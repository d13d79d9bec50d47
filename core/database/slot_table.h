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
    gather(1, is_free);
    if (!free_.empty()) {
      const slot_index slot = free_.back();
      free_.pop_back();
      return slot;
    }
    if (generations_.size() >= slot_count_max) return std::nullopt;
    generations_.push_back(0);
    return static_cast<slot_index>(generations_.size() - 1);
  }

  /// Whether so many can be taken without more than the spare slots beyond the most points that
  /// there have been. Where they cannot, ask again when columns have given some back.
  template <class IsFree>
  [[nodiscard]] bool has_room(std::size_t count, IsFree&& is_free) {
    const std::uint64_t most = live_most_ + spare_count();
    const std::uint64_t unused = most - std::min<std::uint64_t>(most, generations_.size());
    if (unused < count) gather(count, is_free);
    return unused + free_.size() >= count;
  }

  /// After has_room(): whether there are slots that no reader has any more and a column has still.
  [[nodiscard]] bool has_held() const { return !held_.empty(); }

  /// Whether so many slots that a column holds on to leave less than half of the spare ones.
  [[nodiscard]] bool is_short_by(std::uint64_t held_count) const {
    return live_count_ + held_count > live_most_ + spare_count() / 2;
  }

  /// Gives back a slot that was taken and never published. A search may have met it in a column.
  void give_back(slot_index slot) { free_later(slot); }

  /// Makes a slot that was taken a live one, and its record one that others read.
  void publish(slot_index slot) {
    if (slot >= records_.size()) records_.resize(std::size_t{slot} + 1);
    if (slot / 64 >= live_.size()) live_.resize(slot / 64 + 1);
    live_[slot / 64] |= std::uint64_t{1} << (slot % 64);
    live_most_ = std::max(live_most_, ++live_count_);
  }

  /// After the slot has been taken out of the id map and of the device.
  void retire(slot_index slot) {
    live_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    --live_count_;
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

  /// For the owner alone: slots that were ever taken.
  [[nodiscard]] std::uint64_t taken_count() const { return generations_.size(); }
  /// For the owner alone.
  [[nodiscard]] slot_generation generation(slot_index slot) const { return generations_[slot]; }

 private:
  struct retired_slot {
    slot_index slot;
    std::uint64_t epoch;
  };
  [[nodiscard]] std::uint64_t spare_count() const {
    return live_most_ / slot_spare_one_in + slot_spare_min;
  }
  /// Looks at some of the slots that came back, until so many can be taken.
  template <class IsFree>
  void gather(std::size_t count, IsFree&& is_free) {
    // A few of each are enough: more slots are looked at than are retired.
    const std::size_t looks_most = count * slot_looks_max;
    const std::uint64_t safe = readers_.safe_before();
    for (std::size_t looks = 0; looks < looks_most && free_.size() < count; ++looks) {
      if (retired_.empty() || retired_.front().epoch >= safe) break;
      const slot_index slot = retired_.front().slot;
      retired_.pop_front();
      is_free(slot) ? free_.push_back(slot) : held_.push_back(slot);
    }
    const std::size_t held_looks = std::min(looks_most, held_.size());
    for (std::size_t looks = 0; looks < held_looks && free_.size() < count; ++looks) {
      const slot_index slot = held_.front();
      held_.pop_front();
      is_free(slot) ? free_.push_back(slot) : held_.push_back(slot);
    }
  }
  void free_later(slot_index slot) {
    ++generations_[slot];
    retired_.push_back({slot, readers_.retire()});
  }

  io::epochs& readers_;
  std::deque<slot_record> records_;
  std::vector<std::uint64_t> live_;
  std::vector<slot_generation> generations_;
  std::uint64_t live_count_ = 0;
  std::uint64_t live_most_ = 0;       // at any time so far
  std::deque<retired_slot> retired_;  // in the order of their epochs
  // No reader has these any more, but some column does. Columns let go of them in any order, so the
  // queue turns round: one that is kept for long does not keep those behind it.
  std::deque<slot_index> held_;
  // Neither readers nor columns have these.
  std::vector<slot_index> free_;
};

}  // namespace vexfs
