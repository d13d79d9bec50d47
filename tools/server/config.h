// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "tools/server/process.h"

namespace vexfs {

enum class log_level : std::uint8_t { off, error, warn, info, debug, trace };

struct logger_config {
  log_level level = log_level::info;
  bool json = false;
};

struct server_settings {
  process_config process;
  std::optional<io::transport_kind> transport;  // none: io_uring where it is allowed
  logger_config logger;
  bool enable_static_content = true;  // false: the folder is set, and not served
  std::vector<std::string> warnings;  // said once at start
};

/// One source of settings: the leaf keys of a YAML file or of the environment.
struct setting {
  std::string key;       // "service.http_port", lower case
  std::string value;     // "" where it is unset
  std::string place;     // "config.yaml:12" or the variable's name
  bool is_list = false;  // then it has no value
};

/// Level names in any case. Of a list of module levels ("info,actix=warn") the first plain word
/// counts.
[[nodiscard]] std::optional<log_level> read_log_level(std::string_view text);

/// The leaves of a file. Errors name the file and the line.
[[nodiscard]] result<std::vector<setting>> read_settings_file(const std::string& path);
/// QDRANT__SECTION__KEY=value; other variables are left out.
[[nodiscard]] std::vector<setting> read_settings_environment(char** environment);

/// Applies settings, later ones win. A bad value, and a key that guards something and is not
/// implemented, are errors that name the place; keys that have no effect give a warning each.
[[nodiscard]] result<server_settings> apply_settings(const std::vector<setting>& settings);

/// All files in their order of precedence, then the environment. `config_path` is the file of the
/// command line, "" without one; it must exist, the others need not.
[[nodiscard]] result<server_settings> load_settings(const std::string& config_path,
                                                    char** environment);

}  // namespace vexfs
