// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/base/arena.h"
#include "core/base/limits.h"
#include "core/base/result.h"
#include "core/database/row_file.h"
#include "core/io/storage.h"
#include "core/io/task.h"
#include "core/model/vector.h"

namespace vexfs {

/// The rows that a request wants of files. Each has its place at once, and its bytes when finish()
/// has ended; until then the request keeps the slots from being used again (slot_reading). Where
/// columns are in memory nothing is ever wanted here, and nothing is waited for.
class row_reads {
 public:
  /// Rows live in the arena.
  explicit row_reads(arena& memory) : memory_(memory) {}
  row_reads(const row_reads&) = delete;

  /// The place of a slot's row.
  [[nodiscard]] const std::byte* want(const std::shared_ptr<row_file>& from, slot_index slot) {
    return add(from, slot, datatype::float32, {});
  }
  /// A slot's vector.
  void want(const std::shared_ptr<row_file>& from, slot_index slot, datatype type,
            std::span<float> values) {
    add(from, slot, type, values);
  }

  /// True when as much is wanted as should be read before going on.
  [[nodiscard]] bool is_full() const { return wanted_bytes_ >= row_reads_bytes_max; }

  /// co_await: everything that was wanted is there, or why not.
  [[nodiscard]] auto finish() {
    struct awaiter {
      row_reads& reads;
      std::optional<io::task<result<void>>> reading = std::nullopt;
      bool await_ready() const noexcept { return reads.wanted_.empty(); }
      bool await_suspend(std::coroutine_handle<> caller) {
        reading.emplace(reads.read_wanted());
        return reading->await_suspend(caller);
      }
      result<void> await_resume() { return reading ? reading->await_resume() : result<void>{}; }
    };
    return awaiter{*this};
  }
  /// After finish(): the places of rows may be used for others.
  void reuse() { block_ = block_used_ = 0; }

 private:
  struct wanted_row {
    std::size_t file;  // in files_
    slot_index slot;
    std::byte* place;
    datatype type;
    std::span<float> values;
  };
  std::byte* add(const std::shared_ptr<row_file>& from, slot_index slot, datatype type,
                 std::span<float> values);
  [[nodiscard]] std::size_t number_of(const std::shared_ptr<row_file>& file);
  [[nodiscard]] std::byte* take_place(std::size_t bytes);
  [[nodiscard]] io::task<result<void>> read_wanted();

  arena& memory_;
  std::vector<std::shared_ptr<row_file>> files_;  // kept open
  std::vector<wanted_row> wanted_;
  std::size_t wanted_bytes_ = 0;
  std::vector<std::span<std::byte>> blocks_;  // of places
  std::size_t block_ = 0;                     // the one in use, and how far
  std::size_t block_used_ = 0;
};

/// The values of a stored row.
void decode_row(datatype type, const std::byte* row, std::span<float> values);

}  // namespace vexfs
