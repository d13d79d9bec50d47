// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "core/model/collection_config.h"

// The one list of the members of every settings struct, with the names of the contract. Reading and
// printing JSON and keeping settings on disk all walk it: describe(settings, visit) calls
// visit(name, member) for each. Each list ends in a check that no member was forgotten.
namespace vexfs {

namespace detail {

/// The number of members of an aggregate, as far as braces can tell.
struct any_value {
  template <class T>
  operator T() const;
};
template <class T, class... Values>
consteval std::size_t member_count() {
  if constexpr (requires { T{Values{}..., any_value{}}; })
    return member_count<T, Values..., any_value>();
  else
    return sizeof...(Values);
}

}  // namespace detail

#define VEXFS_MEMBERS_OF(type, count) \
  static_assert(detail::member_count<type>() == (count), "describe() must list every member")

VEXFS_MEMBERS_OF(hnsw_config_diff, 8);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, hnsw_config_diff>
void describe(Config& config, Visit&& visit) {
  visit("m", config.m);
  visit("ef_construct", config.ef_construct);
  visit("full_scan_threshold", config.full_scan_threshold);
  visit("max_indexing_threads", config.max_indexing_threads);
  visit("on_disk", config.on_disk);
  visit("memory", config.memory);
  visit("payload_m", config.payload_m);
  visit("inline_storage", config.inline_storage);
}

VEXFS_MEMBERS_OF(scalar_quantization, 3);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, scalar_quantization>
void describe(Config& config, Visit&& visit) {
  visit("quantile", config.quantile);
  visit("always_ram", config.always_ram);
  visit("memory", config.memory);
}

VEXFS_MEMBERS_OF(product_quantization, 3);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, product_quantization>
void describe(Config& config, Visit&& visit) {
  visit("compression", config.compression);
  visit("always_ram", config.always_ram);
  visit("memory", config.memory);
}

VEXFS_MEMBERS_OF(binary_quantization, 4);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, binary_quantization>
void describe(Config& config, Visit&& visit) {
  visit("always_ram", config.always_ram);
  visit("encoding", config.encoding);
  visit("query_encoding", config.query_encoding);
  visit("memory", config.memory);
}

VEXFS_MEMBERS_OF(turbo_quantization, 3);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, turbo_quantization>
void describe(Config& config, Visit&& visit) {
  visit("bits", config.bits);
  visit("always_ram", config.always_ram);
  visit("memory", config.memory);
}

VEXFS_MEMBERS_OF(vector_params, 8);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, vector_params>
void describe(Config& config, Visit&& visit) {
  visit("size", config.size);
  visit("distance", config.metric);
  visit("hnsw_config", config.hnsw_config);
  visit("quantization_config", config.quantization);
  visit("on_disk", config.on_disk);
  visit("memory", config.memory);
  visit("datatype", config.type);
  visit("multivector_config", config.multivector);
}

VEXFS_MEMBERS_OF(sparse_index_params, 4);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, sparse_index_params>
void describe(Config& config, Visit&& visit) {
  visit("full_scan_threshold", config.full_scan_threshold);
  visit("on_disk", config.on_disk);
  visit("memory", config.memory);
  visit("datatype", config.type);
}

VEXFS_MEMBERS_OF(sparse_vector_params, 2);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, sparse_vector_params>
void describe(Config& config, Visit&& visit) {
  visit("index", config.index);
  visit("modifier", config.modifier);
}

VEXFS_MEMBERS_OF(optimizers_config_diff, 9);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, optimizers_config_diff>
void describe(Config& config, Visit&& visit) {
  visit("deleted_threshold", config.deleted_threshold);
  visit("vacuum_min_vector_number", config.vacuum_min_vector_number);
  visit("default_segment_number", config.default_segment_number);
  visit("max_segment_size", config.max_segment_size);
  visit("memmap_threshold", config.memmap_threshold);
  visit("indexing_threshold", config.indexing_threshold);
  visit("flush_interval_sec", config.flush_interval_sec);
  visit("max_optimization_threads", config.max_optimization_threads);
  visit("prevent_unoptimized", config.prevent_unoptimized);
}

VEXFS_MEMBERS_OF(wal_config_diff, 3);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, wal_config_diff>
void describe(Config& config, Visit&& visit) {
  visit("wal_capacity_mb", config.wal_capacity_mb);
  visit("wal_segments_ahead", config.wal_segments_ahead);
  visit("wal_retain_closed", config.wal_retain_closed);
}

VEXFS_MEMBERS_OF(payload_storage_params, 1);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, payload_storage_params>
void describe(Config& config, Visit&& visit) {
  visit("memory", config.memory);
}

VEXFS_MEMBERS_OF(strict_mode_multivector, 1);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, strict_mode_multivector>
void describe(Config& config, Visit&& visit) {
  visit("max_vectors", config.max_vectors);
}

VEXFS_MEMBERS_OF(strict_mode_sparse, 1);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, strict_mode_sparse>
void describe(Config& config, Visit&& visit) {
  visit("max_length", config.max_length);
}

VEXFS_MEMBERS_OF(strict_mode_config, 21);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, strict_mode_config>
void describe(Config& config, Visit&& visit) {
  visit("enabled", config.enabled);
  visit("max_query_limit", config.max_query_limit);
  visit("max_timeout", config.max_timeout);
  visit("unindexed_filtering_retrieve", config.unindexed_filtering_retrieve);
  visit("unindexed_filtering_update", config.unindexed_filtering_update);
  visit("search_max_hnsw_ef", config.search_max_hnsw_ef);
  visit("search_allow_exact", config.search_allow_exact);
  visit("search_max_oversampling", config.search_max_oversampling);
  visit("upsert_max_batchsize", config.upsert_max_batchsize);
  visit("search_max_batchsize", config.search_max_batchsize);
  visit("max_collection_vector_size_bytes", config.max_collection_vector_size_bytes);
  visit("read_rate_limit", config.read_rate_limit);
  visit("write_rate_limit", config.write_rate_limit);
  visit("max_collection_payload_size_bytes", config.max_collection_payload_size_bytes);
  visit("max_points_count", config.max_points_count);
  visit("filter_max_conditions", config.filter_max_conditions);
  visit("condition_max_size", config.condition_max_size);
  visit("max_payload_index_count", config.max_payload_index_count);
  visit("max_resident_memory_percent", config.max_resident_memory_percent);
  visit("multivector_config", config.multivector_config);
  visit("sparse_config", config.sparse_config);
}

VEXFS_MEMBERS_OF(payload_field_params, 17);
template <class Config, class Visit>
  requires std::is_same_v<std::remove_const_t<Config>, payload_field_params>
void describe(Config& config, Visit&& visit) {
  visit("type", config.type);
  visit("on_disk", config.on_disk);
  visit("memory", config.memory);
  visit("enable_hnsw", config.enable_hnsw);
  visit("is_tenant", config.is_tenant);
  visit("is_principal", config.is_principal);
  visit("prefix", config.prefix);
  visit("lookup", config.lookup);
  visit("range", config.range);
  visit("tokenizer", config.tokenizer);
  visit("min_token_len", config.min_token_len);
  visit("max_token_len", config.max_token_len);
  visit("lowercase", config.lowercase);
  visit("ascii_folding", config.ascii_folding);
  visit("phrase_matching", config.phrase_matching);
  visit("stopwords", config.stopwords);
  visit("stemmer", config.stemmer);
}

#undef VEXFS_MEMBERS_OF

/// The words of an enumeration, in the order of its values.
template <class Enum>
struct enum_words;

#define VEXFS_ENUM_WORDS(type, ...)                                              \
  template <>                                                                    \
  struct enum_words<type> {                                                      \
    static constexpr auto list = std::to_array<std::string_view>({__VA_ARGS__}); \
  }

VEXFS_ENUM_WORDS(distance, "Cosine", "Euclid", "Dot", "Manhattan");
VEXFS_ENUM_WORDS(datatype, "float32", "float16", "uint8", "turbo4");
VEXFS_ENUM_WORDS(memory_placement, "cold", "cached", "pinned");
VEXFS_ENUM_WORDS(sharding_method, "auto", "custom");
VEXFS_ENUM_WORDS(product_quantization::ratio, "x4", "x8", "x16", "x32", "x64");
VEXFS_ENUM_WORDS(binary_quantization::coding, "one_bit", "two_bits", "one_and_half_bits");
VEXFS_ENUM_WORDS(binary_quantization::query_coding, "default", "binary", "scalar4bits",
                 "scalar8bits");
VEXFS_ENUM_WORDS(turbo_quantization::width, "bits1", "bits1_5", "bits2", "bits4");
VEXFS_ENUM_WORDS(sparse_vector_params::weighting, "none", "idf");
VEXFS_ENUM_WORDS(payload_type, "keyword", "integer", "float", "geo", "text", "bool", "datetime",
                 "uuid");
VEXFS_ENUM_WORDS(text_tokenizer, "prefix", "whitespace", "word", "multilingual");

#undef VEXFS_ENUM_WORDS

template <class Enum>
[[nodiscard]] constexpr std::string_view word_of(Enum value) {
  return enum_words<Enum>::list[static_cast<std::size_t>(value)];
}

/// The kinds of quantization, in the order of quantization_config's alternatives.
inline constexpr auto quantization_words =
    std::to_array<std::string_view>({"scalar", "product", "binary", "turbo"});

}  // namespace vexfs
