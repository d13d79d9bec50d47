// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/payload/path.h"
#include "core/payload/walk.h"

// Stored payload is canonical JSON text of one object: no whitespace between tokens; strings
// escaped as the contract prints them; numbers with the client's digits; keys in order of first
// appearance, each once. "" stands for the empty object. Whoever stores text has made it canonical
// (net/json), so everything here trusts its input and never fails.
namespace vexfs {

/// Merges `changes` into `stored`, key by key at the top level, or at `key` where that is given
/// (what is missing on the way, or of another type, becomes an object, or before [] and [n] an
/// empty list; elements are never made). A null in `changes` removes its key.
[[nodiscard]] std::string merge_payload(std::string_view stored, std::string_view changes,
                                        const payload_path* key);

/// Removes what the paths name.
[[nodiscard]] std::string remove_payload_keys(std::string_view stored,
                                              std::span<const payload_path> keys);

/// Only what the paths select (include), or all but that (exclude). Array elements are walked as
/// [].
[[nodiscard]] std::string include_payload(std::string_view stored,
                                          std::span<const payload_path> paths);
[[nodiscard]] std::string exclude_payload(std::string_view stored,
                                          std::span<const payload_path> paths);

/// A value inside canonical text: its first byte tells the type.
struct json_value {
  enum class form : std::uint8_t { null, boolean, number, string, array, object };
  std::string_view text;  // from the first to the last byte of the value

  [[nodiscard]] form kind() const;
};

/// Members of the object in order, keys escaped as they stand: visit(key, json_value).
template <class Visit>
void visit_members(std::string_view stored, Visit&& visit) {
  json_cursor members(stored);
  for (std::string_view key, value; members.next_member(key, value);) {
    if (!visit(key, json_value{value})) return;
  }
}

/// The walk behind visit_payload; false where visit has stopped it.
template <class Visit>
bool walk_payload(std::string_view stored, std::span<const path_step> steps, Visit& visit) {
  // Paths reach one value in most documents: keys are followed in a loop, only [] branches.
  for (; !steps.empty(); steps = steps.subspan(1)) {
    const path_step& step = steps.front();
    json_cursor cursor(stored);
    std::string_view value;
    if (step.kind == path_step::form::key) {
      // An empty payload is the empty object; values are never empty.
      if (stored.empty() || stored.front() != '{') return true;
      bool found = false;
      for (std::string_view key; !found && cursor.next_member(key, value);) {
        found = json_string_equals(key, step.key);
      }
      if (!found) return true;
      stored = value;
      continue;
    }
    if (stored.empty() || stored.front() != '[') return true;
    if (step.kind == path_step::form::index) {
      std::uint64_t left = step.index;
      bool found = cursor.next_element(value);
      for (; found && left > 0; --left)
        found = cursor.next_element(value);
      if (!found) return true;
      stored = value;
      continue;
    }
    while (cursor.next_element(value)) {
      if (!walk_payload(value, steps.subspan(1), visit)) return false;
    }
    return true;
  }
  return visit(json_value{stored});
}

/// Calls visit(json_value) for every value that the path reaches, in document order; visit returns
/// false to stop. A key never descends into an array except through [] or [n].
template <class Visit>
void visit_payload(std::string_view stored, const payload_path& path, Visit&& visit) {
  walk_payload(stored, path.steps, visit);
}

}  // namespace vexfs
