// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "core/io/transport.h"
#include "ioctl/embedded/cpu.h"
#include "tools/server/config.h"
#include "tools/server/log.h"
#include "tools/server/process.h"

namespace {

constexpr const char* version = "vexfs-qdrant 0.1.0 (serves the Qdrant 1.19.0 API)";

/// Options that are part of the contract and ask for what this server does not have.
struct refused_options {
  std::string bootstrap, uri, storage_snapshot;
  std::vector<std::string> snapshots;
  bool force_snapshot = false;
};

/// Told to whoever waits for the server to be up.
void touch_initialized() {
  const char* path = std::getenv("QDRANT_INIT_FILE_PATH");
  std::ofstream(path ? path : ".qdrant-initialized");
}

/// What was asked for, or io_uring where this machine allows it. A core opens its own on its own
/// thread, so this one is only tried.
vexfs::io::transport_kind choose_transport(std::optional<vexfs::io::transport_kind> asked) {
  using vexfs::io::transport_kind;
  if (asked) return *asked;
  const auto tried = vexfs::io::open_transport(transport_kind::uring);
  if (tried) return transport_kind::uring;
  vexfs::log_warning("serving over epoll, which costs more a request: " + tried.error().text);
  return transport_kind::epoll;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace vexfs;
  std::string config_path;
  refused_options refused;
  CLI::App arguments{"Vector search server with the API of Qdrant", "vexfs-qdrant"};
  arguments.set_version_flag("--version", version);
  arguments.add_option("--config-path", config_path, "YAML file with settings");
  arguments.add_option("--bootstrap", refused.bootstrap, "not implemented: cluster mode");
  arguments.add_option("--uri", refused.uri, "not implemented: cluster mode");
  arguments.add_option("--snapshot,--collection-snapshot", refused.snapshots,
                       "not implemented: snapshots");
  arguments.add_option("--storage-snapshot", refused.storage_snapshot,
                       "not implemented: snapshots");
  arguments.add_flag("-f,--force-snapshot", refused.force_snapshot, "not implemented: snapshots");
  bool ignored = false;
  arguments.add_flag("--disable-telemetry", ignored, "accepted: nothing is ever reported");
  arguments.add_flag("--stacktrace", ignored, "accepted, without effect");
  arguments.add_flag("--reinit", ignored, "accepted, without effect");
  try {
    arguments.parse(argc, argv);
  } catch (const CLI::ParseError& outcome) {
    return arguments.exit(outcome) == 0 ? 0 : 2;
  }
  const auto refuse = [](std::string_view text) {
    std::fprintf(stderr, "vexfs-qdrant: %.*s\n", static_cast<int>(text.size()), text.data());
    return 1;
  };
  if (!refused.bootstrap.empty() || !refused.uri.empty())
    return refuse("--bootstrap and --uri: the cluster mode is not implemented");
  if (!refused.snapshots.empty() || !refused.storage_snapshot.empty() || refused.force_snapshot)
    return refuse("snapshots are not implemented");

  auto settings = load_settings(config_path, environ);
  if (!settings) return refuse(settings.error().text);
  start_log(settings->logger);
  for (const std::string& warning : settings->warnings)
    log_warning(warning);
  settings->process.transport = choose_transport(settings->transport);
  log_info(std::string(version) +
           ", transport: " + std::string(io::name_of(settings->process.transport)) +
           ", distance kernels: " + std::string(name_of(chosen_simd_level())) +
           ", storage: " + settings->process.storage_path);

  settings->process.rest.log.write = log_request;
  settings->process.rest.log.usual_ones = settings->logger.level >= log_level::debug;

  const auto outcome = run_process(settings->process, [](std::uint16_t port) {
    touch_initialized();
    log_info("listening on port " + std::to_string(port));
  });
  if (!outcome) {
    log_error(outcome.error().text);
    return 1;
  }
  log_info("stopped");
  return 0;
}
