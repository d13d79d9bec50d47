// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/result.h"

namespace vexfs::json {

struct node;

/// A member of an object; `name` is unescaped.
struct member {
  std::string_view name;
  const node* value = nullptr;
};

/// One JSON value. Strings are unescaped; numbers keep the digits that were sent. Members are in
/// the order of first appearance; of a name given twice the last value counts.
struct node {
  enum class form : std::uint8_t { null, boolean, number, string, array, object };
  form kind = form::null;
  bool truth = false;               // boolean
  std::string_view text;            // string, number
  std::span<const node> items;      // array
  std::span<const member> members;  // object

  [[nodiscard]] bool is(form wanted) const { return kind == wanted; }
  /// nullptr where there is no such member.
  [[nodiscard]] const node* find(std::string_view name) const;
  /// The same, and nullptr for an explicit null as well.
  [[nodiscard]] const node* find_set(std::string_view name) const;
};

/// Reads a whole document into the arena. Strings are copied there; numbers stay in `text`, which
/// must live for as long as the tree is read. The error's text is like "expected value at line 1
/// column 2", without the contract's prefix. `depth` of the nesting that is allowed is taken
/// already: the text is a part of a document.
[[nodiscard]] result<const node*> parse_document(std::string_view text, arena& memory,
                                                 std::uint32_t depth = 0);

/// Appends canonical text of a value (core/payload/payload.h).
void append_canonical(std::string& out, const node& value);

}  // namespace vexfs::json
