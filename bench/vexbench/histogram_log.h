// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "bench/vexbench/histogram.h"

namespace vexfs::bench {

/// A file in HdrHistogram's interval log format, version 1.3: one line for every second and kind of
/// operation, tagged with the kind, that its plotters and mergers read.
class histogram_log {
 public:
  /// `start_seconds`: wall clock of the run's start, since 1970.
  explicit histogram_log(double start_seconds);
  /// `begin_seconds` counts from the start. Commas and spaces in the tag become underscores.
  void add(std::string_view tag, double begin_seconds, double length_seconds, const histogram& of);
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace vexfs::bench
