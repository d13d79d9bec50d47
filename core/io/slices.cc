// SPDX-License-Identifier: Apache-2.0
#include "core/io/slices.h"

#include <bit>

namespace vexfs::io {

bool slice_board::publish(slice_job& job) {
  VEXFS_DASSERT(job.count > 0);
  std::uint64_t taken = taken_.load(std::memory_order_relaxed);
  std::uint64_t bit = 0;
  do {
    if (~taken == 0) return false;
    bit = std::uint64_t{1} << std::countr_one(taken);
  } while (!taken_.compare_exchange_weak(taken, taken | bit, std::memory_order_seq_cst));
  // The bit before the job: who takes the last slice clears it, and that needs the job.
  // Sequentially consistent like has_work(): a core that goes to sleep sees the bit, or the waker
  // sees it sleep.
  open_.fetch_or(bit, std::memory_order_seq_cst);
  places_[static_cast<std::size_t>(std::countr_zero(bit))].store(&job, std::memory_order_seq_cst);
  return true;
}

bool slice_board::may_go(const slice_job& job) const {
  // Sequentially consistent like the announcements: the job left its place before it was finished,
  // so a core that announces it after this look finds the place empty or with another job.
  for (std::uint32_t core = 0; core < core_count_; ++core)
    if (cores_[core].looking_at.load(std::memory_order_seq_cst) == &job) return false;
  return true;
}

bool slice_board::run_one(std::uint32_t core) {
  const std::uint64_t open = open_.load(std::memory_order_acquire);
  if (open == 0) return false;
  // Behind the place served last, so that jobs take turns.
  const std::uint32_t first = (cores_[core].last_place + 1) % slice_jobs_max;
  for (std::uint64_t left = std::rotr(open, static_cast<int>(first)); left != 0; left &= left - 1) {
    const auto step = static_cast<std::uint32_t>(std::countr_zero(left));
    const std::uint32_t place = (first + step) % slice_jobs_max;
    if (!run_slice_at(core, place)) continue;
    cores_[core].last_place = place;
    return true;
  }
  return false;
}

bool slice_board::run_slice_at(std::uint32_t core, std::uint32_t place) {
  slice_job* job = places_[place].load(std::memory_order_relaxed);
  if (!job) return false;
  std::atomic<const slice_job*>& looking_at = cores_[core].looking_at;
  looking_at.store(job, std::memory_order_seq_cst);
  if (places_[place].load(std::memory_order_seq_cst) != job) {
    looking_at.store(nullptr, std::memory_order_release);
    return false;
  }
  const std::uint32_t index = job->next.fetch_add(1, std::memory_order_relaxed);
  const std::uint32_t count = job->count;
  looking_at.store(nullptr, std::memory_order_release);
  // From here on the slice taken keeps the job alive; without one it must not be touched.
  if (index >= count) return false;
  if (index + 1 == count) {
    const std::uint64_t others = ~(std::uint64_t{1} << place);
    open_.fetch_and(others, std::memory_order_seq_cst);
    places_[place].store(nullptr, std::memory_order_seq_cst);
    taken_.fetch_and(others, std::memory_order_seq_cst);
  }
  job->run(*job, index);
  if (job->unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1)
    loop::current().post(job->home, job->finished);
  return true;
}

}  // namespace vexfs::io
