// SPDX-License-Identifier: Apache-2.0
#include "tools/server/log.h"

#include <algorithm>
#include <cctype>

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

}  // namespace

result<void> start_log(const logger_config& config) {
  std::string word = config.level.substr(0, config.level.find(','));
  std::ranges::transform(word, word.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  spdlog::level::level_enum level = spdlog::level::info;
  if (word == "off")
    level = spdlog::level::off;
  else if (word == "error")
    level = spdlog::level::err;
  else if (word == "warn")
    level = spdlog::level::warn;
  else if (word == "debug")
    level = spdlog::level::debug;
  else if (word == "trace")
    level = spdlog::level::trace;
  else if (word != "info" && word.find('=') == std::string::npos && !word.empty())
    return fail(errc::bad_input, "log_level: '" + config.level +
                                     "' is not one of OFF, ERROR, WARN, INFO, DEBUG, TRACE");
  auto logger =
      std::make_shared<spdlog::logger>("vexfs", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(level);
  logger->set_pattern(config.json
                          ? R"({"timestamp":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l","message":%v})"
                          : "%Y-%m-%dT%H:%M:%S.%fZ %l %v",
                      spdlog::pattern_time_type::utc);
  spdlog::set_default_logger(std::move(logger));
  as_json = config.json;
  return {};
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

}  // namespace vexfs
