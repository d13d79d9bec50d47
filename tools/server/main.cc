// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tools/server/process.h"

int main() {
  using namespace vexfs;
  process_config config;
  if (const char* host = std::getenv("QDRANT__SERVICE__HOST")) config.http.host = host;
  if (const char* port = std::getenv("QDRANT__SERVICE__HTTP_PORT"))
    config.http.port = static_cast<std::uint16_t>(std::atoi(port));
  if (const char* path = std::getenv("QDRANT__STORAGE__STORAGE_PATH")) config.storage_path = path;
  const auto outcome = run_process(config, [](std::uint16_t port) {
    std::fprintf(stderr, "listening on port %u\n", port);
  });
  if (outcome) return 0;
  std::fprintf(stderr, "error: %s\n", outcome.error().text.c_str());
  return 1;
}
