// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vexfs {

/// CRC-32C (Castagnoli polynomial, reflected, as in RFC 3720 appendix B.4). With the CPU's own
/// instruction where it has one.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace vexfs
