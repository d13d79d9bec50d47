// SPDX-License-Identifier: Apache-2.0
#include "core/io/slices.h"

namespace vexfs::io {

bool slice_board::publish(slice_job& job) {
  for (std::uint32_t index = 0; index < slice_jobs_max; ++index) {
    slice_job* empty = nullptr;
    if (places_[index].job.load(std::memory_order_relaxed) != nullptr) continue;
    job.place = index;
    if (places_[index].job.compare_exchange_strong(empty, &job, std::memory_order_seq_cst))
      return true;
  }
  return false;
}

bool slice_board::withdraw(slice_job& job) {
  place& held = places_[job.place];
  // Both sides are sequentially consistent: a looker counts itself in and then reads the pointer, so
  // either it finds the place empty (or another's job) or the count below shows it.
  slice_job* expected = &job;
  held.job.compare_exchange_strong(expected, nullptr, std::memory_order_seq_cst);
  return held.lookers.load(std::memory_order_seq_cst) == 0;
}

bool slice_board::run_one(std::uint32_t core) {
  for (std::uint32_t step = 0; step < slice_jobs_max; ++step) {
    cursor_[core] = (cursor_[core] + 1) % slice_jobs_max;
    place& candidate = places_[cursor_[core]];
    if (candidate.job.load(std::memory_order_relaxed) == nullptr) continue;
    candidate.lookers.fetch_add(1, std::memory_order_seq_cst);
    slice_job* job = candidate.job.load(std::memory_order_seq_cst);
    bool ran = false;
    if (job && job->next.load(std::memory_order_relaxed) < job->count) {
      const std::uint32_t index = job->next.fetch_add(1, std::memory_order_relaxed);
      if (index < job->count) {
        job->run(*job, index);
        ran = true;
        if (job->unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1)
          loop::current().post(job->home, job->finished);
      }
    }
    candidate.lookers.fetch_sub(1, std::memory_order_seq_cst);
    if (ran) return true;
  }
  return false;
}

bool slice_board::has_work() const {
  for (const place& candidate : places_) {
    // Called by cores that are about to sleep: touching the job itself would need the looker count.
    if (candidate.job.load(std::memory_order_seq_cst) != nullptr) return true;
  }
  return false;
}

}  // namespace vexfs::io
