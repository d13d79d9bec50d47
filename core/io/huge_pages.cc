// SPDX-License-Identifier: Apache-2.0
#include "core/io/huge_pages.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <span>
#include <thread>

#include <pthread.h>
#include <sys/mman.h>

#include "core/io/loop.h"
#include "core/io/processor_use.h"
#include "core/io/wanted_pages.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VEXFS_UNSANITIZED __attribute__((no_sanitize("address", "thread")))
#else
#define VEXFS_UNSANITIZED
#endif

namespace vexfs::io {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t huge_bytes = std::size_t{2} << 20;
// Made before it is touched: of what is taken the beginning, which for 4,096 rows of 512 floats is
// all; and of what will be taken next as much as a chunk of 128 dimensions has with its codes and
// links.
constexpr std::size_t made_bytes_max = 4 * huge_bytes;
constexpr std::size_t ahead_bytes = 2 * huge_bytes;
constexpr std::size_t region_bytes_min = std::size_t{256} << 20;  // addresses, not memory

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

  /// Bytes of the range that begins at an address; 0 where none does.
  [[nodiscard]] std::size_t bytes_at(std::uintptr_t at) const {
    const auto found = ranges_.find(at);
    return found == ranges_.end() ? 0 : found->second;
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

struct taken_memory {
  std::byte* memory = nullptr;
  std::size_t behind_bytes = 0;  // that are free, and will be taken next
};

/// May throw std::bad_alloc.
taken_memory take(std::size_t bytes) {
  pool& from = all();
  const std::scoped_lock lock(from.guard);
  void* memory = from.unused.take(bytes);
  if (!memory && from.grow(bytes)) memory = from.unused.take(bytes);
  if (!memory) return {};
  ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
  return {static_cast<std::byte*>(memory),
          from.unused.bytes_at(reinterpret_cast<std::uintptr_t>(memory) + bytes)};
}

/// Touches memory before others do, in a thread of its own. MADV_POPULATE_WRITE would keep the
/// whole address space locked meanwhile, and hold up every core whose heap grows.
class page_maker {
 public:
  /// What finds no place is made when it is touched.
  void ask(std::byte* memory, std::size_t bytes) {
    {
      const std::scoped_lock lock(guard_);
      if (!wanted_.put({memory, bytes})) return;
      if (state_ == thread_state::none) start();
    }
    waiting_.notify_one();
  }

  /// Before the system has the memory again, or it would be made once more for nobody. The one page
  /// that is being touched still may be.
  void forget(const std::byte* memory, std::size_t bytes) {
    const std::scoped_lock lock(guard_);
    wanted_.cut({memory, bytes});
  }

 private:
  enum class thread_state : std::uint8_t { none, runs, refused };

  void start() {
    try {
      std::thread([this] { run(); }).detach();
      state_ = thread_state::runs;
    } catch (const std::exception&) {  // no thread to be had, or no memory to begin one
      state_ = thread_state::refused;
    }
  }

  [[noreturn]] void run() {
    ::pthread_setname_np(::pthread_self(), "pages");
    begin_beside_cores();
    for (;;) {
      std::span<std::byte> next;
      {
        std::unique_lock lock(guard_);
        waiting_.wait(lock, [this] { return !wanted_.empty(); });
        next = wanted_.take(huge_bytes);
      }
      for (std::size_t at = 0; at < next.size(); at += page_bytes)
        touch(next[at]);
    }
  }

  // Its owner may write to the byte at the same time, or have given it back: it stays what it is.
  VEXFS_UNSANITIZED static void touch(std::byte& byte) {
    unsigned char zero = 0;
    __atomic_compare_exchange_n(reinterpret_cast<unsigned char*>(&byte), &zero, 0, false,
                                __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  }

  std::mutex guard_;
  std::condition_variable waiting_;
  wanted_pages wanted_;
  thread_state state_ = thread_state::none;
};

/// Never destroyed: its thread never ends. nullptr where there was no memory for it.
page_maker* maker() noexcept {
  static page_maker* const one = new (std::nothrow) page_maker;
  return one;
}

/// On a core only: elsewhere nobody is waited for.
void make_ahead(std::byte* memory, std::size_t bytes) noexcept {
  const loop* const here = loop::current_or_null();
  if (!here || !here->has_transport()) return;
  if (page_maker* const one = maker()) one->ask(memory, bytes);
}

}  // namespace

void* take_huge(std::size_t bytes) noexcept try {
  bytes = round_up(bytes, page_bytes);
  const taken_memory taken = take(bytes);
  if (!taken.memory) return nullptr;
  make_ahead(taken.memory, std::min(bytes, made_bytes_max));
  make_ahead(taken.memory + bytes, std::min(taken.behind_bytes, ahead_bytes));
  return taken.memory;
} catch (const std::bad_alloc&) {
  return nullptr;
}

bool give_back_huge(void* memory, std::size_t bytes) noexcept {
  bytes = round_up(bytes, page_bytes);
  pool& to = all();
  const std::scoped_lock lock(to.guard);
  if (!to.holds(memory)) return false;
  if (page_maker* const one = maker()) one->forget(static_cast<std::byte*>(memory), bytes);
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
