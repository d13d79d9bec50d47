// SPDX-License-Identifier: Apache-2.0
#include "net/rest/encode_config.h"

#include <concepts>
#include <utility>

#include "core/model/describe.h"
#include "core/payload/print.h"

namespace vexfs::rest {
namespace {

template <class T>
concept described = requires(T& value) { describe(value, [](std::string_view, auto&) {}); };

/// Prints the members of an object, commas included.
class object_printer {
 public:
  explicit object_printer(std::string& out) : out_(out) { out_ += '{'; }
  void close() { out_ += '}'; }

  void name(std::string_view member) {
    if (!std::exchange(first_, false)) out_ += ',';
    append_json_string(out_, member);
    out_ += ':';
  }
  template <class T>
  void member(std::string_view member_name, const T& value);
  /// Only where it is set.
  template <class T>
  void member(std::string_view member_name, const std::optional<T>& value) {
    if (value) member(member_name, *value);
  }
  template <class T>
  void member(std::string_view member_name, const std::map<std::string, T>& values) {
    if (!values.empty()) print_map(member_name, values);
  }
  template <class T>
  void print_map(std::string_view member_name, const std::map<std::string, T>& values);
  void null(std::string_view member_name) {
    name(member_name);
    out_ += "null";
  }

 private:
  std::string& out_;
  bool first_ = true;
};

template <class T>
void append_value(std::string& out, const T& value) {
  if constexpr (described<T>) {
    object_printer object(out);
    describe(value,
             [&](std::string_view name, const auto& member) { object.member(name, member); });
    object.close();
  } else if constexpr (std::is_enum_v<T>) {
    append_json_string(out, word_of(value));
  } else if constexpr (std::same_as<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    append_json_number(out, value);
  } else if constexpr (std::same_as<T, std::string>) {
    append_json_string(out, value);
  } else if constexpr (std::same_as<T, quantization_config>) {
    object_printer object(out);
    object.name(quantization_words[value.index()]);
    object_printer inner(out);
    if (std::holds_alternative<scalar_quantization>(value))
      inner.member("type", std::string("int8"));
    std::visit(
        [&](const auto& kind) {
          describe(kind,
                   [&](std::string_view name, const auto& member) { inner.member(name, member); });
        },
        value);
    inner.close();
    object.close();
  } else if constexpr (std::same_as<T, thread_setting>) {
    if (value.count)
      append_json_number(out, *value.count);
    else
      out += "\"auto\"";
  } else if constexpr (std::same_as<T, stopwords_config>) {
    if (value.language) {
      append_json_string(out, *value.language);
      return;
    }
    object_printer object(out);
    const auto list = [&](std::string_view name, const std::vector<std::string>& words) {
      if (words.empty()) return;
      object.name(name);
      out += '[';
      for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += ',';
        append_json_string(out, words[i]);
      }
      out += ']';
    };
    list("languages", value.languages);
    list("custom", value.custom);
    object.close();
  } else if constexpr (std::same_as<T, stemmer_config>) {
    object_printer object(out);
    object.member("type", std::string(value.snowball_language ? "snowball" : "none"));
    object.member("language", value.snowball_language);
    object.close();
  } else {
    static_assert(std::same_as<T, multivector_config>);
    out += R"({"comparator":"max_sim"})";
  }
}

template <class T>
void object_printer::member(std::string_view member_name, const T& value) {
  name(member_name);
  append_value(out_, value);
}

template <class T>
void object_printer::print_map(std::string_view member_name,
                               const std::map<std::string, T>& values) {
  name(member_name);
  object_printer object(out_);
  for (const auto& [key, value] : values)
    object.member(key, value);
  object.close();
}

void append_optimizers(std::string& out, const optimizers_config_diff& config) {
  object_printer object(out);
  object.member("deleted_threshold", config.deleted_threshold.value_or(0.2));
  object.member("vacuum_min_vector_number", config.vacuum_min_vector_number.value_or(1000));
  object.member("default_segment_number", config.default_segment_number.value_or(0));
  const auto nullable = [&](std::string_view name, const auto& value) {
    if (value)
      object.member(name, *value);
    else
      object.null(name);
  };
  nullable("max_segment_size", config.max_segment_size);
  nullable("memmap_threshold", config.memmap_threshold);
  nullable("indexing_threshold",
           std::optional<std::uint64_t>(config.indexing_threshold.value_or(10000)));
  object.member("flush_interval_sec", config.flush_interval_sec.value_or(5));
  nullable("max_optimization_threads", config.max_optimization_threads);
  object.member("prevent_unoptimized", config.prevent_unoptimized);
  object.close();
}

void append_hnsw(std::string& out, const hnsw_config_diff& config) {
  object_printer object(out);
  object.member("m", config.m.value_or(16));
  object.member("ef_construct", config.ef_construct.value_or(100));
  object.member("full_scan_threshold", config.full_scan_threshold.value_or(10000));
  object.member("max_indexing_threads", config.max_indexing_threads.value_or(0));
  object.member("on_disk", config.on_disk.value_or(false));
  object.member("memory", config.memory);
  object.member("payload_m", config.payload_m);
  object.member("inline_storage", config.inline_storage);
  object.close();
}

void append_wal(std::string& out, const wal_config_diff& config) {
  object_printer object(out);
  object.member("wal_capacity_mb", config.wal_capacity_mb.value_or(32));
  object.member("wal_segments_ahead", config.wal_segments_ahead.value_or(0));
  object.member("wal_retain_closed", config.wal_retain_closed.value_or(1));
  object.close();
}

}  // namespace

