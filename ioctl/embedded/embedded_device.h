// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/device.h"
#include "ioctl/embedded/cpu.h"

namespace vexfs {

/// The engine in this process: a command is a function call on the calling core. It has no bound
/// for Manhattan's distance, whose exact scans answer "overflowed": core ranks by itself.
[[nodiscard]] std::unique_ptr<device> make_embedded_device(simd_level level = chosen_simd_level());

}  // namespace vexfs
