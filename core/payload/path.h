// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/arena.h"

namespace vexfs {

/// One step of a payload path: a key, the n-th element of an array, or all its elements.
struct path_step {
  enum class form : std::uint8_t { key, index, all };
  form kind = form::key;
  std::uint64_t index = 0;
  std::string_view key;

  friend bool operator==(const path_step&, const path_step&) = default;
};

/// Grammar: key(.key | [n] | [])*; a bare key is Unicode alphanumerics, '_' and '-'; any other key
/// stands in double quotes, without escapes. Memory belongs to whoever parsed it.
struct payload_path {
  std::string_view text;  // as the client wrote it: the name of an index
  std::span<const path_step> steps;
};

/// Nothing where the text is not a path.
[[nodiscard]] std::optional<payload_path> parse_payload_path(std::string_view text, arena& memory);

}  // namespace vexfs
