// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/limits.h"
#include "core/model/collection_config.h"

namespace vexfs {

/// What of a collection's settings its graphs and searches go by, for one named vector: the
/// vector's own where it has some, then the collection's, then the contract's defaults.
struct hnsw_settings {
  std::uint64_t m = 16;  // 0: no graph
  std::uint64_t ef_construct = 100;
  std::optional<std::uint64_t> full_scan_threshold;  // kilobytes of float32 vectors
};

[[nodiscard]] inline hnsw_settings hnsw_settings_of(const collection_config& config,
                                                    const std::string& vector_name) {
  hnsw_settings settings;
  const auto take = [&](const hnsw_config_diff& given) {
    if (given.m) settings.m = *given.m;
    if (given.ef_construct) settings.ef_construct = *given.ef_construct;
    if (given.full_scan_threshold) settings.full_scan_threshold = given.full_scan_threshold;
  };
  take(config.hnsw_config);
  const auto params = config.vectors.params.find(vector_name);
  if (params != config.vectors.params.end() && params->second.hnsw_config)
    take(*params->second.hnsw_config);
  return settings;
}

/// True where so many rows are below a threshold in kilobytes of float32 vectors. Nobody's setting:
/// rows are scanned as long as their codes stay in a second-level cache, because up to there a scan
/// is as fast as a walk.
[[nodiscard]] inline bool is_scan_size(std::uint64_t row_count, std::uint32_t dim,
                                       std::optional<std::uint64_t> threshold_kb) {
  if (threshold_kb) return row_count * dim * sizeof(float) / 1024 < *threshold_kb;
  // A code takes whole cache lines.
  return row_count * ((dim + 63) / 64 * 64) < scan_code_bytes_max;
}

}  // namespace vexfs
