// SPDX-License-Identifier: Apache-2.0
#include "core/database/config_merge.h"

#include "core/database/column.h"
#include "core/model/describe.h"
#include "core/payload/payload.h"

namespace vexfs {
namespace {

template <class T>
void merge_into(std::optional<T>& target, const std::optional<T>& change) {
  if (change) target = change;
}
template <class T>
void merge_into(std::map<std::string, T>& target, const std::map<std::string, T>& change) {
  for (const auto& [name, value] : change)
    target[name] = value;
}

/// Member by member: both lists have the same order because they are the same list.
template <class Config>
void merge_members(Config& target, const Config& change) {
  describe(target, [&](std::string_view name, auto& member) {
    describe(change, [&](std::string_view other, const auto& given) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>,
                                   std::remove_cvref_t<decltype(given)>>) {
        if (name == other) merge_into(member, given);
      }
    });
  });
}

template <class Config>
void merge_optional(std::optional<Config>& target, const std::optional<Config>& change) {
  if (!change) return;
  if (!target) target.emplace();
  merge_members(*target, *change);
}

void merge_quantization(std::optional<quantization_config>& target,
                        const std::optional<quantization_change>& change) {
  if (change) target = change->config;
}

}  // namespace

void apply_defaults(collection_config& config, const collection_config& defaults) {
  const auto under = [](auto& given, const auto& fallback) {
    auto merged = fallback;
    merge_members(merged, given);
    given = merged;
  };
  under(config.hnsw_config, defaults.hnsw_config);
  under(config.optimizers_config, defaults.optimizers_config);
  under(config.wal_config, defaults.wal_config);
  if (!config.quantization) config.quantization = defaults.quantization;
  if (!config.strict_mode) config.strict_mode = defaults.strict_mode;
  if (!config.on_disk_payload) config.on_disk_payload = defaults.on_disk_payload.value_or(true);
  if (!config.shard_number) config.shard_number = defaults.shard_number.value_or(1);
  if (!config.replication_factor)
    config.replication_factor = defaults.replication_factor.value_or(1);
  if (!config.write_consistency_factor)
    config.write_consistency_factor = defaults.write_consistency_factor.value_or(1);
}

result<void> merge_change(collection_config& config, const collection_change& change) {
  for (const auto& [name, ignored] : change.vectors)
    if (!config.vectors.params.contains(name)) return std::unexpected(unknown_vector(name));
  for (const auto& [name, ignored] : change.sparse_vectors)
    if (!config.sparse_vectors.contains(name)) return std::unexpected(unknown_vector(name));
  for (const auto& [name, given] : change.vectors) {
    vector_params& params = config.vectors.params[name];
    merge_optional(params.hnsw_config, given.hnsw_config);
    merge_quantization(params.quantization, given.quantization);
    merge_into(params.on_disk, given.on_disk);
    merge_into(params.memory, given.memory);
  }
  for (const auto& [name, given] : change.sparse_vectors) {
    sparse_vector_params& params = config.sparse_vectors[name];
    merge_optional(params.index, given.index);
    merge_into(params.modifier, given.modifier);
  }
  if (change.optimizers_config) merge_members(config.optimizers_config, *change.optimizers_config);
  if (change.hnsw_config) merge_members(config.hnsw_config, *change.hnsw_config);
  merge_quantization(config.quantization, change.quantization);
  merge_optional(config.strict_mode, change.strict_mode);
  merge_into(config.replication_factor, change.replication_factor);
  merge_into(config.write_consistency_factor, change.write_consistency_factor);
  merge_into(config.read_fan_out_factor, change.read_fan_out_factor);
  merge_into(config.read_fan_out_delay_ms, change.read_fan_out_delay_ms);
  merge_into(config.on_disk_payload, change.on_disk_payload);
  merge_into(config.payload, change.payload);
  if (!change.metadata.empty())
    config.metadata = merge_payload(config.metadata, change.metadata, nullptr);
  return {};
}

}  // namespace vexfs
