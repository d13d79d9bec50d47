// SPDX-License-Identifier: Apache-2.0
// Every bound of the server in one place, with the relations between them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vexfs {

// Memory of one request.
inline constexpr std::size_t arena_block_bytes_min = 16 * 1024;
inline constexpr std::size_t arena_block_bytes_max = 4 * 1024 * 1024;
inline constexpr std::size_t arena_kept_bytes_max = 1024 * 1024;

// The contract's own limits.
inline constexpr std::uint32_t vector_dim_max = 65'536;
inline constexpr std::size_t collection_name_chars_max = 255;
inline constexpr std::size_t vector_name_bytes_max = 200;
inline constexpr std::uint32_t prefetch_depth_max = 64;
inline constexpr std::size_t multivector_floats_max = 1'048'576;

// Nesting of JSON documents that are accepted from clients.
inline constexpr std::uint32_t json_depth_max = 128;

// Cores, and the queues between each pair of them.
inline constexpr std::uint32_t core_count_max = 256;
inline constexpr std::uint32_t mailbox_capacity = 256;

// A slot is 32 bits wide; the last value means "none".
inline constexpr std::uint32_t slot_count_max = 0xffff'fffe;

static_assert(arena_block_bytes_min <= arena_kept_bytes_max);
static_assert((mailbox_capacity & (mailbox_capacity - 1)) == 0, "ring indices are masked");

}  // namespace vexfs
