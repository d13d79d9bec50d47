// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "core/model/payload_schema.h"
#include "core/model/vector.h"

// A collection's settings, owned (they live as long as the collection). What a client did not set
// stays unset, because only what was set is echoed; effective values are computed where they are
// printed or used. Field lists for parsing and printing: core/model/describe.h.
namespace vexfs {

struct hnsw_config_diff {
  std::optional<std::uint64_t> m, ef_construct, full_scan_threshold, max_indexing_threads;
  std::optional<bool> on_disk;
  std::optional<memory_placement> memory;
  std::optional<std::uint64_t> payload_m;
  std::optional<bool> inline_storage;
  friend bool operator==(const hnsw_config_diff&, const hnsw_config_diff&) = default;
};

struct scalar_quantization {
  std::optional<float> quantile;
  std::optional<bool> always_ram;
  std::optional<memory_placement> memory;
  friend bool operator==(const scalar_quantization&, const scalar_quantization&) = default;
};
struct product_quantization {
  enum class ratio : std::uint8_t { x4, x8, x16, x32, x64 };
  ratio compression = ratio::x4;
  std::optional<bool> always_ram;
  std::optional<memory_placement> memory;
  friend bool operator==(const product_quantization&, const product_quantization&) = default;
};
struct binary_quantization {
  enum class coding : std::uint8_t { one_bit, two_bits, one_and_half_bits };
  enum class query_coding : std::uint8_t { standard, binary, scalar4bits, scalar8bits };
  std::optional<coding> encoding;
  std::optional<query_coding> query_encoding;
  std::optional<bool> always_ram;
  std::optional<memory_placement> memory;
  friend bool operator==(const binary_quantization&, const binary_quantization&) = default;
};
struct turbo_quantization {
  enum class width : std::uint8_t { bits1, bits1_5, bits2, bits4 };
  std::optional<width> bits;
  std::optional<bool> always_ram;
  std::optional<memory_placement> memory;
  friend bool operator==(const turbo_quantization&, const turbo_quantization&) = default;
};
using quantization_config = std::variant<scalar_quantization, product_quantization,
                                         binary_quantization, turbo_quantization>;

struct multivector_config {  // comparator: max_sim is the only one
  friend bool operator==(const multivector_config&, const multivector_config&) = default;
};

struct vector_params {
  std::uint64_t size = 0;
  distance metric = distance::cosine;
  std::optional<hnsw_config_diff> hnsw_config;
  std::optional<quantization_config> quantization;
  std::optional<bool> on_disk;
  std::optional<memory_placement> memory;
  std::optional<datatype> type;
  std::optional<multivector_config> multivector;
  friend bool operator==(const vector_params&, const vector_params&) = default;
};

struct sparse_index_params {
  std::optional<std::uint64_t> full_scan_threshold;
  std::optional<bool> on_disk;
  std::optional<memory_placement> memory;
  std::optional<datatype> type;
  friend bool operator==(const sparse_index_params&, const sparse_index_params&) = default;
};
struct sparse_vector_params {
  enum class weighting : std::uint8_t { none, idf };
  std::optional<sparse_index_params> index;
  std::optional<weighting> modifier;
  friend bool operator==(const sparse_vector_params&, const sparse_vector_params&) = default;
};

/// The "vectors" member: one unnamed vector, or a map of named ones (possibly empty).
struct vectors_config {
  bool single = false;  // printed as one object; its key below is ""
  std::map<std::string, vector_params> params;
  friend bool operator==(const vectors_config&, const vectors_config&) = default;
};

/// max_optimization_threads: a number, or "auto".
struct thread_setting {
  std::optional<std::uint64_t> count;
  friend bool operator==(const thread_setting&, const thread_setting&) = default;
};

struct optimizers_config_diff {
  std::optional<double> deleted_threshold;
  std::optional<std::uint64_t> vacuum_min_vector_number, default_segment_number, max_segment_size,
      memmap_threshold, indexing_threshold, flush_interval_sec;
  std::optional<thread_setting> max_optimization_threads;
  std::optional<bool> prevent_unoptimized;
  friend bool operator==(const optimizers_config_diff&, const optimizers_config_diff&) = default;
};

struct wal_config_diff {
  std::optional<std::uint64_t> wal_capacity_mb, wal_segments_ahead, wal_retain_closed;
  friend bool operator==(const wal_config_diff&, const wal_config_diff&) = default;
};

struct payload_storage_params {
  std::optional<memory_placement> memory;
  friend bool operator==(const payload_storage_params&, const payload_storage_params&) = default;
};

enum class sharding_method : std::uint8_t { automatic, custom };

struct strict_mode_multivector {
  std::optional<std::uint64_t> max_vectors;
  friend bool operator==(const strict_mode_multivector&, const strict_mode_multivector&) = default;
};
struct strict_mode_sparse {
  std::optional<std::uint64_t> max_length;
  friend bool operator==(const strict_mode_sparse&, const strict_mode_sparse&) = default;
};
struct strict_mode_config {
  std::optional<bool> enabled;
  std::optional<std::uint64_t> max_query_limit, max_timeout;
  std::optional<bool> unindexed_filtering_retrieve, unindexed_filtering_update;
  std::optional<std::uint64_t> search_max_hnsw_ef;
  std::optional<bool> search_allow_exact;
  std::optional<double> search_max_oversampling;
  std::optional<std::uint64_t> upsert_max_batchsize, search_max_batchsize,
      max_collection_vector_size_bytes, read_rate_limit, write_rate_limit,
      max_collection_payload_size_bytes, max_points_count, filter_max_conditions,
      condition_max_size, max_payload_index_count, max_resident_memory_percent;
  std::map<std::string, strict_mode_multivector> multivector_config;
  std::map<std::string, strict_mode_sparse> sparse_config;
  friend bool operator==(const strict_mode_config&, const strict_mode_config&) = default;
};

/// Body of PUT /collections/{name}, and what is kept of it. `metadata` is canonical JSON text of an
/// object, "" where absent.
struct collection_config {
  vectors_config vectors;
  std::map<std::string, sparse_vector_params> sparse_vectors;
  std::optional<std::uint64_t> shard_number;
  std::optional<sharding_method> sharding;
  std::optional<std::uint64_t> replication_factor, write_consistency_factor, read_fan_out_factor,
      read_fan_out_delay_ms;
  std::optional<bool> on_disk_payload;
  std::optional<payload_storage_params> payload;
  hnsw_config_diff hnsw_config;
  wal_config_diff wal_config;
  optimizers_config_diff optimizers_config;
  std::optional<quantization_config> quantization;
  std::optional<strict_mode_config> strict_mode;
  std::string metadata;
  friend bool operator==(const collection_config&, const collection_config&) = default;
};

/// "quantization_config" of a PATCH: a config, or the word "Disabled".
struct quantization_change {
  std::optional<quantization_config> config;  // nothing: disabled
};

struct vector_params_change {
  std::optional<hnsw_config_diff> hnsw_config;
  std::optional<quantization_change> quantization;
  std::optional<bool> on_disk;
  std::optional<memory_placement> memory;
};

/// Body of PATCH /collections/{name}: everything set here is merged into the config.
struct collection_change {
  std::map<std::string, vector_params_change> vectors;
  std::map<std::string, sparse_vector_params> sparse_vectors;
  std::optional<optimizers_config_diff> optimizers_config;
  std::optional<std::uint64_t> replication_factor, write_consistency_factor, read_fan_out_factor,
      read_fan_out_delay_ms;
  std::optional<bool> on_disk_payload;
  std::optional<payload_storage_params> payload;
  std::optional<hnsw_config_diff> hnsw_config;
  std::optional<quantization_change> quantization;
  std::optional<strict_mode_config> strict_mode;
  std::string metadata;  // canonical JSON object to merge; null values remove keys; "" = none
};

}  // namespace vexfs
