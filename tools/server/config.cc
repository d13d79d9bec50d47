// SPDX-License-Identifier: Apache-2.0
#include "tools/server/config.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include <yaml-cpp/yaml.h>

namespace vexfs {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_unset(const setting& given) {
  return given.value.empty();
}

std::unexpected<error> bad_value(const setting& given, std::string_view expected) {
  return fail(errc::bad_input, given.place + ": " + given.key + ": '" + given.value + "' is not " +
                                   std::string(expected));
}

result<bool> read_flag(const setting& given) {
  const std::string word = lower(given.value);
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0") return false;
  return bad_value(given, "true or false");
}

result<std::uint64_t> read_number(const setting& given, std::uint64_t least, std::uint64_t most) {
  std::uint64_t number = 0;
  const char* end = given.value.data() + given.value.size();
  const auto parsed = std::from_chars(given.value.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end || number < least || number > most)
    return bad_value(
        given, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return number;
}

result<double> read_real(const setting& given) {
  double number = 0;
  const char* end = given.value.data() + given.value.size();
  const auto parsed = std::from_chars(given.value.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return bad_value(given, "a number");
  return number;
}

using apply_fn = std::function<result<void>(const setting&, server_settings&)>;
struct known_key {
  std::string_view key;
  apply_fn apply;
};

/// Where a setting goes: a function from the settings to a member.
#define VEXFS_AT(member) [](server_settings& all) -> auto& { return all.member; }
#define VEXFS_DEFAULT(member) VEXFS_AT(process.data.collection_defaults.member)

template <class Place>
apply_fn text_of(Place place) {
  return [=](const setting& given, server_settings& out) -> result<void> {
    place(out) = is_unset(given) ? std::string() : given.value;
    return {};
  };
}
template <class Place>
apply_fn number_of(Place place, std::uint64_t least, std::uint64_t most) {
  return [=](const setting& given, server_settings& out) -> result<void> {
    if (is_unset(given)) return {};
    VEXFS_TRY(const std::uint64_t number, read_number(given, least, most));
    auto& member = place(out);
    if constexpr (std::is_integral_v<std::remove_reference_t<decltype(member)>>)
      member = static_cast<std::remove_reference_t<decltype(member)>>(number);
    else
      member = number;
    return {};
  };
}
template <class Place>
apply_fn seconds_of(Place place) {
  return [=](const setting& given, server_settings& out) -> result<void> {
    if (is_unset(given)) return {};
    VEXFS_TRY(const std::uint64_t number, read_number(given, 1, UINT32_MAX));
    place(out) = std::chrono::seconds(static_cast<std::int64_t>(number));
    return {};
  };
}
template <class Place>
apply_fn flag_of(Place place) {
  return [=](const setting& given, server_settings& out) -> result<void> {
    if (is_unset(given)) return {};
    VEXFS_TRY(place(out), read_flag(given));
    return {};
  };
}
template <class Place>
apply_fn real_of(Place place) {
  return [=](const setting& given, server_settings& out) -> result<void> {
    if (is_unset(given)) return {};
    VEXFS_TRY(place(out), read_real(given));
    return {};
  };
}
result<void> set_log_level(const setting& given, server_settings& out) {
  if (is_unset(given)) return {};
  const auto level = read_log_level(given.value);
  if (!level) return bad_value(given, "one of OFF, ERROR, WARN, INFO, DEBUG, TRACE");
  out.logger.level = *level;
  return {};
}
result<void> set_log_format(const setting& given, server_settings& out) {
  if (is_unset(given)) return {};
  if (given.value != "text" && given.value != "json") return bad_value(given, "text or json");
  out.logger.json = given.value == "json";
  return {};
}
result<void> set_slow_time(const setting& given, server_settings& out) {
  if (is_unset(given)) return {};
  VEXFS_TRY(const double seconds, read_real(given));
  if (!(seconds >= 0) || seconds > 1e9) return bad_value(given, "a number of seconds");
  out.process.rest.log.slow =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
  return {};
}
result<void> set_body_megabytes(const setting& given, server_settings& out) {
  if (is_unset(given)) return {};
  VEXFS_TRY(const std::uint64_t number, read_number(given, 1, 65536));
  out.process.http.limits.parsing.body_bytes_max = number << 20;
  return {};
}
result<void> set_transport(const setting& given, server_settings& out) {
  if (is_unset(given)) return {};
  const std::string word = lower(given.value);
  if (word == "auto")
    out.transport.reset();
  else if (word == "uring")
    out.transport = io::transport_kind::uring;
  else if (word == "epoll")
    out.transport = io::transport_kind::epoll;
  else
    return bad_value(given, "auto, uring or epoll");
  return {};
}
/// A protection that this server does not have: asking for it must not seem to work.
apply_fn refused(std::string_view what) {
  return [what](const setting& given, server_settings&) -> result<void> {
    if (is_unset(given)) return {};
    if (const auto flag = read_flag(given); flag && !*flag) return {};
    return fail(errc::unsupported, given.place + ": " + given.key + ": " + std::string(what) +
                                       " is not implemented; unset it to start without");
  };
}

constexpr std::uint64_t any = UINT32_MAX;

const std::vector<known_key>& known_keys() {
  static const std::vector<known_key> keys{
      {"log_level", set_log_level},
      {"logger.log_level", set_log_level},
      {"logger.format", set_log_format},
      {"service.host", text_of(VEXFS_AT(process.http.host))},
      {"service.http_port", number_of(VEXFS_AT(process.http.port), 0, 65535)},
      {"service.max_workers", number_of(VEXFS_AT(process.core_count), 0, core_count_max)},
      {"service.max_request_size_mb", set_body_megabytes},
      {"service.slow_query_secs", set_slow_time},
      {"service.enable_cors", flag_of(VEXFS_AT(process.rest.enable_cors))},
      {"service.api_key", text_of(VEXFS_AT(process.rest.api_key))},
      {"service.alt_api_key", text_of(VEXFS_AT(process.rest.alt_api_key))},
      {"service.read_only_api_key", text_of(VEXFS_AT(process.rest.read_only_api_key))},
      {"service.static_content_dir", text_of(VEXFS_AT(process.rest.static_content_dir))},
      {"service.enable_static_content", flag_of(VEXFS_AT(enable_static_content))},
      {"service.http_keep_alive_timeout_sec", seconds_of(VEXFS_AT(process.http.limits.keep_alive))},
      {"service.http_client_request_timeout_sec",
       seconds_of(VEXFS_AT(process.http.limits.request))},
      {"service.http_client_disconnect_timeout_sec",
       seconds_of(VEXFS_AT(process.http.limits.disconnect))},
      {"storage.storage_path", text_of(VEXFS_AT(process.storage_path))},
      {"storage.max_collections", number_of(VEXFS_AT(process.data.max_collections), 1, UINT64_MAX)},
      {"storage.on_disk_payload", flag_of(VEXFS_DEFAULT(on_disk_payload))},
      {"storage.hnsw_index.m", number_of(VEXFS_DEFAULT(hnsw_config.m), 0, any)},
      {"storage.hnsw_index.ef_construct",
       number_of(VEXFS_DEFAULT(hnsw_config.ef_construct), 4, any)},
      {"storage.hnsw_index.full_scan_threshold_kb",
       number_of(VEXFS_DEFAULT(hnsw_config.full_scan_threshold), 10, any)},
      {"storage.hnsw_index.max_indexing_threads",
       number_of(VEXFS_DEFAULT(hnsw_config.max_indexing_threads), 0, any)},
      {"storage.optimizers.deleted_threshold",
       real_of(VEXFS_DEFAULT(optimizers_config.deleted_threshold))},
      {"storage.optimizers.vacuum_min_vector_number",
       number_of(VEXFS_DEFAULT(optimizers_config.vacuum_min_vector_number), 100, any)},
      {"storage.optimizers.default_segment_number",
       number_of(VEXFS_DEFAULT(optimizers_config.default_segment_number), 0, any)},
      {"storage.optimizers.indexing_threshold_kb",
       number_of(VEXFS_DEFAULT(optimizers_config.indexing_threshold), 0, any)},
      {"storage.optimizers.max_segment_size_kb",
       number_of(VEXFS_DEFAULT(optimizers_config.max_segment_size), 1, any)},
      {"storage.optimizers.flush_interval_sec",
       number_of(VEXFS_DEFAULT(optimizers_config.flush_interval_sec), 0, any)},
      {"storage.wal.wal_capacity_mb", number_of(VEXFS_DEFAULT(wal_config.wal_capacity_mb), 1, any)},
      {"storage.wal.wal_segments_ahead",
       number_of(VEXFS_DEFAULT(wal_config.wal_segments_ahead), 0, any)},
      {"storage.collection.replication_factor",
       number_of(VEXFS_DEFAULT(replication_factor), 1, any)},
      {"storage.collection.write_consistency_factor",
       number_of(VEXFS_DEFAULT(write_consistency_factor), 1, any)},
      {"io.transport", set_transport},
      {"service.jwt_rbac", refused("JWT authentication")},
      {"service.enable_tls", refused("TLS")},
      {"cluster.enabled", refused("the cluster mode")},
      {"cluster.p2p.enable_tls", refused("TLS")},
      {"audit.enabled", refused("the audit log")},
      {"storage.recovery_mode", refused("the recovery mode")},
      {"service.verify_https_client_certificate", refused("TLS")},
      {"storage.collection.strict_mode.enabled", refused("strict mode for new collections")},
      {"storage.node_type",
       [](const setting& given, server_settings&) -> result<void> {
         if (is_unset(given) || lower(given.value) == "normal") return {};
         return fail(errc::unsupported, given.place + ": " + given.key +
                                            ": only nodes of type Normal are implemented");
       }},
      {"storage.snapshots_config.snapshots_storage",
       [](const setting& given, server_settings&) -> result<void> {
         if (is_unset(given) || given.value == "local") return {};
         return fail(errc::unsupported, given.place + ": " + given.key +
                                            ": remote snapshot storage is not implemented");
       }},
  };
  return keys;
}

void flatten(const YAML::Node& value, const std::string& prefix, const std::string& file,
             std::vector<setting>& out) {
  if (value.IsMap()) {
    for (const auto& member : value) {
      const std::string name = lower(member.first.as<std::string>());
      flatten(member.second, prefix.empty() ? name : prefix + "." + name, file, out);
    }
    return;
  }
  if (prefix.empty()) return;
  out.push_back({prefix, value.IsScalar() ? value.Scalar() : "",
                 file + ":" + std::to_string(value.Mark().line + 1), value.IsSequence()});
}

}  // namespace

result<std::vector<setting>> read_settings_file(const std::string& path) {
  std::vector<setting> settings;
  // yaml-cpp reports by exceptions: they end here.
  try {
    flatten(YAML::LoadFile(path), "", path, settings);
  } catch (const YAML::BadFile&) {
    return fail(errc::bad_input, path + ": cannot be read");
  } catch (const YAML::Exception& failure) {
    return fail(errc::bad_input,
                path + ":" + std::to_string(failure.mark.line + 1) + ": " + failure.msg);
  }
  return settings;
}

std::optional<log_level> read_log_level(std::string_view text) {
  const std::string word = lower(std::string(text.substr(0, text.find(','))));
  constexpr std::string_view words[] = {"off", "error", "warn", "info", "debug", "trace"};
  if (word.find('=') != std::string::npos) return log_level::info;
  const auto found = std::ranges::find(words, word);
  if (found == std::end(words)) return std::nullopt;
  return static_cast<log_level>(found - std::begin(words));
}

std::vector<setting> read_settings_environment(char** environment) {
  std::vector<setting> settings;
  constexpr std::string_view start = "qdrant__";
  for (char** entry = environment; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    const std::string name = lower(text.substr(0, equals));
    if (equals == std::string::npos || !name.starts_with(start)) continue;
    std::string key = name.substr(start.size());
    for (auto at = key.find("__"); at != std::string::npos; at = key.find("__", at + 1))
      key.replace(at, 2, ".");
    settings.push_back({key, text.substr(equals + 1), text.substr(0, equals)});
  }
  return settings;
}

result<server_settings> apply_settings(const std::vector<setting>& settings) {
  server_settings out;
  for (const setting& given : settings) {
    const auto known = std::ranges::find(known_keys(), given.key, &known_key::key);
    if (known == known_keys().end()) {
      if (given.is_list || !is_unset(given))
        out.warnings.push_back(given.place + ": " + given.key + " has no effect in this server");
      continue;
    }
    if (given.is_list)
      return fail(errc::bad_input, given.place + ": " + given.key + ": a list is no value for it");
    VEXFS_CHECK(known->apply(given, out));
  }
  std::ranges::sort(out.warnings);
  const auto repeated = std::ranges::unique(out.warnings);
  out.warnings.erase(repeated.begin(), repeated.end());
  if (!out.enable_static_content) out.process.rest.static_content_dir.clear();
  if (out.process.storage_path.empty()) out.process.storage_path = "./storage";
  if (out.process.http.host.empty()) out.process.http.host = "0.0.0.0";
  return out;
}

result<server_settings> load_settings(const std::string& config_path, char** environment) {
  std::vector<setting> all;
  const auto add_file = [&](const std::string& path) -> result<void> {
    VEXFS_TRY(auto settings, read_settings_file(path));
    all.insert(all.end(), settings.begin(), settings.end());
    return {};
  };
  const char* mode = std::getenv("RUN_MODE");
  for (const std::string& name :
       {std::string("config"), std::string(mode ? mode : "development"), std::string("local")}) {
    const std::string path = "./config/" + name + ".yaml";
    std::error_code code;
    if (std::filesystem::exists(path, code)) VEXFS_CHECK(add_file(path));
  }
  if (!config_path.empty()) VEXFS_CHECK(add_file(config_path));
  const auto variables = read_settings_environment(environment);
  all.insert(all.end(), variables.begin(), variables.end());
  return apply_settings(all);
}

}  // namespace vexfs
