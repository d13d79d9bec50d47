// SPDX-License-Identifier: Apache-2.0
#include "tools/server/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/payload/print.h"

namespace vexfs {
namespace {

bool as_json = false;

void write(spdlog::level::level_enum level, std::string_view text) {
  if (!as_json) {
    spdlog::log(level, "{}", text);
    return;
  }
  std::string quoted;
  append_json_string(quoted, text);
  spdlog::log(level, "{}", quoted);
}

spdlog::level::level_enum level_of(log_level level) {
  switch (level) {
    case log_level::off:
      return spdlog::level::off;
    case log_level::error:
      return spdlog::level::err;
    case log_level::warn:
      return spdlog::level::warn;
    case log_level::info:
      return spdlog::level::info;
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::trace:
      return spdlog::level::trace;
  }
  return spdlog::level::info;
}

}  // namespace

void start_log(const logger_config& config) {
  auto logger =
      std::make_shared<spdlog::logger>("vexfs", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(level_of(config.level));
  logger->set_pattern(config.json
                          ? R"({"timestamp":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":%v})"
                          : "%Y-%m-%dT%H:%M:%S.%fZ %l %v",
                      spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  as_json = config.json;
}

void log_info(std::string_view text) {
  write(spdlog::level::info, text);
}
void log_warning(std::string_view text) {
  write(spdlog::level::warn, text);
}
void log_error(std::string_view text) {
  write(spdlog::level::err, text);
}
void log_request(rest::request_severity severity, std::string_view line) {
  switch (severity) {
    case rest::request_severity::failed:
      return write(spdlog::level::err, line);
    case rest::request_severity::slow:
      return write(spdlog::level::warn, line);
    case rest::request_severity::usual:
      return write(spdlog::level::debug, line);
  }
}

}  // namespace vexfs
