// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/payload/walk.h"
#include "net/json/document.h"
#include "tests/core/filter/json_tree.h"

namespace vexfs::fuzzing {

/// A document as the plain tree that oracles work on. Of numbers only what 64 bits and a double
/// hold.
inline testing_filter::json tree_of(const json::node& from) {
  using testing_filter::json;
  using form = vexfs::json::node::form;
  switch (from.kind) {
    case form::null:
      return {};
    case form::boolean:
      return json::of(from.truth);
    case form::number: {
      const json_number number = read_json_number(from.text);
      if (number.kind == json_number::form::integer) return json::of(number.integer);
      if (number.kind == json_number::form::natural) return json::of(number.natural);
      return json::of(number.floating);
    }
    case form::string:
      return json::of(std::string(from.text));
    case form::array: {
      json made = json::array();
      for (const auto& item : from.items)
        made.elements.push_back(tree_of(item));
      return made;
    }
    case form::object:
      break;
  }
  json made = json::object();
  for (const auto& [name, value] : from.members)
    made.members.emplace_back(std::string(name), tree_of(*value));
  return made;
}

/// Canonical text of a document; nothing where it is not one.
inline std::optional<std::string> canonical_text(std::string_view document, arena& memory) {
  const auto read = json::parse_document(document, memory);
  if (!read) return std::nullopt;
  std::string out;
  json::append_canonical(out, **read);
  return out;
}

}  // namespace vexfs::fuzzing
