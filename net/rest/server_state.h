// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/database/database.h"
#include "core/io/process_statistics.h"
#include "core/io/task.h"
#include "net/http/router.h"
#include "net/rest/request_statistics.h"

namespace vexfs::rest {

/// The contract that is served: clients compare it with their own version.
inline constexpr std::string_view served_version = "1.19.0";

/// What telemetry and metrics are printed from.
struct server_state {
  std::uint64_t peer_id = 0;
  std::int64_t started_us = 0;  // wall clock
  const std::vector<std::unique_ptr<http::route>>* routes = nullptr;
  request_counts requests;
  io::process_statistics process;
  std::vector<std::pair<std::string, collection_info>> collections;
};

/// A route as the contract writes it: "/collections/{collection_name}/points".
[[nodiscard]] std::string pattern_of(const http::route& route);
[[nodiscard]] std::string_view word_of(http::method verb);

/// The result of GET /telemetry. The higher the level, the more of each collection.
void append_telemetry(std::string& out, const server_state& state, std::uint64_t level,
                      bool per_collection);

/// The text of GET /metrics, in Prometheus' format.
void append_metrics(std::string& out, const server_state& state, bool per_collection);

}  // namespace vexfs::rest
