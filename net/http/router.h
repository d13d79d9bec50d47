// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/exchange.h"

namespace vexfs::http {

/// A route's identity for handlers, metrics and key checks.
struct route {
  method verb;
  std::string pattern;  // "/collections/{name}/points", "/dashboard/{file*}"
  void (*handler)(exchange& call, void* context) = nullptr;
  void* context = nullptr;
  std::uint32_t index = 0;  // dense, in order of registration
  std::uint32_t flags = 0;  // meaning belongs to who registers routes
};

/// Matches paths against patterns of literal and {captured} segments; {name*}, at the end, captures
/// all the segments that are left. A literal goes before a capture, unless nothing behind it takes
/// the path and the method: a collection may be called "aliases". Doubled slashes count as one, one
/// at the end as none. Built at start, then read only.
class router {
 public:
  router();
  ~router();

  void add(method verb, std::string_view pattern, void (*handler)(exchange&, void*), void* context,
           std::uint32_t flags = 0);

  enum class outcome : std::uint8_t { found, no_path, no_method, bad_path };
  /// Sets call.matched and call.captures. HEAD matches GET.
  [[nodiscard]] outcome match(exchange& call) const;

  [[nodiscard]] const std::vector<std::unique_ptr<route>>& routes() const { return routes_; }

 private:
  struct node;
  struct search;
  std::unique_ptr<node> root_;
  std::vector<std::unique_ptr<route>> routes_;
};

}  // namespace vexfs::http
