// SPDX-License-Identifier: Apache-2.0
#include "core/io/storage.h"

namespace vexfs::io {
namespace {

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

}  // namespace

result<void> replace_file(storage& disk, std::string_view path,
                          std::span<const std::byte> content) {
  const std::string temporary = std::string(path) + ".new";
  {
    VEXFS_TRY(auto written, disk.open(temporary, open_mode::create_or_open));
    VEXFS_CHECK(written->truncate(0));
    VEXFS_CHECK(written->write(0, content));
    VEXFS_CHECK(written->sync_now());
  }
  VEXFS_CHECK(disk.rename(temporary, path));
  return disk.sync_directory(parent_of(path));
}

result<std::vector<std::byte>> read_file(storage& disk, std::string_view path,
                                         std::uint64_t size_bytes_max) {
  VEXFS_TRY(auto opened, disk.open(path, open_mode::read));
  VEXFS_TRY(const std::uint64_t size, opened->size_bytes());
  if (size > size_bytes_max)
    return fail(errc::service, "'" + std::string(path) + "' is larger than it can be");
  std::vector<std::byte> content(size);
  VEXFS_TRY(const std::size_t count, opened->read(0, content));
  content.resize(count);
  return content;
}

}  // namespace vexfs::io
