// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace vexfs {

/// Why an operation did not happen. Each class has one meaning for clients; net/ alone knows which
/// HTTP status and which prefix belongs to it. Texts below are without that prefix.
enum class errc : std::uint8_t {
  bad_input,    // the request contradicts the data ("Wrong input: ...")
  bad_request,  // the request is well formed but not allowed or not combinable
  malformed,    // the document, path or query string does not parse
  invalid,      // it parses, a value is out of its range; text is "[path: why; ...]"
  not_found,
  already_exists,
  forbidden,
  locked,      // storage is read-only or guarded
  standalone,  // a cluster operation on a single node
  timeout,
  rate_limit,
  service,  // our fault or the machine's
  precondition,
  unavailable,
  insufficient_storage,
  unsupported,  // part of the contract, not built yet: refuses, never pretends
};

struct error {
  errc code;
  std::string text;
};

/// Every function that can fail for a reason outside the program returns one. Ours do not throw.
template <class T>
using result = std::expected<T, error>;

[[nodiscard]] inline std::unexpected<error> fail(errc code, std::string text) {
  return std::unexpected<error>(error{code, std::move(text)});
}

}  // namespace vexfs

#define VEXFS_CONCAT_INNER(a, b) a##b
#define VEXFS_CONCAT(a, b) VEXFS_CONCAT_INNER(a, b)

/// VEXFS_TRY(auto value, expression): declares value from the result, or returns its error.
#define VEXFS_TRY(declaration, expression)                                   \
  auto VEXFS_CONCAT(try_, __LINE__) = (expression);                          \
  if (!VEXFS_CONCAT(try_, __LINE__))                                         \
    return std::unexpected(std::move(VEXFS_CONCAT(try_, __LINE__)).error()); \
  declaration = *std::move(VEXFS_CONCAT(try_, __LINE__))

/// VEXFS_CHECK(expression): for result<void>; returns the error if there is one.
#define VEXFS_CHECK(expression)                                                                 \
  do {                                                                                          \
    if (auto check_ = (expression); !check_) return std::unexpected(std::move(check_).error()); \
  } while (false)

/// The same inside a coroutine.
#define VEXFS_CHECK_CO(expression)                                                                 \
  do {                                                                                             \
    if (auto check_ = (expression); !check_) co_return std::unexpected(std::move(check_).error()); \
  } while (false)
