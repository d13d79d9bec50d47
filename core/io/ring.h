// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/io/transport.h"

namespace vexfs::io {

/// A core's io_uring: one system call a turn submits everything and waits. Probes what the server
/// needs.
[[nodiscard]] result<std::unique_ptr<transport>> open_ring();

}  // namespace vexfs::io
