// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/recorder.h"

#include <algorithm>
#include <iterator>

namespace vexfs::bench {

void tally::add(tally&& other) {
  answered += other.answered;
  units += other.units;
  error_statuses += other.error_statuses;
  lost += other.lost;
  unanswered += other.unanswered;
  unsent += other.unsent;
  answer_bytes += other.answer_bytes;
  first_ns = std::min(first_ns, other.first_ns);
  last_ns = std::max(last_ns, other.last_ns);
  if (first_error.empty()) first_error = std::move(other.first_error);
  latency.add(other.latency);
  std::ranges::move(other.seconds, std::back_inserter(seconds));
}

void recorder::put_away(std::uint32_t next_second) {
  for (cell& each : cells_) {
    if (each.second.total() == 0) continue;
    each.all.latency.add(each.second);
    each.all.seconds.emplace_back(current_, each.second.take());
  }
  current_ = next_second;
}

std::vector<tally> recorder::take() {
  put_away(current_ + 1);
  std::vector<tally> taken;
  for (cell& each : cells_)
    taken.push_back(std::move(each.all));
  cells_.clear();
  return taken;
}

}  // namespace vexfs::bench
