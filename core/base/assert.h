// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace vexfs {

/// Prints the failed condition with its place on stderr and aborts.
[[noreturn, gnu::cold, gnu::noinline]] void assert_failed(const char* condition, const char* file,
                                                          int line) noexcept;

}  // namespace vexfs

/// A programmer's error that must stop the process, in every build. Never for data that a client,
/// a disk or another machine controls: those are results.
#define VEXFS_ASSERT(condition)                      \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::vexfs::assert_failed(#condition, __FILE__, __LINE__))

/// The same inside hot files; compiled into debug and sanitizer builds only.
#ifdef VEXFS_DEBUG_ASSERTS
#define VEXFS_DASSERT(condition) VEXFS_ASSERT(condition)
#else
#define VEXFS_DASSERT(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#endif
