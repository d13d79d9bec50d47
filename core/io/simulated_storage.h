// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/storage.h"

namespace vexfs::io {

/// A disk in memory for tests. It keeps what a program sees apart from what is on the medium, and
/// can be made to fail in the ways below. Every draw comes from a seed that the test prints.
///
/// What can happen, and what the database must make of it:
/// - crash(seed), a power cut. Bytes of a file that were not covered by a successful sync are kept
///   or lost write by write, and 512-byte sector by sector within a write, in any combination: so
///   later writes may be there without earlier ones (a hole reads as zeros), and a sector may be
///   torn in the middle. Directory entries that were not covered by sync_directory() are lost from
///   some change on: created files vanish, renames are undone, removed files come back. A file's
///   sync does not save its name. Survivable: nothing that was synced may be lost or damaged.
/// - kill(), the end of the process alone: all written bytes stay, open files are dead. Survivable:
///   nothing that was written may be lost.
/// - fail_call(n, code): the n-th call from now fails. A write leaves a part of its bytes; what a
///   failed sync should have saved never reaches the medium, even if a later sync succeeds, as with
///   Linux's page cache. Survivable: no acknowledged write depends on it.
/// - set_capacity_bytes(): growing past it fails with insufficient_storage and leaves a part.
///   Survivable: reads and deletes go on.
/// - flip_bit(): the medium's own damage, seen by every later read. Must be detected, never
///   returned as data; what it hit may be lost.
/// Not modelled: writes that land in another place, and reads that fail without a reason.
///
/// Thread-safe like every storage. On a core, file::sync and file::read_parts take a few turns,
/// so that others may write meanwhile; those writes are not covered by a sync.
class simulated_storage final : public storage {
 public:
  explicit simulated_storage(std::uint64_t seed = 1);
  ~simulated_storage() override;

  // Faults. After crash() and kill() files that were open fail every call.
  void crash(std::uint64_t seed);
  void kill();
  /// n = 1: the next call. A later fail_call() replaces it.
  void fail_call(std::uint64_t n, errc code);
  void set_capacity_bytes(std::uint64_t capacity);
  [[nodiscard]] result<void> flip_bit(std::string_view path, std::uint64_t bit_offset);

  /// Calls so far that could have been made to fail: a test repeats its run with fail_call(1), (2),
  /// ... up to this.
  [[nodiscard]] std::uint64_t call_count() const;
  /// Syncs of files that succeeded, to see that they are shared.
  [[nodiscard]] std::uint64_t sync_count() const;

  [[nodiscard]] result<std::unique_ptr<file>> open(std::string_view path, open_mode mode) override;
  [[nodiscard]] result<bool> exists(std::string_view path) override;
  [[nodiscard]] result<std::vector<std::string>> list(std::string_view directory) override;
  [[nodiscard]] result<void> make_directories(std::string_view directory) override;
  [[nodiscard]] result<void> rename(std::string_view from, std::string_view to) override;
  [[nodiscard]] result<void> remove(std::string_view path) override;
  [[nodiscard]] result<void> remove_tree(std::string_view directory) override;
  [[nodiscard]] result<void> sync_directory(std::string_view directory) override;
  [[nodiscard]] result<std::uint64_t> free_bytes() override;

 private:
  struct node;
  struct state;
  class open_file;
  std::unique_ptr<state> state_;
};

}  // namespace vexfs::io
