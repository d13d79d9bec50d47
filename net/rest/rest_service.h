// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/database/database.h"
#include "net/http/exchange.h"
#include "net/http/router.h"
#include "net/http/static_files.h"
#include "net/rest/request_log.h"
#include "net/rest/request_statistics.h"
#include "net/rest/server_state.h"

namespace vexfs::rest {

struct rest_config {
  std::string api_key, alt_api_key, read_only_api_key;  // "" is none
  bool enable_cors = true;
  std::string static_content_dir;  // "" is none
  request_log_config log;
  std::uint64_t peer_id = 0;
};

/// The REST API: routes, keys, and handlers over the database. One per process.
class rest_service final : public http::service {
 public:
  [[nodiscard]] static result<std::unique_ptr<rest_service>> create(database& data,
                                                                    const rest_config& config,
                                                                    std::uint32_t core_count);
  ~rest_service() override;

  void handle(http::exchange& call) override;
  void refuse(http::exchange& call, std::uint16_t status, std::string_view text) override;
  void answered(const http::exchange& call) override {
    log_.answered(call);
    statistics_.answered(call);
  }

  /// Everything that telemetry and metrics tell; asks all cores and all collections.
  [[nodiscard]] io::task<server_state> state();
  [[nodiscard]] std::uint64_t peer_id() const { return config_.peer_id; }

  /// Answers to GET /collections/{name} as they were printed, by core. Valid while the database
  /// gives the same version.
  struct cached_info {
    std::string name;
    std::uint64_t version = 0;
    std::string body;
  };

  database& data;
  std::unique_ptr<http::static_files> dashboard;
  std::vector<std::vector<cached_info>> info_cache;  // per core

 private:
  rest_service(database& served, const rest_config& config, std::uint32_t core_count);
  /// False: the answer is a refusal.
  [[nodiscard]] bool authorise(http::exchange& call) const;

  const rest_config config_;
  http::router router_;
  request_log log_;
  request_statistics statistics_;
  const std::int64_t started_us_;
};

/// What a route needs of a key; part of http::route::flags.
enum class access : std::uint32_t { open = 1, read = 2, write = 3 };

}  // namespace vexfs::rest
