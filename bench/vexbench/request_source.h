// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vexfs::bench {

/// Requests encoded before the measurement begins, head and body, in memory that does not move.
class request_set {
 public:
  struct entry {
    std::string_view bytes;
    std::uint32_t unit_count;  // points or queries in it
  };

  /// `request` is copied.
  void add(std::string_view request, std::uint32_t unit_count) {
    constexpr std::size_t chunk_bytes = 16 << 20;
    if (chunks_.empty() || chunks_.back().capacity() - chunks_.back().size() < request.size()) {
      chunks_.emplace_back();
      chunks_.back().reserve(request.size() > chunk_bytes ? request.size() : chunk_bytes);
    }
    std::string& chunk = chunks_.back();
    const char* begin = chunk.data() + chunk.size();
    chunk.append(request);
    entries_.push_back({{begin, request.size()}, unit_count});
    bytes_ += request.size();
  }

  [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(entries_.size()); }
  [[nodiscard]] const entry& at(std::uint32_t index) const { return entries_[index]; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::vector<std::string> chunks_;
  std::vector<entry> entries_;
  std::uint64_t bytes_ = 0;
};

/// One request to be sent. The bytes stay where they are until it is answered.
struct planned_request {
  std::string_view bytes;
  std::uint32_t unit_count = 0;
  std::uint32_t tag = 0;  // the source's own name for it
  // A source of several kinds of request belongs to the first of their operations: how many places
  // behind it this one's is.
  std::uint32_t kind_offset = 0;
};

/// Where a stream's requests come from. All calls from any worker.
class request_source {
 public:
  virtual ~request_source() = default;
  enum class next_is : std::uint8_t {
    ready,  // `request` is to be sent
    later,  // nothing until an answer has come: ask again then
    never,  // this was all
  };
  [[nodiscard]] virtual next_is next(planned_request& request) = 0;
  virtual void answered(std::uint32_t tag, bool success) {
    (void)tag;
    (void)success;
  }
};

/// A set from its beginning to its end; again and again, or once. The tag is the index in the set.
class set_source : public request_source {
 public:
  enum class repeat : std::uint8_t { forever, once };
  set_source(const request_set& set, repeat how) : set_(set), how_(how) {}

  next_is next(planned_request& request) override {
    const std::uint64_t drawn = cursor_.fetch_add(1, std::memory_order_relaxed);
    if (set_.count() == 0 || (how_ == repeat::once && drawn >= set_.count())) return next_is::never;
    request.tag = static_cast<std::uint32_t>(drawn % set_.count());
    const request_set::entry& chosen = set_.at(request.tag);
    request.bytes = chosen.bytes;
    request.unit_count = chosen.unit_count;
    return next_is::ready;
  }

 private:
  const request_set& set_;
  const repeat how_;
  alignas(64) std::atomic<std::uint64_t> cursor_{0};
};

}  // namespace vexfs::bench
