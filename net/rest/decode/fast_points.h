// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/arena.h"
#include "core/model/update.h"
#include "net/json/cursor.h"

namespace vexfs::rest {

/// Reads an upsert that is a list of points, a piece at a time, so that the core that reads 32 MiB
/// serves others meanwhile. Usual points are read in one pass; of an unusual one a tree is built,
/// of it alone. What comes out is the very value that decode_upsert_document() gives, or nothing:
/// then that one has to look, and to say what is wrong if anything is.
///
/// The body and the arena outlive the reader. Several readers of one core may be under way.
class upsert_reader {
 public:
  enum class progress : std::uint8_t { more, done, declined };

  upsert_reader(std::string_view body, arena& memory);
  ~upsert_reader();
  upsert_reader(const upsert_reader&) = delete;

  /// Reads on, until at least `bytes` were read or the list has ended. Not after its end.
  [[nodiscard]] progress advance(std::size_t bytes);

  /// The operation, when advance() has said `done`.
  [[nodiscard]] const upsert_points& operation() const { return operation_; }

 private:
  struct scratch;
  /// Named vectors of one point; more are for the tree.
  static constexpr std::size_t names_max = 16;

  [[nodiscard]] bool open_list();
  [[nodiscard]] bool read_point(point_struct& point);
  [[nodiscard]] bool read_unusual_point(point_struct& point);
  [[nodiscard]] bool read_id(point_id& id);
  [[nodiscard]] bool read_vectors(point_struct& point);
  [[nodiscard]] std::string_view name_of(std::string_view name, std::size_t index);
  [[nodiscard]] bool read_floats(vector_value& out);
  [[nodiscard]] bool read_payload(std::string_view& out);
  [[nodiscard]] bool close_list();

  json::cursor in_;
  arena& memory_;
  std::unique_ptr<scratch> scratch_;
  bool opened_ = false;
  std::string_view names_[names_max];
  upsert_points operation_;
};

}  // namespace vexfs::rest
