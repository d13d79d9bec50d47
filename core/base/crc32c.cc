// SPDX-License-Identifier: Apache-2.0
#include "core/base/crc32c.h"

#include <array>
#include <cstring>

namespace vexfs {
namespace {

constexpr std::uint32_t polynomial = 0x82f6'3b78;  // reflected

constexpr auto table = [] {
  std::array<std::uint32_t, 256> entries{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit)
      value = (value >> 1) ^ ((value & 1U) ? polynomial : 0U);
    entries[byte] = value;
  }
  return entries;
}();

std::uint32_t by_table(std::uint32_t crc, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes)
    crc = (crc >> 8) ^ table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xffU];
  return crc;
}

[[gnu::target("sse4.2")]] std::uint32_t by_instruction(std::uint32_t crc,
                                                       std::span<const std::byte> bytes) {
  std::uint64_t wide = crc;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, sizeof(word));
    wide = __builtin_ia32_crc32di(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; i < bytes.size(); ++i)
    narrow = __builtin_ia32_crc32qi(narrow, std::to_integer<std::uint8_t>(bytes[i]));
  return narrow;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  return ~(has_instruction ? by_instruction(~0U, bytes) : by_table(~0U, bytes));
}

}  // namespace vexfs
