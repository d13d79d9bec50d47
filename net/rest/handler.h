// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "core/io/loop.h"
#include "core/payload/print.h"
#include "net/http/exchange.h"
#include "net/rest/error_response.h"

// The frame of every handler: envelope, time, errors.
namespace vexfs::rest {

[[nodiscard]] inline double seconds_since(io::clock_time start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Answers with a failure.
inline void finish_error(http::exchange& call, const error& failure) {
  answer_error(call.answer, failure, seconds_since(call.started));
  call.finish();
}

/// Answers with what `print` appends as the result.
template <class Print>
void finish_result(http::exchange& call, Print&& print) {
  std::string& out = call.answer.body;
  out.assign("{\"result\":");
  print(out);
  out += ",\"status\":\"ok\",\"time\":";
  append_json_number(out, seconds_since(call.started));
  out += '}';
  call.finish();
}

inline void finish_true(http::exchange& call) {
  finish_result(call, [](std::string& out) { out += "true"; });
}

/// Query parameters that many routes take; `timeout` and the others are checked and have no effect.
struct common_parameters {
  bool wait = false;
};
/// Errors are those of the contract: a value that does not parse, a timeout of 0.
[[nodiscard]] result<common_parameters> read_parameters(http::exchange& call,
                                                        bool wait_default = false);

/// The first captured segment of the path.
[[nodiscard]] inline std::string_view collection_of(const http::exchange& call) {
  return call.captures[0];
}

}  // namespace vexfs::rest

/// VEXFS_OR_FINISH(const auto value, call, expression): in a handler's coroutine; declares value
/// from the result, or answers with its error and ends the handler.
#define VEXFS_OR_FINISH(declaration, call, expression)        \
  auto VEXFS_CONCAT(try_, __LINE__) = (expression);           \
  if (!VEXFS_CONCAT(try_, __LINE__)) {                        \
    finish_error(call, VEXFS_CONCAT(try_, __LINE__).error()); \
    co_return;                                                \
  }                                                           \
  declaration = *std::move(VEXFS_CONCAT(try_, __LINE__))
