// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/io/loop.h"
#include "core/io/storage.h"
#include "core/io/system_failure.h"

namespace vexfs::io {
namespace {

/// Awaits one fdatasync of the transport.
struct sync_operation : completion {
  int descriptor;
  int outcome = 0;
  std::coroutine_handle<> waiting;
  explicit sync_operation(int file) : descriptor(file) {
    done = [](completion& ended, int status, std::uint32_t, bool) {
      auto& self = static_cast<sync_operation&>(ended);
      self.outcome = status;
      self.waiting.resume();
    };
  }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    waiting = caller;
    loop::current().transport().sync_data(descriptor, *this);
  }
  int await_resume() const noexcept { return outcome; }
};

/// Awaits reads of the transport, so many at a time.
class read_operation {
 public:
  read_operation(int descriptor, std::span<const read_part> parts)
      : descriptor_(descriptor), parts_(parts) {}

  bool await_ready() const noexcept { return parts_.empty(); }
  void await_suspend(std::coroutine_handle<> caller) {
    waiting_ = caller;
    under_way_ = std::min<std::size_t>(parts_.size(), reads_.size());
    for (std::size_t i = 0; i < under_way_; ++i)
      begin(reads_[i]);
  }
  /// 0 or -errno; 1 where the file ended too early.
  int await_resume() const noexcept { return failure_; }

 private:
  struct part_read : completion {
    read_operation* owner = nullptr;
    read_part left;
  };

  void begin(part_read& read) {
    read.owner = this;
    read.left = parts_[next_++];
    read.done = [](completion& ended, int status, std::uint32_t, bool) {
      auto& self = static_cast<part_read&>(ended);
      self.owner->go_on(self, status);
    };
    loop::current().transport().read_file(descriptor_, read.left.offset, read.left.into, read);
  }

  void go_on(part_read& read, int status) {
    const bool again = status == -EINTR || status == -EAGAIN;
    if (status < 0 && !again)
      failure_ = status;
    else if (status == 0 && !read.left.into.empty())
      failure_ = 1;
    else if (status > 0)
      read.left = {read.left.offset + static_cast<std::uint64_t>(status),
                   read.left.into.subspan(static_cast<std::size_t>(status))};
    if (failure_ == 0 && !read.left.into.empty())
      loop::current().transport().read_file(descriptor_, read.left.offset, read.left.into, read);
    else if (failure_ == 0 && next_ < parts_.size())
      begin(read);
    else if (--under_way_ == 0)
      waiting_.resume();
  }

  const int descriptor_;
  const std::span<const read_part> parts_;
  std::array<part_read, file_reads_max> reads_;
  std::size_t next_ = 0;
  std::size_t under_way_ = 0;
  int failure_ = 0;
  std::coroutine_handle<> waiting_;
};

std::unexpected<error> ends_early(const std::string& path) {
  return fail(errc::service, "'" + path + "' is shorter than it was written");
}

class local_file final : public file {
 public:
  local_file(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~local_file() override { ::close(descriptor_); }

  result<std::uint64_t> size_bytes() override {
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0) return system_failure("stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  result<std::size_t> read(std::uint64_t offset, std::span<std::byte> buffer) override {
    std::size_t done = 0;
    while (done < buffer.size()) {
      const ssize_t count = ::pread(descriptor_, buffer.data() + done, buffer.size() - done,
                                    static_cast<off_t>(offset + done));
      if (count == 0) break;
      if (count < 0) {
        if (errno == EINTR) continue;
        return system_failure("read", path_, errno);
      }
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  task<result<void>> read_parts(std::span<const read_part> parts) override {
    loop* here = loop::current_or_null();
    if (!here || !here->has_transport()) {
      for (const read_part& part : parts) {
        const auto count = read(part.offset, part.into);
        if (!count) co_return std::unexpected(count.error());
        if (*count < part.into.size()) co_return ends_early(path_);
      }
      co_return result<void>{};
    }
    read_operation operation(descriptor_, parts);
    const int status = co_await operation;
    if (status > 0) co_return ends_early(path_);
    if (status < 0) co_return system_failure("read", path_, -status);
    co_return result<void>{};
  }

  result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count < 0) {
        if (errno == EINTR) continue;
        return system_failure("write", path_, errno);
      }
      // No file system of Linux does this; going on would not end.
      if (count == 0) return system_failure("write", path_, EIO);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  task<result<void>> sync() override {
    loop* here = loop::current_or_null();
    if (!here || !here->has_transport()) co_return sync_now();
    sync_operation operation(descriptor_);
    const int status = co_await operation;
    if (status < 0) co_return system_failure("sync", path_, -status);
    co_return result<void>{};
  }

  result<void> sync_now() override {
    if (::fdatasync(descriptor_) != 0) return system_failure("sync", path_, errno);
    return {};
  }

  result<void> truncate(std::uint64_t size_bytes) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size_bytes)) != 0)
      return system_failure("truncate", path_, errno);
    return {};
  }

  result<void> reserve(std::uint64_t size_bytes) override {
    int status = 0;
    do {
      status = ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size_bytes));
    } while (status != 0 && errno == EINTR);
    // Some file systems promise nothing: there a write says that the disk is full.
    if (status != 0 && errno != EOPNOTSUPP) return system_failure("reserve room in", path_, errno);
    return {};
  }

 private:
  const int descriptor_;
  const std::string path_;
};

