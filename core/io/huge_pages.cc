// SPDX-License-Identifier: Apache-2.0
#include "core/io/huge_pages.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <new>

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#endif

namespace vexfs::io {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t huge_bytes = std::size_t{2} << 20;
constexpr std::size_t region_bytes_min = std::size_t{64} << 20;  // addresses, not memory

constexpr std::size_t round_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

/// Address space that is free, in ranges that do not touch: first fit from the lowest address.
class free_ranges {
 public:
  /// nullptr where no range is long enough. May throw std::bad_alloc.
  void* take(std::size_t bytes) {
    const auto found =
        std::ranges::find_if(ranges_, [&](const auto& range) { return range.second >= bytes; });
    if (found == ranges_.end()) return nullptr;
    const auto [at, length] = *found;
    if (length > bytes) ranges_.emplace_hint(found, at + bytes, length - bytes);
    ranges_.erase(found);
    return reinterpret_cast<void*>(at);
  }

  /// May throw std::bad_alloc; then nothing has changed.
  void add(void* memory, std::size_t bytes) {
    const auto at = reinterpret_cast<std::uintptr_t>(memory);
    auto place = ranges_.emplace(at, bytes).first;
    if (const auto next = std::next(place);
        next != ranges_.end() && place->first + place->second == next->first) {
      place->second += next->second;
      ranges_.erase(next);
    }
    if (place == ranges_.begin()) return;
    const auto before = std::prev(place);
    if (before->first + before->second != place->first) return;
    before->second += place->second;
    ranges_.erase(place);
  }

 private:
  std::map<std::uintptr_t, std::size_t> ranges_;
};

struct pool {
  std::mutex guard;
  free_ranges unused;
  std::map<std::uintptr_t, std::size_t> regions;  // all, by address

  [[nodiscard]] bool holds(const void* memory) const {
    const auto at = reinterpret_cast<std::uintptr_t>(memory);
    const auto behind = regions.upper_bound(at);
    if (behind == regions.begin()) return false;
    const auto& [first, bytes] = *std::prev(behind);
    return at - first < bytes;
  }
  bool grow(std::size_t bytes);
};

/// Never destroyed: chunks may be given back by what is destroyed last.
pool& all() {
  static pool& one = *new pool;
  return one;
}

/// One more region. False where there are no addresses. May throw std::bad_alloc.
bool pool::grow(std::size_t bytes) {
  const std::size_t region = round_up(std::max(bytes, region_bytes_min), huge_bytes);
  // One huge page more, so that the region can begin with one.
  void* const mapped = ::mmap(nullptr, region + huge_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return false;
  const auto first = reinterpret_cast<std::uintptr_t>(mapped);
  const std::uintptr_t begin = round_up(first, huge_bytes);
  if (begin > first) ::munmap(mapped, begin - first);
  const std::size_t behind = first + huge_bytes - begin;
  if (behind > 0) ::munmap(reinterpret_cast<void*>(begin + region), behind);
  auto* const memory = reinterpret_cast<void*>(begin);
  // Refused where the kernel has no huge pages: then they are ordinary ones.
  (void)::madvise(memory, region, MADV_HUGEPAGE);
  ASAN_POISON_MEMORY_REGION(memory, region);
  regions.emplace(begin, region);
  unused.add(memory, region);
  return true;
}

}  // namespace

void* take_huge(std::size_t bytes) noexcept try {
  bytes = round_up(bytes, page_bytes);
  pool& from = all();
  const std::scoped_lock lock(from.guard);
  void* memory = from.unused.take(bytes);
  if (!memory && from.grow(bytes)) memory = from.unused.take(bytes);
  if (memory) ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
  return memory;
} catch (const std::bad_alloc&) {
  return nullptr;
}

bool give_back_huge(void* memory, std::size_t bytes) noexcept {
  bytes = round_up(bytes, page_bytes);
  pool& to = all();
  const std::scoped_lock lock(to.guard);
  if (!to.holds(memory)) return false;
  // Reads as zeros from now on. Locked memory is not taken back by the system.
  if (::madvise(memory, bytes, MADV_DONTNEED) != 0) std::memset(memory, 0, bytes);
  ASAN_POISON_MEMORY_REGION(memory, bytes);
  try {
    to.unused.add(memory, bytes);
  } catch (const std::bad_alloc&) {
    // Its addresses are lost; the memory is not.
  }
  return true;
}

void* take_untouched(std::size_t bytes) noexcept {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void give_back_untouched(void* memory, std::size_t bytes) noexcept {
  if (memory) ::munmap(memory, bytes);
}

}  // namespace vexfs::io
