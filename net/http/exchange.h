// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/io/timers.h"
#include "net/http/request.h"
#include "net/http/response.h"

namespace vexfs::http {

class connection;
struct route;

inline constexpr std::size_t captures_max = 4;

/// One request and its answer. Pooled per core; arena and buffers stay warm. A handler fills
/// `answer` and calls finish() exactly once, at once or later, on the exchange's own core. The
/// client may be gone by then: the answer is dropped.
struct exchange {
  request in;
  response answer;
  arena memory;
  std::array<std::string_view, captures_max> captures{};  // decoded {name} segments of the path
  const route* matched = nullptr;
  io::clock_time started{};
  void* user = nullptr;  // of the service behind the router

  /// The answer is ready; the exchange must not be touched afterwards.
  void finish();

  // For the connection that owns the exchange.
  connection* owner = nullptr;
  exchange* next = nullptr;
  exchange* previous = nullptr;        // in the pool
  std::uint64_t body_bytes_taken = 0;  // of the core's budget
  std::string unpacked;                // body that came compressed
  std::string packed;                  // answer on its way to be
  bool ready = false;
};

/// What the front end does with requests. One per process, called on every core.
class service {
 public:
  virtual ~service() = default;
  virtual void handle(exchange& call) = 0;
  /// A request that never reached a handler (broken, too large), read as far as it came: fills its
  /// answer.
  virtual void refuse(exchange& call, std::uint16_t status, std::string_view text) = 0;
  /// The answer of either is complete, and neither packed nor sent yet: the place to count and to
  /// log.
  virtual void answered(const exchange&) {}
};

}  // namespace vexfs::http
