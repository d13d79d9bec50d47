// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace vexfs::io {

/// Memory in huge pages where the system grants them (`madvise` or `always` in
/// /sys/kernel/mm/transparent_hugepage/enabled), for what is read at random and used whole: a page
/// that is touched anywhere is there, and zeroed, as a whole 2 MiB. Allocations follow one another,
/// so several share a page. Zeroed; aligned to 4 KiB; `bytes` is rounded up to that. nullptr where
/// there is no memory. On a core's loop the first pages, and those that will be taken next, are
/// made elsewhere, so that they are there when they are touched. Any thread; meant for chunks, not
/// for what is made and given back often.
[[nodiscard]] void* take_huge(std::size_t bytes) noexcept;
/// What take_huge(bytes) gave; false, and nothing done, where it comes from elsewhere. The system
/// has the memory again; its addresses are used again.
bool give_back_huge(void* memory, std::size_t bytes) noexcept;

/// Memory of its own pages, zeroed, that costs nothing until it is touched: for what few parts of
/// may ever be used. An allocator would give it from pages that others have touched before. nullptr
/// where there is none.
[[nodiscard]] void* take_untouched(std::size_t bytes) noexcept;
void give_back_untouched(void* memory, std::size_t bytes) noexcept;

}  // namespace vexfs::io