class local_storage final : public storage {
 public:
  local_storage(int root, std::string path) : root_(root), path_(std::move(path)) {}
  ~local_storage() override { ::close(root_); }

  result<std::unique_ptr<file>> open(std::string_view path, open_mode mode) override {
    const std::string name(path);
    int flags = O_CLOEXEC;
    switch (mode) {
      case open_mode::read:
        flags |= O_RDONLY;
        break;
      case open_mode::read_write:
        flags |= O_RDWR;
        break;
      case open_mode::create:
        flags |= O_RDWR | O_CREAT | O_EXCL;
        break;
      case open_mode::create_or_open:
        flags |= O_RDWR | O_CREAT;
        break;
    }
    const int descriptor = ::openat(root_, name.c_str(), flags, 0644);
    if (descriptor < 0) return system_failure("open", path, errno);
    return std::make_unique<local_file>(descriptor, name);
  }

  result<bool> exists(std::string_view path) override {
    if (::faccessat(root_, std::string(path).c_str(), F_OK, 0) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return system_failure("access", path, errno);
  }

  result<std::vector<std::string>> list(std::string_view directory) override {
    std::vector<std::string> names;
    const int descriptor = open_directory(directory);
    if (descriptor < 0) {
      if (errno == ENOENT) return names;
      return system_failure("open", directory, errno);
    }
    DIR* stream = ::fdopendir(descriptor);
    if (!stream) {
      const int code = errno;
      ::close(descriptor);
      return system_failure("open", directory, code);
    }
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream);
      if (!entry) break;
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int code = errno;
    ::closedir(stream);
    if (code != 0) return system_failure("list", directory, code);
    std::sort(names.begin(), names.end());
    return names;
  }

  result<void> make_directories(std::string_view directory) override {
    std::error_code code;
    std::filesystem::create_directories(absolute(directory), code);
    if (code) return system_failure("create", directory, code.value());
    return {};
  }

  result<void> rename(std::string_view from, std::string_view to) override {
    if (::renameat(root_, std::string(from).c_str(), root_, std::string(to).c_str()) != 0)
      return system_failure("rename", from, errno);
    return {};
  }

  result<void> remove(std::string_view path) override {
    if (::unlinkat(root_, std::string(path).c_str(), 0) != 0)
      return system_failure("remove", path, errno);
    return {};
  }

  result<void> remove_tree(std::string_view directory) override {
    std::error_code code;
    std::filesystem::remove_all(absolute(directory), code);
    if (code) return system_failure("remove", directory, code.value());
    return {};
  }

  result<void> sync_directory(std::string_view directory) override {
    const int descriptor = open_directory(directory);
    if (descriptor < 0) return system_failure("open", directory, errno);
    const int status = ::fsync(descriptor);
    const int code = errno;
    ::close(descriptor);
    if (status != 0) return system_failure("sync", directory, code);
    return {};
  }

  result<std::uint64_t> free_bytes() override {
    struct statvfs status{};
    if (::fstatvfs(root_, &status) != 0) return system_failure("statvfs", path_, errno);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }

 private:
  int open_directory(std::string_view directory) const {
    const std::string name = directory.empty() ? "." : std::string(directory);
    return ::openat(root_, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  std::filesystem::path absolute(std::string_view path) const {
    return std::filesystem::path(path_) / path;
  }
  const int root_;
  const std::string path_;
};

}  // namespace

result<std::unique_ptr<storage>> open_local_storage(const std::string& root) {
  std::error_code code;
  std::filesystem::create_directories(root, code);
  if (code) return system_failure("create", root, code.value());
  const int descriptor = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return system_failure("open", root, errno);
  return std::make_unique<local_storage>(descriptor, root);
}

}  // namespace vexfs::io
