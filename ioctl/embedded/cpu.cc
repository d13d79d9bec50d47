// SPDX-License-Identifier: Apache-2.0
#include "ioctl/embedded/cpu.h"

#include <cstdlib>

#include <cpuid.h>

namespace vexfs {
namespace {

std::uint64_t read_xcr0() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

}  // namespace

simd_level detect_simd_level() {
  std::uint32_t eax = 0;
  std::uint32_t ebx = 0;
  std::uint32_t ecx = 0;
  std::uint32_t edx = 0;
  constexpr std::uint32_t osxsave = 1U << 27;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & osxsave)) return simd_level::scalar;
  constexpr std::uint64_t ymm_state = 0x06;
  constexpr std::uint64_t zmm_state = 0xe6;
  const std::uint64_t saved = read_xcr0();
  if ((saved & ymm_state) != ymm_state) return simd_level::scalar;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return simd_level::scalar;
  constexpr std::uint32_t avx2 = 1U << 5;
  constexpr std::uint32_t avx512f = 1U << 16;
  constexpr std::uint32_t avx512dq = 1U << 17;
  constexpr std::uint32_t avx512bw = 1U << 30;
  constexpr std::uint32_t avx512vl = 1U << 31;
  constexpr std::uint32_t avx512vnni = 1U << 11;    // in ecx
  constexpr std::uint32_t avx512bitalg = 1U << 12;  // in ecx
  if (!(ebx & avx2)) return simd_level::scalar;
  constexpr std::uint32_t all_ebx = avx512f | avx512dq | avx512bw | avx512vl;
  constexpr std::uint32_t all_ecx = avx512vnni | avx512bitalg;
  const bool has_512 = (ebx & all_ebx) == all_ebx && (ecx & all_ecx) == all_ecx;
  return has_512 && (saved & zmm_state) == zmm_state ? simd_level::avx512 : simd_level::avx2;
}

simd_level chosen_simd_level() {
  const simd_level detected = detect_simd_level();
  const char* wanted = std::getenv("VEXFS_SIMD");
  if (!wanted) return detected;
  for (const simd_level level : {simd_level::scalar, simd_level::avx2, simd_level::avx512})
    if (name_of(level) == wanted && level <= detected) return level;
  return detected;
}

std::string_view name_of(simd_level level) {
  switch (level) {
    case simd_level::scalar:
      return "scalar";
    case simd_level::avx2:
      return "avx2";
    case simd_level::avx512:
      return "avx512";
  }
  return "";
}

}  // namespace vexfs
