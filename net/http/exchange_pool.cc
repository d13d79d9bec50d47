// SPDX-License-Identifier: Apache-2.0
#include "net/http/exchange_pool.h"

#include <utility>

#include "core/base/limits.h"
#include "net/http/buffers.h"

namespace vexfs::http {
namespace {

std::size_t bytes_of(const exchange& kept) {
  return kept.memory.kept_bytes() + kept.answer.body.capacity() + kept.unpacked.capacity() +
         kept.packed.capacity();
}

}  // namespace

exchange_pool::~exchange_pool() {
  while (oldest_)
    drop_oldest();
}

exchange& exchange_pool::take() {
  if (!newest_) return *new exchange;
  exchange& taken = *std::exchange(newest_, newest_->next);
  (newest_ ? newest_->previous : oldest_) = nullptr;
  --count_;
  kept_bytes_ -= bytes_of(taken);
  return taken;
}

void exchange_pool::give(exchange& used) {
  used.memory.reset();
  used.answer.reset();
  shrink(used.answer.body, connection_buffer_kept_bytes_max);
  shrink(used.unpacked, connection_buffer_kept_bytes_max);
  shrink(used.packed, connection_buffer_kept_bytes_max);
  used.ready = false;
  used.matched = nullptr;
  used.owner = nullptr;
  used.user = nullptr;
  used.previous = nullptr;
  used.next = newest_;
  (newest_ ? newest_->previous : oldest_) = &used;
  newest_ = &used;
  ++count_;
  kept_bytes_ += bytes_of(used);
  while (count_ > exchanges_kept_max || kept_bytes_ > exchanges_kept_bytes_max)
    drop_oldest();
}

void exchange_pool::drop_oldest() {
  exchange* gone = std::exchange(oldest_, oldest_->previous);
  (oldest_ ? oldest_->next : newest_) = nullptr;
  --count_;
  kept_bytes_ -= bytes_of(*gone);
  delete gone;
}

}  // namespace vexfs::http
