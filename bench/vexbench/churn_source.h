// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "bench/vexbench/request_source.h"

namespace vexfs::bench {

/// Blocks of points that are deleted and, once that was acknowledged, put back, for ever. The first
/// kind of its requests is the delete, the second the upsert; the tag is the block.
class churn_source final : public request_source {
 public:
  /// Both sets have one request a block. `order` is the order in which blocks take their turn.
  churn_source(const request_set& deletes, const request_set& inserts,
               const std::vector<std::uint32_t>& order)
      : deletes_(deletes),
        inserts_(inserts),
        idle_(order.begin(), order.end()),
        states_(deletes.count(), state::there) {}

  next_is next(planned_request& request) override {
    const std::lock_guard lock(lock_);
    // What is missing comes back first, so that few points are missing at a time.
    std::deque<std::uint32_t>& from = missing_.empty() ? idle_ : missing_;
    if (from.empty()) return next_is::later;
    request.tag = from.front();
    from.pop_front();
    const bool is_delete = states_[request.tag] == state::there;
    states_[request.tag] = is_delete ? state::leaving : state::returning;
    const request_set::entry& chosen = (is_delete ? deletes_ : inserts_).at(request.tag);
    request.bytes = chosen.bytes;
    request.unit_count = chosen.unit_count;
    request.kind_offset = is_delete ? 0 : 1;
    return next_is::ready;
  }

  void answered(std::uint32_t tag, bool success) override {
    const std::lock_guard lock(lock_);
    // A delete that failed may have acted all the same: putting back is right in both cases.
    const bool is_back = states_[tag] == state::returning && success;
    states_[tag] = is_back ? state::there : state::missing;
    (is_back ? idle_ : missing_).push_back(tag);
  }

  /// The blocks that are not certainly there now.
  [[nodiscard]] std::vector<std::uint32_t> incomplete() const {
    const std::lock_guard lock(lock_);
    std::vector<std::uint32_t> blocks;
    for (std::uint32_t block = 0; block < states_.size(); ++block)
      if (states_[block] != state::there) blocks.push_back(block);
    return blocks;
  }

 private:
  enum class state : std::uint8_t { there, leaving, missing, returning };
  const request_set& deletes_;
  const request_set& inserts_;
  mutable std::mutex lock_;
  std::deque<std::uint32_t> idle_;
  std::deque<std::uint32_t> missing_;
  std::vector<state> states_;
};

}  // namespace vexfs::bench
