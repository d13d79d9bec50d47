// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace vexfs::bench {

/// Which points a search that ran while others wrote must have seen, and which it may have seen.
/// A write acts at some moment between its sending and its acknowledgement.
class point_lives {
 public:
  /// Points below `present_count` are there from the start.
  point_lives(std::uint32_t row_count, std::uint32_t present_count)
      : present_count_(present_count), writes_(row_count) {}

  enum class write : std::uint8_t { insert, remove };
  /// In the order of sending. `acknowledged_ns` INT64_MAX: it may have acted or not, ever since.
  void add(std::uint32_t row, write what, std::int64_t sent_ns, std::int64_t acknowledged_ns) {
    writes_[row].push_back({what, sent_ns, acknowledged_ns});
  }

  /// There during the whole of [from, to], whenever in their intervals the writes acted.
  [[nodiscard]] bool must_be_seen(std::uint32_t row, std::int64_t from_ns,
                                  std::int64_t to_ns) const {
    bool present = row < present_count_;
    for (const event& each : writes_[row]) {
      if (each.what == write::insert)
        present = present || each.acknowledged_ns <= from_ns;
      else if (each.sent_ns <= to_ns)
        present = false;
    }
    return present;
  }
  /// There at some moment of [from, to], for some choice of those moments.
  [[nodiscard]] bool may_be_seen(std::uint32_t row, std::int64_t from_ns,
                                 std::int64_t to_ns) const {
    bool present = row < present_count_;
    for (const event& each : writes_[row]) {
      if (each.what == write::insert)
        present = present || each.sent_ns <= to_ns;
      else if (each.acknowledged_ns <= from_ns)
        present = false;
    }
    return present;
  }

 private:
  struct event {
    write what;
    std::int64_t sent_ns;
    std::int64_t acknowledged_ns;
  };
  std::uint32_t present_count_;
  std::vector<std::vector<event>> writes_;
};

}  // namespace vexfs::bench
