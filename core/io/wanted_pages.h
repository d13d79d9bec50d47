// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/limits.h"

namespace vexfs::io {

/// Memory that is to be touched before others do: ranges, first in, first out, of which no more
/// than wanted_pages_max are kept. One thread at a time.
class wanted_pages {
 public:
  [[nodiscard]] bool empty() const { return count_ == 0; }

  /// False, and nothing done, where there is no place.
  bool put(std::span<std::byte> range) {
    if (range.empty()) return true;
    if (count_ == ranges_.size()) return false;
    ranges_[(first_ + count_) % ranges_.size()] = range;
    ++count_;
    return true;
  }

  /// The beginning of the first range, up to an address that `unit` divides: what is not taken yet
  /// can still be cut. Not where it is empty.
  [[nodiscard]] std::span<std::byte> take(std::size_t unit) {
    std::span<std::byte>& front = ranges_[first_];
    const std::size_t whole = unit - reinterpret_cast<std::uintptr_t>(front.data()) % unit;
    const auto taken = front.first(std::min(whole, front.size()));
    front = front.subspan(taken.size());
    if (front.empty()) {
      first_ = (first_ + 1) % ranges_.size();
      --count_;
    }
    return taken;
  }

  /// Takes out what lies in `gone`. A range that it halves needs a second place: where there is
  /// none, the last ranges are forgotten.
  void cut(std::span<const std::byte> gone) {
    const wanted_pages before = *this;
    *this = {};
    const auto gone_at = reinterpret_cast<std::uintptr_t>(gone.data());
    for (std::size_t i = 0; i < before.count_; ++i) {
      const std::span<std::byte> range = before.ranges_[(before.first_ + i) % ranges_.size()];
      const auto at = reinterpret_cast<std::uintptr_t>(range.data());
      const auto offset_of = [&](std::uintptr_t address) {
        return std::min<std::size_t>(address > at ? address - at : 0, range.size());
      };
      const std::size_t begin = offset_of(gone_at);
      const std::size_t end = offset_of(gone_at + gone.size());
      if (begin == end) {
        put(range);
      } else {
        put(range.first(begin));
        put(range.subspan(end));
      }
    }
  }

 private:
  std::array<std::span<std::byte>, wanted_pages_max> ranges_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace vexfs::io
