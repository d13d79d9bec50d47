// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "net/http/router.h"
#include "net/http/server.h"

namespace vexfs::http {

/// The smallest service: the handlers of its routes answer, everything else is 404.
class routed_service : public service {
 public:
  void handle(exchange& call) override {
    if (routes.match(call) == router::outcome::found) {
      call.matched->handler(call, call.matched->context);
      return;
    }
    call.answer.status = 404;
    call.finish();
  }
  void refuse(exchange& call, std::uint16_t status, std::string_view text) override {
    call.answer.status = status;
    call.answer.body = text;
  }

 protected:
  router routes;
};

}  // namespace vexfs::http
