// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/database/database.h"
#include "core/io/transport.h"
#include "net/http/server.h"
#include "net/rest/rest_service.h"

namespace vexfs {

/// Everything that a running server is made from.
struct process_config {
  std::string storage_path = "./storage";
  std::uint32_t core_count = 0;  // 0: one a processor
  io::transport_kind transport = io::transport_kind::uring;
  http::server_config http;
  rest::rest_config rest;
  database_config data;
};

/// Runs a server until SIGTERM or SIGINT: takes the port, recovers the data, then accepts clients;
/// on the signal answers what is in flight and flushes. `listening` is called with the port once
/// requests are served. The error says why it could not start, or what failed while it stopped.
[[nodiscard]] result<void> run_process(const process_config& config,
                                       void (*listening)(std::uint16_t port));

}  // namespace vexfs
