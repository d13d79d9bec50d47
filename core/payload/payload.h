// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/payload/path.h"

// Stored payload is canonical JSON text of one object: no whitespace between tokens; strings escaped
// as the contract prints them; numbers with the client's digits; keys in order of first appearance,
// each once. "" stands for the empty object. Whoever stores text has made it canonical (net/json),
// so everything here trusts its input and never fails.
namespace vexfs {

/// Merges `changes` into `stored`, key by key at the top level, or at `key` where that is given
/// (missing objects on the way are created; [] and [n] address existing elements). A null in
/// `changes` removes its key.
[[nodiscard]] std::string merge_payload(std::string_view stored, std::string_view changes,
                                        const payload_path* key);

/// Removes what the paths name.
[[nodiscard]] std::string remove_payload_keys(std::string_view stored,
                                              std::span<const payload_path> keys);

/// Only what the paths select (include), or all but that (exclude). Array elements are walked as [].
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

/// Calls visit(json_value) for every value that the path reaches, in document order; visit returns
/// false to stop. A key never descends into an array except through [] or [n].
template <class Visit>
void visit_payload(std::string_view stored, const payload_path& path, Visit&& visit);

}  // namespace vexfs
