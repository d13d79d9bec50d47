// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vexfs::json {

/// What the contract says about a text that is not JSON: what was expected, and " at line L column
/// C" of the first place that does not fit. Nothing where the text is JSON that a client may send.
/// Slow and plain: for texts that parse_document() has refused.
[[nodiscard]] std::optional<std::string> find_syntax_error(std::string_view text);

/// " at line L column C" of the place behind the first `offset` bytes of a document.
[[nodiscard]] std::string position_text(std::string_view document, std::size_t offset);

}  // namespace vexfs::json
