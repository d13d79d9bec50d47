// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/io/loop.h"
#include "core/io/storage.h"
#include "core/io/task.h"
#include "core/io/timers.h"

namespace vexfs {

/// So much of what nobody waits for may be lost with the power.
inline constexpr std::chrono::seconds log_sync_delay{1};

/// A record as the log gives it back.
struct logged {
  std::uint64_t collection = 0;  // its number
  std::uint64_t sequence = 0;    // within the collection, from 1 on
  std::string_view bytes;
};

/// What the bytes of a log segment hold; format in core/database/README.md.
struct segment_content {
  bool torn = false;               // bytes behind the last valid record that are not a record
  bool damaged = false;            // the same with valid records behind them
  std::uint64_t whole_bytes = 0;   // end of the last record in front of which nothing is missing
  std::uint64_t synced_bytes = 0;  // so much was on the medium, says the segment itself
};

/// Visits every valid record in order. Never fails: what is not a record is skipped and reported.
segment_content read_segment(std::string_view bytes,
                             const std::function<void(const logged&)>& visit);

/// Appends one record in the segment format; `offset` is where `out` goes in the segment.
void append_record(std::string& out, std::uint64_t offset, const logged& record);

/// Makes a segment of the last life final, before there are newer ones. A power cut keeps unsynced
/// bytes in any combination, so the log ends at the first record that is not whole, unless the
/// segment says that it was synced further: then that is damage and stays for the reader to see.
/// What is left is synced: it may not be lost any more once newer records depend on it. Blocks.
[[nodiscard]] result<void> seal_segment(io::storage& disk, std::string_view path,
                                        std::uint64_t size_bytes_max);

/// The write-ahead log of one core, in segment files wal/<core>-<number>.log. Records of one turn
/// go out in one write, and one fdatasync serves everybody who waits for one. What nobody waits for
/// is synced a second later.
class wal {
 public:
  /// Starts a new segment numbered `segment_number`. Blocks.
  [[nodiscard]] static result<std::unique_ptr<wal>> open(io::storage& disk,
                                                         std::uint32_t core_index,
                                                         std::uint64_t segment_number);
  ~wal();

  /// Queues a record for the write at the end of this turn; records are written in the order of the
  /// calls. Await written() before anything else is put.
  void put(const logged& record);
  /// Continues when the records put in this turn are in the page cache: they survive the process.
  /// Those who wait continue in the order of their calls. insufficient_storage: the disk is full,
  /// none of the turn's records counts.
  [[nodiscard]] io::task<result<void>> written();

  /// Continues when everything appended so far is on the medium. After a failure the log takes no
  /// more records: an fdatasync that failed once says nothing when it is repeated.
  [[nodiscard]] io::task<result<void>> sync();

  /// The same for a stop: nothing is put any more.
  [[nodiscard]] io::task<result<void>> close();

 private:
  struct waiting_append : io::resume_later {
    result<void>* outcome = nullptr;
  };
  wal(io::storage& disk, std::uint32_t core_index, std::uint64_t segment_number);
  [[nodiscard]] result<void> open_segment();
  void write_turn();
  void sync_later();
  io::detached sync_until_idle();

  io::storage& disk_;
  const std::uint32_t core_index_;
  const std::uint64_t segment_number_;
  std::unique_ptr<io::file> segment_;
  std::uint64_t offset_ = 0;  // end of what has been written
  std::string batch_;         // this turn's records
  std::vector<waiting_append*> batch_waiting_;
  struct end_of_turn : io::runnable {
    wal* owner = nullptr;
  } turn_work_;
  bool turn_queued_ = false;

  std::uint64_t written_ = 0;  // bytes ever written, over all segments
  std::uint64_t synced_ = 0;   // the part of them that is on the medium
  std::uint64_t marked_ = 0;   // the part of those that a mark in the log tells
  bool syncing_ = false;
  struct sync_timer : io::timer {
    wal* owner = nullptr;
  } sync_timer_;  // set while there may be something that is not synced
  bool sync_due_ = false;
  std::string failure_;  // of a write or sync that cannot be made good
  struct waiting_sync : io::resume_later {
    std::uint64_t target = 0;
    waiting_sync* after = nullptr;
  };
  struct sync_awaiter;
  std::deque<waiting_sync*> sync_waiting_;
};

}  // namespace vexfs
