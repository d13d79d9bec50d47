// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace vexfs {

enum class simd_level : std::uint8_t { scalar, avx2, avx512 };

/// The best level that this CPU has and the operating system saves (CPUID and XCR0).
[[nodiscard]] simd_level detect_simd_level();

/// The detected level, or a lower one named by the environment variable VEXFS_SIMD
/// (scalar, avx2, avx512). A level that the machine does not have is not taken.
[[nodiscard]] simd_level chosen_simd_level();

[[nodiscard]] std::string_view name_of(simd_level level);

}  // namespace vexfs
