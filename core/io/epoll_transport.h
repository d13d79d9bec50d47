// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "core/base/result.h"
#include "core/io/transport.h"

namespace vexfs::io {

/// Where io_uring is refused: readiness by Boost.Asio over epoll, the system calls made in the
/// turn; syncs of files on a thread beside the core's.
[[nodiscard]] result<std::unique_ptr<transport>> open_epoll_transport();

}  // namespace vexfs::io
