// SPDX-License-Identifier: Apache-2.0
#include "net/rest/handler.h"

#include <charconv>

namespace vexfs::rest {
namespace {

error bad_parameter(std::string_view name, std::string_view text) {
  return {errc::malformed,
          "Deserialize error in query parameters: " + std::string(name) + ": " + std::string(text)};
}

}  // namespace

result<common_parameters> read_parameters(http::exchange& call, bool wait_default) {
  common_parameters read;
  read.wait = wait_default;
  std::optional<error> failure;
  const auto note = [&](error found) {
    if (!failure) failure = std::move(found);
  };
  const bool whole = http::visit_query(
      call.in.query, call.memory, [&](std::string_view name, std::string_view value) {
        const auto number = [&]() -> std::optional<std::uint64_t> {
          std::uint64_t parsed = 0;
          const auto [end, code] =
              std::from_chars(value.data(), value.data() + value.size(), parsed);
          if (code != std::errc{} || end != value.data() + value.size()) return std::nullopt;
          return parsed;
        };
        if (name == "wait") {
          if (value != "true" && value != "false")
            note(bad_parameter(name, "provided string was not `true` or `false`"));
          read.wait = value == "true";
        } else if (name == "timeout") {
          const auto seconds = number();
          if (!seconds)
            note(bad_parameter(name, "invalid digit found in string"));
          else if (*seconds == 0)
            note({errc::invalid,
                  "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or "
                  "larger]"});
        } else if (name == "ordering") {
          if (value != "weak" && value != "medium" && value != "strong")
            note(bad_parameter(name, "unknown variant `" + std::string(value) +
                                         "`, expected one of `weak`, `medium`, `strong`"));
        } else if (name == "consistency") {
          const auto factor = number();
          if (factor ? *factor == 0 : value != "majority" && value != "quorum" && value != "all")
            note(bad_parameter(name, "unknown consistency `" + std::string(value) + "`"));
        }
      });
  if (!whole) return fail(errc::malformed, "Deserialize error in query parameters: invalid escape");
  if (failure) return std::unexpected(std::move(*failure));
  return read;
}

}  // namespace vexfs::rest
