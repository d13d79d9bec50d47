// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "net/http/exchange.h"

namespace vexfs::http {

/// The exchanges of one core that no request has, with their memory. The one given last is taken
/// first, since it is warm. Where they are too many or hold too much, those go that were given
/// first: a burst of large requests leaves little behind.
class exchange_pool {
 public:
  exchange_pool() = default;
  ~exchange_pool();
  exchange_pool(const exchange_pool&) = delete;

  [[nodiscard]] exchange& take();
  void give(exchange& used);

  /// Held by those that are here.
  [[nodiscard]] std::size_t kept_bytes() const { return kept_bytes_; }

 private:
  void drop_oldest();

  exchange* newest_ = nullptr;
  exchange* oldest_ = nullptr;
  std::uint32_t count_ = 0;
  std::size_t kept_bytes_ = 0;
};

}  // namespace vexfs::http