void append_params(std::string& out, const collection_config& config) {
  object_printer params(out);
  if (config.vectors.single)
    params.member("vectors", config.vectors.params.begin()->second);
  else
    params.print_map("vectors", config.vectors.params);
  params.member("shard_number", config.shard_number);
  params.member("sharding_method", config.sharding);
  params.member("replication_factor", config.replication_factor);
  params.member("write_consistency_factor", config.write_consistency_factor);
  params.member("read_fan_out_factor", config.read_fan_out_factor);
  params.member("read_fan_out_delay_ms", config.read_fan_out_delay_ms);
  params.member("on_disk_payload", config.on_disk_payload);
  params.member("payload", config.payload);
  params.member("sparse_vectors", config.sparse_vectors);
  params.close();
}

std::vector<std::string> config_warnings(const collection_config& config) {
  std::vector<std::string> warnings;
  for (const auto& [name, params] : config.vectors.params) {
    const auto own = params.hnsw_config ? params.hnsw_config->inline_storage : std::nullopt;
    if (!own.value_or(config.hnsw_config.inline_storage.value_or(false))) continue;
    const std::string option = "The `hnsw_config.inline_storage` option for vector '" + name + "' ";
    if (params.multivector)
      warnings.push_back(option +
                         "is not compatible with multivectors. This option will be ignored.");
    else if (!params.quantization && !config.quantization)
      warnings.push_back(option +
                         "requires quantization to be enabled. This option will be ignored.");
  }
  return warnings;
}

void append_config(std::string& out, const collection_config& config) {
  object_printer object(out);
  object.name("params");
  append_params(out, config);
  object.name("hnsw_config");
  append_hnsw(out, config.hnsw_config);
  object.name("optimizer_config");
  append_optimizers(out, config.optimizers_config);
  object.name("wal_config");
  append_wal(out, config.wal_config);
  if (config.quantization)
    object.member("quantization_config", *config.quantization);
  else
    object.null("quantization_config");
  object.member("strict_mode_config", config.strict_mode);
  if (!config.metadata.empty()) {
    object.name("metadata");
    out += config.metadata;
  }
  object.close();
}

void append_schema(std::string& out, const payload_field_schema& schema, std::uint64_t points) {
  object_printer object(out);
  object.member("data_type", schema.params.type);
  if (schema.given_as_object) object.member("params", schema.params);
  object.member("points", points);
  object.close();
}

}  // namespace vexfs::rest
