// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/io/task.h"

// The storage seam: every file operation of core goes through here, so that tests can lose unsynced
// bytes, reorder and tear writes, flip bits and fail call n (core/io/simulated_storage.h).
namespace vexfs::io {

/// A piece of a file that is wanted, and where its bytes go.
struct read_part {
  std::uint64_t offset = 0;
  std::span<std::byte> into;
};

/// An open file. Used by one core at a time, but for read_parts().
class file {
 public:
  virtual ~file() = default;

  [[nodiscard]] virtual result<std::uint64_t> size_bytes() = 0;

  /// Reads up to buffer.size() bytes; fewer only at the end of the file.
  [[nodiscard]] virtual result<std::size_t> read(std::uint64_t offset,
                                                 std::span<std::byte> buffer) = 0;

  /// Reads all parts, each of them whole, without blocking the core; of one call at most
  /// file_reads_max are under way. An error where one fails or the file ends inside it. On any
  /// core, also during other reads and writes: what is written meanwhile may be read in part.
  [[nodiscard]] virtual task<result<void>> read_parts(std::span<const read_part> parts) = 0;

  /// Writes all bytes into the page cache: they survive the process, not the power. After an error
  /// (disk full) the file may hold a part of them; nothing is retried.
  [[nodiscard]] virtual result<void> write(std::uint64_t offset,
                                           std::span<const std::byte> bytes) = 0;

  /// fdatasync without blocking the core: everything written before the call is on the medium when
  /// it succeeds. After a failure the file must not be trusted again.
  [[nodiscard]] virtual task<result<void>> sync() = 0;

  /// The same, blocking: for start-up and stop, and for small files written there.
  [[nodiscard]] virtual result<void> sync_now() = 0;

  [[nodiscard]] virtual result<void> truncate(std::uint64_t size_bytes) = 0;

  /// Makes the file at least so long, with room on the disk for writes up to there.
  [[nodiscard]] virtual result<void> reserve(std::uint64_t size_bytes) = 0;
};

enum class open_mode : std::uint8_t {
  read,        // must exist
  read_write,  // must exist
  create,      // must not exist
  create_or_open
};

/// A tree of directories under one root. Paths are relative to the root, with '/'.
/// Thread-safe; calls block, so loops use only file::write, file::read_parts and file::sync after
/// start-up, and the rest in slices or at rare events (a catalogue change, a new log segment).
class storage {
 public:
  virtual ~storage() = default;

  [[nodiscard]] virtual result<std::unique_ptr<file>> open(std::string_view path,
                                                           open_mode mode) = 0;
  [[nodiscard]] virtual result<bool> exists(std::string_view path) = 0;
  /// Names in a directory, files and directories, sorted; empty where it does not exist.
  [[nodiscard]] virtual result<std::vector<std::string>> list(std::string_view directory) = 0;
  [[nodiscard]] virtual result<void> make_directories(std::string_view directory) = 0;
  /// Atomic within one directory; durable after sync_directory.
  [[nodiscard]] virtual result<void> rename(std::string_view from, std::string_view to) = 0;
  [[nodiscard]] virtual result<void> remove(std::string_view path) = 0;
  [[nodiscard]] virtual result<void> remove_tree(std::string_view directory) = 0;
  [[nodiscard]] virtual result<void> sync_directory(std::string_view directory) = 0;
  [[nodiscard]] virtual result<std::uint64_t> free_bytes() = 0;
};

/// Writes a whole file under a temporary name, syncs it, renames it over `path` and syncs the
/// directory: after a crash the old or the new content is there, never a part.
[[nodiscard]] result<void> replace_file(storage& disk, std::string_view path,
                                        std::span<const std::byte> content);

/// The whole content of a file, refused above `size_bytes_max`.
[[nodiscard]] result<std::vector<std::byte>> read_file(storage& disk, std::string_view path,
                                                       std::uint64_t size_bytes_max);

/// The real thing, rooted at a directory that is created where it is missing.
[[nodiscard]] result<std::unique_ptr<storage>> open_local_storage(const std::string& root);

}  // namespace vexfs::io
