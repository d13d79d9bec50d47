// SPDX-License-Identifier: Apache-2.0
#include "core/io/simulated_cores.h"

#include <algorithm>
#include <vector>

#include "core/base/assert.h"

namespace vexfs::io {
namespace {

constexpr std::uint64_t turn_us_max = 50;

}  // namespace

simulated_cores::simulated_cores(std::uint32_t core_count, std::uint64_t seed)
    : random_(seed), now_(std::chrono::hours(1)), group_(new loop_group(core_count)) {
  VEXFS_ASSERT(loop::current_or_null() == nullptr);
  group_->simulated_ = true;
  for (const auto& core : group_->loops_)
    core->now_ = now_;
}

simulated_cores::~simulated_cores() = default;

bool simulated_cores::step() {
  if (group_->stopping()) return false;
  std::vector<loop*> busy;
  clock_time next_due = clock_time::max();
  for (const auto& core : group_->loops_) {
    const clock_time due = core->timers_.next_due().value_or(clock_time::max());
    if (core->has_work() || core->has_news() || due <= now_)
      busy.push_back(core.get());
    else
      next_due = std::min(next_due, due);
  }
  if (busy.empty()) {
    if (next_due == clock_time::max()) return false;
    now_ = next_due;
    return true;
  }
  // Sometimes a core that has nothing to do: real ones wake for nothing too.
  const bool any = random_() % 16 == 0;
  loop& next = any ? at(static_cast<std::uint32_t>(random_() % group_->core_count()))
                   : *busy[random_() % busy.size()];
  next.now_ = now_;
  next.make_current();
  next.serve();
  loop::leave_current();
  now_ += std::chrono::microseconds(random_() % (turn_us_max + 1));
  return true;
}

bool simulated_cores::run_until_idle(std::uint64_t turns_max) {
  for (std::uint64_t turn = 0; turn < turns_max; ++turn)
    if (!step()) return true;
  return false;
}

}  // namespace vexfs::io
