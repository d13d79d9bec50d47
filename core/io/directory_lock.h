// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/result.h"

namespace vexfs::io {

/// Keeps a second process out of a storage directory: an exclusive flock on a file in it, held
/// until this object goes or the process ends, however it ends. The file itself stays and holds the
/// number of the process that took the lock last. Local disks only: network file systems may not
/// keep it.
class [[nodiscard]] directory_lock {
 public:
  /// `directory` is created where it is missing. errc::locked names the process that is there.
  [[nodiscard]] static result<directory_lock> acquire(const std::string& directory);

  directory_lock(directory_lock&& other) noexcept;
  directory_lock& operator=(directory_lock&&) = delete;
  ~directory_lock();

  static constexpr const char* file_name = ".lock";

 private:
  explicit directory_lock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace vexfs::io
