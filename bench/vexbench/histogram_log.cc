// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/histogram_log.h"

#include <fmt/format.h>

namespace vexfs::bench {

histogram_log::histogram_log(double start_seconds)
    : text_(fmt::format("#[Histogram log format version 1.3]\n#[StartTime: {:.3f} (seconds since "
                        "epoch)]\n\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                        "\"Interval_Compressed_Histogram\"\n",
                        start_seconds)) {}

void histogram_log::add(std::string_view tag, double begin_seconds, double length_seconds,
                        const histogram& of) {
  std::string plain_tag(tag);
  for (char& letter : plain_tag)
    if (letter == ',' || letter == ' ') letter = '_';
  // The largest value is for readers who look at the lines: in milliseconds, as everywhere.
  text_ += fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", plain_tag, begin_seconds, length_seconds,
                       static_cast<double>(of.max()) / 1e6, of.encode());
}

}  // namespace vexfs::bench
