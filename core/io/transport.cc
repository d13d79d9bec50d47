// SPDX-License-Identifier: Apache-2.0
#include "core/io/transport.h"

#include "core/io/epoll_transport.h"
#include "core/io/ring.h"

namespace vexfs::io {

// Pages of the pool exist from the first byte that is received into them on.
transport::transport()
    : pool_(std::make_unique_for_overwrite<std::byte[]>(std::size_t{receive_buffer_count} *
                                                        receive_buffer_bytes)) {
  ended_.reserve(ring_cq_entries);
}

bool transport::run_completions() {
  if (ended_.empty()) return false;
  // By value: a handler whose operation ends at once, or that finds a submission queue full, adds
  // to the list, and it may move.
  for (std::size_t index = 0; index < ended_.size(); ++index) {
    const ended entry = ended_[index];
    entry.operation->done(*entry.operation, entry.result, entry.buffer, entry.more);
  }
  ended_.clear();
  return true;
}

std::string_view name_of(transport_kind kind) {
  return kind == transport_kind::uring ? "uring" : "epoll";
}

result<std::unique_ptr<transport>> open_transport(transport_kind kind) {
  return kind == transport_kind::uring ? open_ring() : open_epoll_transport();
}

}  // namespace vexfs::io
