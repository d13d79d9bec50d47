// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace vexfs::http {

/// Empties a buffer for its next use; gives its memory back where that is more than may be kept.
inline void shrink(std::string& buffer, std::size_t kept_bytes_max) {
  if (buffer.capacity() > kept_bytes_max)
    std::string().swap(buffer);
  else
    buffer.clear();
}

}  // namespace vexfs::http
