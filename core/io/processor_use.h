// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "core/io/timers.h"

// How the threads of cores share the machine's processors with other threads. Everything is asked
// of the system without a promise: where it is refused, requests wait longer for a processor.
namespace vexfs::io {

/// Of a thread that a core may start, first: it begins on the core's processor and with its runs,
/// and would take the core's own time.
void begin_beside_cores();

/// Where a core's thread runs.
struct processor_place {
  int home = -1;           // a processor that is no other core's; -1 where there are too few
  bool is_pinned = false;  // to its home, at all times
};
[[nodiscard]] std::vector<processor_place> processor_places(std::uint32_t core_count);

/// Whether a core has had slices to run most of the time lately.
class slice_load {
 public:
  enum class change : std::uint8_t { none, became_heavy, became_light };
  /// Of every turn, when it ended, and how long it took if it ran a slice.
  change end_turn(clock_time now, clock_time::duration with_slice);
  /// When the next turn is to end at the latest, for a core that sleeps not to stay heavy.
  [[nodiscard]] clock_time next_look() const;
  /// What others ran meanwhile, which says nothing of this core.
  void leave_out(clock_time::duration given_away) { window_began_ += given_away; }

 private:
  clock_time window_began_{};
  clock_time::duration sliced_{};  // of the window
  bool heavy_ = false;
};

/// One core's thread, which calls everything. While slices keep it busy they do so with all cores,
/// and are work that can wait: then it stays on a processor of its own, and often lets others have
/// that.
class processor_use {
 public:
  explicit processor_use(const processor_place& where);
  /// `has_ready_work`: the next turn has something to run.
  void end_turn(clock_time began, bool ran_slice, bool has_ready_work);
  /// How long a core without work may sleep: not as one that slices keep busy.
  [[nodiscard]] clock_time next_look() const { return load_.next_look(); }

 private:
  const processor_place& where_;
  slice_load load_;
  std::uint64_t usual_run_ns_ = 0;  // to go back to; 0 while runs are not short
  clock_time gave_way_{};
};

}  // namespace vexfs::io
