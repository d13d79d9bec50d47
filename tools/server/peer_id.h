// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/io/storage.h"

namespace vexfs {

/// The number that clients see as this node's; below 2^53, so that every JSON reader keeps it
/// whole.
inline constexpr std::uint64_t peer_id_max = (1ULL << 53) - 1;

/// Drawn at the first start and kept in the file `peer_id`. A file that holds no such number is an
/// error.
[[nodiscard]] result<std::uint64_t> load_peer_id(io::storage& disk);

}  // namespace vexfs
