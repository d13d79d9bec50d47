// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vexfs {

/// Bump allocator behind one request. Everything a request decodes into lives here, is trivially
/// destructible, and goes away at once with reset(). The first blocks are kept across resets, so a
/// warm arena serves typical requests without touching the general heap.
/// One thread at a time; memory may be read by others while the owner keeps the arena alive.
class arena {
 public:
  arena() = default;
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  /// Uninitialised memory, never null; aborts only when the process is out of memory.
  [[nodiscard]] void* allocate(std::size_t bytes, std::size_t alignment);

  template <class T>
  [[nodiscard]] std::span<T> array(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    T* first = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    std::uninitialized_value_construct_n(first, count);
    return {first, count};
  }

  template <class T, class... Args>
  [[nodiscard]] T* make(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>);
    return std::construct_at(static_cast<T*>(allocate(sizeof(T), alignof(T))),
                             std::forward<Args>(args)...);
  }

  template <class T>
  [[nodiscard]] std::span<T> copy(std::span<const T> source) {
    static_assert(std::is_trivially_copyable_v<T>);
    T* first = static_cast<T*>(allocate(source.size_bytes(), alignof(T)));
    if (!source.empty()) std::memcpy(static_cast<void*>(first), source.data(), source.size_bytes());
    return {first, source.size()};
  }

  [[nodiscard]] std::string_view copy(std::string_view source) {
    auto bytes = copy(std::span<const char>(source));
    return {bytes.data(), bytes.size()};
  }

  /// Forgets everything allocated; keeps up to `arena_kept_bytes_max` of blocks for the next use.
  void reset() noexcept;

  /// Bytes handed out since the last reset, padding included.
  [[nodiscard]] std::size_t used_bytes() const noexcept { return used_bytes_; }
  /// Bytes of all blocks.
  [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_; }

 private:
  struct block {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size;
  };
  void grow(std::size_t bytes);

  std::vector<block> blocks_;
  std::size_t block_index_ = 0;  // blocks_[block_index_] is being filled
  std::size_t offset_ = 0;       // into that block
  std::size_t used_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
};

}  // namespace vexfs
