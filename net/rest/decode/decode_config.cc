// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_config.h"

#include <algorithm>
#include <concepts>

#include "core/base/limits.h"
#include "core/model/describe.h"

namespace vexfs::rest {
namespace {

template <class T>
concept described = requires(T& value) { describe(value, [](std::string_view, auto&) {}); };

/// A bound of a numeric member, by its name; the same name means the same everywhere.
struct bound {
  std::string_view name;
  double least;
  double most;
};
constexpr double no_most = 0x1p64;
constexpr bound bounds[] = {
    {"size", 1, vector_dim_max},
    {"ef_construct", 4, no_most},
    {"full_scan_threshold", 10, no_most},
    {"deleted_threshold", 0, 1},
    {"vacuum_min_vector_number", 100, no_most},
    {"max_segment_size", 1, no_most},
    {"wal_capacity_mb", 1, no_most},
    {"quantile", 0.5, 1},
    {"shard_number", 1, no_most},
    {"replication_factor", 1, no_most},
    {"write_consistency_factor", 1, no_most},
    {"read_fan_out_factor", 0, no_most},
    {"max_query_limit", 1, no_most},
    {"max_timeout", 1, no_most},
    {"read_rate_limit", 1, no_most},
    {"write_rate_limit", 1, no_most},
    {"max_points_count", 1, no_most},
    {"min_token_len", 0, no_most},
};

/// Other names under which a member is accepted.
constexpr std::pair<std::string_view, std::string_view> other_names[] = {
    {"full_scan_threshold", "full_scan_threshold_kb"},
    {"max_segment_size", "max_segment_size_kb"},
    {"memmap_threshold", "memmap_threshold_kb"},
    {"indexing_threshold", "indexing_threshold_kb"},
    {"quantization_config", "quantization"},
    {"optimizers_config", "optimizer_config"},
};

const node* find_member(const node& object, std::string_view name) {
  if (const node* found = object.find_set(name)) return found;
  for (const auto& [known, other] : other_names)
    if (known == name) return object.find_set(other);
  return nullptr;
}

std::string number_text(std::uint64_t value) {
  return std::to_string(value);
}
std::string number_text(double value) {
  std::string text = std::to_string(value);
  while (text.ends_with('0') && !text.ends_with(".0"))
    text.pop_back();
  return text;
}

template <class Number>
void check_bounds(decoder& in, std::string_view name, const std::string& path, Number value) {
  for (const bound& limit : bounds) {
    const auto given = static_cast<double>(value);
    if (limit.name != name || (given >= limit.least && given <= limit.most)) continue;
    const std::string least = number_text(static_cast<Number>(limit.least));
    in.invalid(path,
               "value " + number_text(value) + " invalid, must be " +
                   (limit.most == no_most
                        ? least + " or larger"
                        : "from " + least + " to " + number_text(static_cast<Number>(limit.most))));
  }
}

/// Numbers that the contract keeps in 32 bits.
constexpr std::string_view short_numbers[] = {"shard_number", "replication_factor",
                                              "write_consistency_factor", "read_fan_out_factor"};

template <class T>
void read(decoder& in, const node& value, std::string_view name, const std::string& path, T& out);

template <class T>
void read(decoder& in, const node& value, std::string_view name, const std::string& path,
          std::optional<T>& out) {
  read(in, value, name, path, out.emplace());
}

template <class T>
void read(decoder& in, const node& value, std::string_view, const std::string& path,
          std::map<std::string, T>& out) {
  if (!in.object(&value, "map")) return;
  for (const json::member& one : value.members)
    read(in, *one.value, one.name, path + ".?", out[std::string(one.name)]);
}

template <class T>
void read_members(decoder& in, const node& value, const std::string& path, T& out) {
  if (!in.object(&value, "config")) return;
  describe(out, [&](std::string_view name, auto& member) {
    if (in.failed()) return;
    const std::string where = path.empty() ? std::string(name) : path + "." + std::string(name);
    const node* found = find_member(value, name);
    if (found) {
      read(in, *found, name, where, member);
    } else if constexpr (std::same_as<T, vector_params>) {
      // The two members that a vector cannot do without.
      if (name == "size" || name == "distance")
        in.malformed("missing field `" + std::string(name) + "`");
    } else if constexpr (std::same_as<T, product_quantization>) {
      if (name == "compression") in.malformed("missing field `compression`");
    }
  });
}

template <class Enum>
void read_enum(decoder& in, const node& value, Enum& out) {
  const std::string_view word = in.string(value);
  if (in.failed()) return;
  std::string expected;
  for (std::size_t i = 0; i < enum_words<Enum>::list.size(); ++i) {
    if (enum_words<Enum>::list[i] == word) {
      out = static_cast<Enum>(i);
      return;
    }
    expected += (i > 0 ? ", `" : "`") + std::string(enum_words<Enum>::list[i]) + "`";
  }
  in.malformed("unknown variant `" + std::string(word) + "`, expected one of " + expected);
}

void read_quantization(decoder& in, const node& value, const std::string& path,
                       quantization_config& out) {
  if (!in.object(&value, "QuantizationConfig")) return;
  const node* inner = nullptr;
  if ((inner = value.find("scalar"))) {
    auto& scalar = out.emplace<scalar_quantization>();
    if (!in.object(inner, "ScalarQuantizationConfig")) return;
    const node* type = in.required(*inner, "type");
    if (type && in.string(*type) != "int8")
      in.malformed("unknown variant `" + std::string(type->text) + "`, expected `int8`");
    read_members(in, *inner, path + ".scalar", scalar);
  } else if ((inner = value.find("product"))) {
    read_members(in, *inner, path + ".product", out.emplace<product_quantization>());
  } else if ((inner = value.find("binary"))) {
    read_members(in, *inner, path + ".binary", out.emplace<binary_quantization>());
  } else if ((inner = value.find("turbo"))) {
    read_members(in, *inner, path + ".turbo", out.emplace<turbo_quantization>());
  } else {
    in.malformed("data did not match any variant of untagged enum QuantizationConfig");
  }
}

void read_stopwords(decoder& in, const node& value, stopwords_config& out) {
  if (value.is(node::form::string)) {
    out.language = std::string(value.text);
    return;
  }
  if (!in.object(&value, "StopwordsSet")) return;
  const auto words = [&](std::string_view name, std::vector<std::string>& list) {
    if (const node* found = value.find_set(name))
      for (const node& item : in.array(*found))
        list.emplace_back(in.string(item));
  };
  words("languages", out.languages);
  words("custom", out.custom);
}

void read_stemmer(decoder& in, const node& value, stemmer_config& out) {
  if (!in.object(&value, "StemmingAlgorithm")) return;
  const node* type = in.required(value, "type");
  if (!type) return;
  const std::string_view word = in.string(*type);
  if (word == "none") return;
  if (word != "snowball") {
    in.malformed("unknown variant `" + std::string(word) + "`, expected `snowball` or `none`");
    return;
  }
  if (const node* language = in.required(value, "language"))
    out.snowball_language = std::string(in.string(*language));
}

template <class T>
void read(decoder& in, const node& value, std::string_view name, const std::string& path, T& out) {
  if (in.failed()) return;
  if constexpr (described<T>) {
    read_members(in, value, path, out);
  } else if constexpr (std::is_enum_v<T>) {
    read_enum(in, value, out);
  } else if constexpr (std::same_as<T, bool>) {
    out = in.boolean(value);
  } else if constexpr (std::same_as<T, std::uint64_t>) {
    out = in.u64(value);
    if (out > UINT32_MAX && std::ranges::find(short_numbers, name) != std::end(short_numbers))
      in.malformed("invalid value: integer `" + std::to_string(out) + "`, expected u32");
    // Of a sparse vector's index the same name has no least value.
    const bool is_bound = !path.ends_with("index.full_scan_threshold");
    if (!in.failed() && is_bound) check_bounds(in, name, path, out);
  } else if constexpr (std::floating_point<T>) {
    out = static_cast<T>(in.f64(value));
    if (!in.failed()) check_bounds(in, name, path, static_cast<double>(out));
  } else if constexpr (std::same_as<T, quantization_config>) {
    read_quantization(in, value, path, out);
  } else if constexpr (std::same_as<T, thread_setting>) {
    if (value.is(node::form::string) && value.text == "auto") return;
    out.count = in.u64(value);
  } else if constexpr (std::same_as<T, stopwords_config>) {
    read_stopwords(in, value, out);
  } else if constexpr (std::same_as<T, stemmer_config>) {
    read_stemmer(in, value, out);
  } else {
    static_assert(std::same_as<T, multivector_config>);
    if (!in.object(&value, "MultiVectorConfig")) return;
    const node* comparator = in.required(value, "comparator");
    if (comparator && in.string(*comparator) != "max_sim")
      in.malformed("unknown variant `" + std::string(comparator->text) + "`, expected `max_sim`");
  }
}

template <class T>
void read_member(decoder& in, const node& object, std::string_view name, T& out) {
  if (in.failed()) return;
  if (const node* found = find_member(object, name)) read(in, *found, name, std::string(name), out);
}

void check_vector_name(decoder& in, std::string_view name, const std::string& path) {
  if (name.size() > vector_name_bytes_max)
    in.invalid(path, "vector name must be at most 200 bytes long");
  for (const char c : name)
    if (std::string_view("<>:\"/\\|?*\0\x1f", 11).find(c) != std::string_view::npos) {
      in.invalid(path, std::string("vector name cannot contain \"") + c + "\" char");
      return;
    }
}

void read_vectors(decoder& in, const node& value, vectors_config& out) {
  if (!in.object(&value, "VectorsConfig")) return;
  if (value.find("size") && value.find("distance") && !value.find("size")->is(node::form::object)) {
    out.single = true;
    read(in, value, "", "vectors", out.params[""]);
    return;
  }
  for (const json::member& one : value.members) {
    check_vector_name(in, one.name, "vectors");
    if (!one.value->is(node::form::object)) {
      in.malformed("data did not match any variant of untagged enum VectorsConfig");
      return;
    }
    read(in, *one.value, one.name, "vectors.?", out.params[std::string(one.name)]);
  }
}

void check_vector_memory(decoder& in, std::optional<memory_placement> memory) {
  if (memory == memory_placement::pinned)
    in.invalid("vectors.memory", "dense vectors do not support the `pinned` memory placement");
}

void check_payload_memory(decoder& in, std::optional<payload_storage_params> payload,
                          const std::string& path) {
  if (payload && payload->memory == memory_placement::pinned)
    in.invalid(path, "payload storage does not support the `pinned` memory placement");
}

void check_memory(decoder& in, const collection_config& config) {
  for (const auto& [name, params] : config.vectors.params)
    check_vector_memory(in, params.memory);
  check_payload_memory(in, config.payload, "payload.memory");
  for (const auto& [name, params] : config.sparse_vectors)
    if (params.index && params.index->type == datatype::turbo4)
      in.invalid("sparse_vectors", "sparse vectors do not support the `turbo4` datatype");
}

void read_quantization_change(decoder& in, const node& object,
                              std::optional<quantization_change>& out) {
  const node* found = find_member(object, "quantization_config");
  if (!found || in.failed()) return;
  out.emplace();
  if (found->is(node::form::string) && found->text == "Disabled") return;
  read_quantization(in, *found, "quantization_config", out->config.emplace());
}

template <class T>
result<T> finished(const decoder& in, T value) {
  if (auto failure = in.finish()) return std::unexpected(std::move(*failure));
  return value;
}

}  // namespace

std::string check_collection_name(std::string_view name) {
  if (name.empty() || name.size() > collection_name_chars_max)
    return "value \"" + std::string(name) + "\" invalid, must be from 1 to 255 characters";
  for (const char c : name)
    if (std::string_view("<>:\"/\\|?*\0\x1f", 11).find(c) != std::string_view::npos)
      return std::string("collection name cannot contain \"") + c + "\" char";
  return "";
}

result<collection_config> decode_create_collection(std::string_view body, arena& memory) {
  decoder in(body, memory);
  collection_config config;
  const node* root = in.object(in.parse(), "CreateCollection");
  if (root) {
    if (const node* vectors = root->find_set("vectors")) read_vectors(in, *vectors, config.vectors);
    if (const node* sparse = root->find_set("sparse_vectors")) {
      read(in, *sparse, "", "sparse_vectors", config.sparse_vectors);
      for (const auto& [name, params] : config.sparse_vectors) {
        if (name.empty()) in.invalid("sparse_vectors", "Sparse vector name cannot be empty");
        check_vector_name(in, name, "sparse_vectors");
      }
    }
    read_member(in, *root, "shard_number", config.shard_number);
    read_member(in, *root, "sharding_method", config.sharding);
    read_member(in, *root, "replication_factor", config.replication_factor);
    read_member(in, *root, "write_consistency_factor", config.write_consistency_factor);
    read_member(in, *root, "on_disk_payload", config.on_disk_payload);
    read_member(in, *root, "payload", config.payload);
    read_member(in, *root, "hnsw_config", config.hnsw_config);
    read_member(in, *root, "wal_config", config.wal_config);
    read_member(in, *root, "optimizers_config", config.optimizers_config);
    read_member(in, *root, "quantization_config", config.quantization);
    read_member(in, *root, "strict_mode_config", config.strict_mode);
    if (const node* metadata = root->find_set("metadata"))
      config.metadata = std::string(in.payload(*metadata));
    if (!in.failed()) check_memory(in, config);
    if (!in.failed() && config.sharding == sharding_method::custom)
      in.refuse(errc::unsupported, "custom sharding is not supported");
  }
  return finished(in, std::move(config));
}

result<collection_change> decode_update_collection(std::string_view body, arena& memory) {
  decoder in(body, memory);
  collection_change change;
  const node* root = in.object(in.parse(), "UpdateCollection");
  if (root) {
    if (const node* vectors = root->find_set("vectors");
        vectors && in.object(vectors, "VectorsConfigDiff")) {
      for (const json::member& one : vectors->members) {
        vector_params_change& given = change.vectors[std::string(one.name)];
        if (!in.object(one.value, "VectorParamsDiff")) break;
        read_member(in, *one.value, "hnsw_config", given.hnsw_config);
        read_quantization_change(in, *one.value, given.quantization);
        read_member(in, *one.value, "on_disk", given.on_disk);
        read_member(in, *one.value, "memory", given.memory);
        check_vector_memory(in, given.memory);
      }
    }
    if (const node* sparse = root->find_set("sparse_vectors"))
      read(in, *sparse, "", "sparse_vectors", change.sparse_vectors);
    read_member(in, *root, "optimizers_config", change.optimizers_config);
    read_member(in, *root, "hnsw_config", change.hnsw_config);
    read_member(in, *root, "strict_mode_config", change.strict_mode);
    read_quantization_change(in, *root, change.quantization);
    if (const node* params = root->find_set("params");
        params && in.object(params, "CollectionParamsDiff")) {
      read_member(in, *params, "replication_factor", change.replication_factor);
      read_member(in, *params, "write_consistency_factor", change.write_consistency_factor);
      read_member(in, *params, "read_fan_out_factor", change.read_fan_out_factor);
      read_member(in, *params, "read_fan_out_delay_ms", change.read_fan_out_delay_ms);
      read_member(in, *params, "on_disk_payload", change.on_disk_payload);
      read_member(in, *params, "payload", change.payload);
      check_payload_memory(in, change.payload, "params.payload.memory");
    }
    if (const node* metadata = root->find_set("metadata"))
      change.metadata = std::string(in.payload(*metadata));
  }
  return finished(in, std::move(change));
}

result<std::vector<alias_action>> decode_alias_actions(std::string_view body, arena& memory) {
  decoder in(body, memory);
  std::vector<alias_action> actions;
  const node* root = in.object(in.parse(), "ChangeAliasesOperation");
  const node* list = root ? in.required(*root, "actions") : nullptr;
  if (list) {
    const auto text = [&](const node& object, std::string_view name) {
      const node* found = in.required(object, name);
      return found ? std::string(in.string(*found)) : std::string();
    };
    for (const node& item : in.array(*list)) {
      if (!in.object(&item, "AliasOperations")) break;
      if (const node* create = item.find("create_alias")) {
        create_alias action{text(*create, "collection_name"), text(*create, "alias_name")};
        if (const std::string bad = check_collection_name(action.alias); !bad.empty())
          in.invalid("actions[" + std::to_string(actions.size()) + "].create_alias.alias_name",
                     bad);
        actions.emplace_back(std::move(action));
      } else if (const node* remove = item.find("delete_alias")) {
        actions.emplace_back(delete_alias{text(*remove, "alias_name")});
      } else if (const node* rename = item.find("rename_alias")) {
        actions.emplace_back(
            rename_alias{text(*rename, "old_alias_name"), text(*rename, "new_alias_name")});
      } else {
        in.malformed("data did not match any variant of untagged enum AliasOperations");
      }
    }
  }
  return finished(in, std::move(actions));
}

result<create_index_request> decode_create_index(std::string_view body, arena& memory) {
  decoder in(body, memory);
  create_index_request request;
  if (const node* root = in.object(in.parse(), "CreateFieldIndex")) {
    if (const node* field = in.required(*root, "field_name")) request.field = in.path(*field);
    const node* schema = root->find_set("field_schema");
    if (!schema) schema = root->find_set("field_type");
    if (in.failed()) return finished(in, std::move(request));
    if (!schema) {
      in.refuse(errc::bad_input,
                "Can't auto-detect field type, please specify `field_schema` in the request");
    } else if (schema->is(node::form::string)) {
      read_enum(in, *schema, request.schema.params.type);
    } else if (in.object(schema, "PayloadFieldSchema")) {
      request.schema.given_as_object = true;
      if (in.required(*schema, "type"))
        read(in, *schema, "", "field_schema", request.schema.params);
      if (request.schema.params.lookup == false && request.schema.params.range == false)
        in.invalid("field_schema",
                   "Validation error: the 'lookup' and 'range' capabilities can't be both "
                   "disabled [{}]");
    }
  }
  return finished(in, std::move(request));
}

result<create_vector_request> decode_create_vector(std::string_view body, arena& memory) {
  decoder in(body, memory);
  create_vector_request request;
  if (const node* root = in.object(in.parse(), "VectorNameConfig")) {
    read_member(in, *root, "dense", request.dense);
    read_member(in, *root, "sparse", request.sparse);
    if (!in.failed() && request.dense.has_value() == request.sparse.has_value())
      in.malformed("data did not match any variant of untagged enum VectorNameConfig");
  }
  return finished(in, std::move(request));
}

}  // namespace vexfs::rest
