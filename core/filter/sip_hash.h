// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/model/point_id.h"

namespace vexfs {

/// SipHash-2-4 with an all-zero key over a point id: eight little-endian bytes of a number, the
/// sixteen bytes of a UUID. Decides the slice of a point, so its values are part of the contract.
[[nodiscard]] std::uint64_t sip_hash(const point_id& id);

}  // namespace vexfs
