// SPDX-License-Identifier: Apache-2.0
#include "core/io/directory_lock.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/io/system_failure.h"

namespace vexfs::io {
namespace {

// The digits of a lock file; empty where another program has written something else there.
std::string holder_of(int descriptor) {
  std::array<char, 16> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  std::string digits;
  for (ssize_t i = 0; i < count; ++i) {
    const char letter = text[static_cast<std::size_t>(i)];
    if (letter < '0' || letter > '9') break;
    digits += letter;
  }
  return digits;
}

}  // namespace

result<directory_lock> directory_lock::acquire(const std::string& directory) {
  std::error_code code;
  std::filesystem::create_directories(directory, code);
  if (code) return system_failure("create", directory, code.value());
  const std::string path = directory + "/" + file_name;
  directory_lock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.descriptor_ < 0) return system_failure("open", path, errno);

  while (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return system_failure("lock", path, errno);
    std::string holder = holder_of(lock.descriptor_);
    holder = holder.empty() ? "another process" : "process " + holder;
    return fail(errc::locked, "storage directory '" + directory + "' is in use by " + holder +
                                  " (lock file '" + path +
                                  "'): stop it, or choose another directory with "
                                  "QDRANT__STORAGE__STORAGE_PATH");
  }
  // Only information for the text above: a lock that cannot be signed is still a lock.
  const std::string number = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.descriptor_, 0) == 0) {
    [[maybe_unused]] const auto written =
        ::pwrite(lock.descriptor_, number.data(), number.size(), 0);
  }
  return lock;
}

directory_lock::directory_lock(directory_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

directory_lock::~directory_lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace vexfs::io
