// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace vexfs {

/// Working memory of one thread, for the length of one command of the engine. It grows to the
/// largest that the thread has asked for and is kept: fresh memory would cost a page fault every
/// four kilobytes, which is more than the search that it is for.
class thread_scratch {
 public:
  /// Uninitialised and aligned to 64 bytes, until the next call on this thread; nullptr where
  /// memory is short.
  [[nodiscard]] static void* take(std::size_t bytes) {
    thread_local thread_scratch mine;
    if (bytes > mine.bytes_) {
      mine.memory_.reset();
      mine.bytes_ = 0;
      mine.memory_.reset(
          static_cast<std::byte*>(::operator new(bytes, std::align_val_t{64}, std::nothrow)));
      if (!mine.memory_) return nullptr;
      mine.bytes_ = bytes;
    }
    return mine.memory_.get();
  }

 private:
  struct release {
    void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{64}); }
  };
  std::unique_ptr<std::byte, release> memory_;
  std::size_t bytes_ = 0;
};

}  // namespace vexfs
