// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/model/point_id.h"
#include "core/payload/path.h"
#include "net/json/document.h"

namespace vexfs::rest {

using json::node;

/// Walks one document into a request. The first thing that does not fit is remembered (the document
/// is then `malformed`); values out of their range are collected with their paths (`invalid`).
/// After a failure everything reads as its default, so callers need not look before the end:
/// finish().
class decoder {
 public:
  decoder(std::string_view document, arena& target) : memory(target), document_(document) {}

  arena& memory;

  // Of the filter that is being read: how deep in it, and its conditions so far.
  std::uint32_t filter_depth = 0;
  std::size_t filter_conditions = 0;

  /// Parses the document; nullptr after a failure.
  [[nodiscard]] const node* parse();

  // Failures.
  void malformed(std::string text);
  void invalid(std::string_view path, std::string_view text);
  void refuse(errc code, std::string text);
  [[nodiscard]] bool failed() const { return failure_.has_value(); }
  /// The first failure, else all invalid values, else nothing.
  [[nodiscard]] std::optional<error> finish() const;

  // Members of an object.
  [[nodiscard]] const node* object(const node* value, std::string_view what);
  /// The member, or a "missing field" failure.
  [[nodiscard]] const node* required(const node& object, std::string_view name);

  // Values. Each fails with "invalid type: ..., expected ..." where the node is another.
  [[nodiscard]] std::uint64_t u64(const node& value);
  [[nodiscard]] std::int64_t i64(const node& value);
  [[nodiscard]] double f64(const node& value);
  [[nodiscard]] float f32(const node& value);
  [[nodiscard]] bool boolean(const node& value);
  [[nodiscard]] std::string_view string(const node& value);
  [[nodiscard]] std::span<const node> array(const node& value);
  [[nodiscard]] point_id id(const node& value);
  [[nodiscard]] payload_path path(const node& value);
  /// Microseconds of a text with a date.
  [[nodiscard]] std::int64_t datetime(const node& value);
  /// Canonical text of an object.
  [[nodiscard]] std::string_view payload(const node& value);

  /// A member that may be absent or null.
  template <class Read>
  auto optional(const node& object, std::string_view name, Read&& read)
      -> std::optional<std::remove_cvref_t<decltype(read(object))>> {
    const node* found = object.find_set(name);
    if (!found || failed()) return std::nullopt;
    return read(*found);
  }

  /// Every item of an array, or a lone value as if it were one.
  template <class T, class Read>
  std::span<const T> each(std::span<const node> items, Read&& read) {
    const auto made = memory.array<T>(items.size());
    for (std::size_t i = 0; i < items.size() && !failed(); ++i)
      made[i] = read(items[i]);
    return made;
  }

  // Ranges, with the contract's texts.
  void at_least(std::string_view path, std::uint64_t value, std::uint64_t least);

  [[nodiscard]] std::string type_text(const node& value) const;
  /// As the contract prints it: whole numbers end in ".0".
  [[nodiscard]] static std::string number_text(float value);

 private:
  void wrong_type(const node& value, std::string_view expected);
  [[nodiscard]] std::string end_position() const;

  const std::string_view document_;
  std::optional<error> failure_;
  std::vector<std::string> invalid_;
};

}  // namespace vexfs::rest
