// SPDX-License-Identifier: Apache-2.0
#include "core/model/config_codec.h"

#include <concepts>

#include "core/model/describe.h"

namespace vexfs {
namespace {

// Values, from the inside out. `encode` appends one value, `decode` reads it back.

template <class T>
concept described = requires(T& value) { describe(value, [](std::string_view, auto&) {}); };

template <class T>
struct is_map : std::false_type {};
template <class T>
struct is_map<std::map<std::string, T>> : std::true_type {};

template <class T>
void encode(const T& value, byte_writer& out);
template <class T>
void decode(T& value, byte_reader& in);

template <class T>
void encode(const std::optional<T>& value, byte_writer& out) {
  out.number(static_cast<std::uint8_t>(value.has_value()));
  if (value) encode(*value, out);
}
template <class T>
void decode(std::optional<T>& value, byte_reader& in) {
  if (in.number<std::uint8_t>() != 0) decode(value.emplace(), in);
}

template <class T>
void encode(const std::map<std::string, T>& values, byte_writer& out) {
  out.count(values.size());
  for (const auto& [name, value] : values) {
    out.text(name);
    encode(value, out);
  }
}
template <class T>
void decode(std::map<std::string, T>& values, byte_reader& in) {
  for (std::size_t left = in.count(sizeof(std::uint32_t)); left > 0 && !in.failed(); --left) {
    const std::string name(in.text());
    decode(values[name], in);
  }
}

void encode_texts(const std::vector<std::string>& texts, byte_writer& out) {
  out.count(texts.size());
  for (const std::string& text : texts)
    out.text(text);
}
void decode_texts(std::vector<std::string>& texts, byte_reader& in) {
  texts.resize(in.count(sizeof(std::uint32_t)));
  for (std::string& text : texts)
    text = in.text();
}

template <class T>
void encode_members(const T& value, byte_writer& out) {
  std::uint32_t count = 0;
  describe(value, [&](std::string_view, const auto&) { ++count; });
  out.count(count);
  describe(value, [&](std::string_view name, const auto& member) {
    std::string bytes;
    byte_writer inner(bytes);
    encode(member, inner);
    out.text(name);
    out.text(bytes);
  });
}
template <class T>
void decode_members(T& value, byte_reader& in) {
  for (std::size_t left = in.count(2 * sizeof(std::uint32_t)); left > 0 && !in.failed(); --left) {
    const std::string_view wanted = in.text();
    byte_reader bytes(in.text());
    describe(value, [&](std::string_view name, auto& member) {
      if (name == wanted) decode(member, bytes);
    });
    if (bytes.failed()) in.fail();
  }
}

template <class T>
void encode(const T& value, byte_writer& out) {
  if constexpr (described<T>) {
    encode_members(value, out);
  } else if constexpr (std::is_enum_v<T>) {
    out.number(static_cast<std::uint8_t>(value));
  } else if constexpr (std::same_as<T, bool>) {
    out.number(static_cast<std::uint8_t>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    out.number(value);
  } else if constexpr (std::same_as<T, std::string>) {
    out.text(value);
  } else if constexpr (std::same_as<T, quantization_config>) {
    out.number(static_cast<std::uint8_t>(value.index()));
    std::visit([&](const auto& kind) { encode(kind, out); }, value);
  } else if constexpr (std::same_as<T, thread_setting>) {
    encode(value.count, out);
  } else if constexpr (std::same_as<T, stemmer_config>) {
    encode(value.snowball_language, out);
  } else if constexpr (std::same_as<T, stopwords_config>) {
    encode(value.language, out);
    encode_texts(value.languages, out);
    encode_texts(value.custom, out);
  } else {
    static_assert(std::same_as<T, multivector_config>);
  }
}

template <class T>
void decode(T& value, byte_reader& in) {
  if constexpr (described<T>) {
    decode_members(value, in);
  } else if constexpr (std::is_enum_v<T>) {
    const auto index = in.number<std::uint8_t>();
    if (index < enum_words<T>::list.size())
      value = static_cast<T>(index);
    else
      in.fail();
  } else if constexpr (std::same_as<T, bool>) {
    value = in.number<std::uint8_t>() != 0;
  } else if constexpr (std::is_arithmetic_v<T>) {
    value = in.number<T>();
  } else if constexpr (std::same_as<T, std::string>) {
    value = in.text();
  } else if constexpr (std::same_as<T, quantization_config>) {
    switch (in.number<std::uint8_t>()) {
      case 0:
        decode(value.template emplace<0>(), in);
        break;
      case 1:
        decode(value.template emplace<1>(), in);
        break;
      case 2:
        decode(value.template emplace<2>(), in);
        break;
      case 3:
        decode(value.template emplace<3>(), in);
        break;
      default:
        in.fail();
    }
  } else if constexpr (std::same_as<T, thread_setting>) {
    decode(value.count, in);
  } else if constexpr (std::same_as<T, stemmer_config>) {
    decode(value.snowball_language, in);
  } else if constexpr (std::same_as<T, stopwords_config>) {
    decode(value.language, in);
    decode_texts(value.languages, in);
    decode_texts(value.custom, in);
  } else {
    static_assert(std::same_as<T, multivector_config>);
  }
}

/// The members of a whole configuration; not the contract's nesting, which is net's.
template <class Config, class Visit>
void each_part(Config& config, Visit&& visit) {
  visit(config.vectors.single);
  visit(config.vectors.params);
  visit(config.sparse_vectors);
  visit(config.shard_number);
  visit(config.sharding);
  visit(config.replication_factor);
  visit(config.write_consistency_factor);
  visit(config.read_fan_out_factor);
  visit(config.read_fan_out_delay_ms);
  visit(config.on_disk_payload);
  visit(config.payload);
  visit(config.hnsw_config);
  visit(config.wal_config);
  visit(config.optimizers_config);
  visit(config.quantization);
  visit(config.strict_mode);
  visit(config.metadata);
}
static_assert(detail::member_count<collection_config>() == 16,
              "each_part() must list every member");

}  // namespace

void encode_config(const collection_config& config, byte_writer& out) {
  each_part(config, [&](const auto& part) { encode(part, out); });
}

collection_config decode_config(byte_reader& in) {
  collection_config config;
  each_part(config, [&](auto& part) { decode(part, in); });
  return config;
}

void encode_schema(const payload_field_schema& schema, byte_writer& out) {
  encode(schema.params, out);
  encode(schema.given_as_object, out);
}

payload_field_schema decode_schema(byte_reader& in) {
  payload_field_schema schema;
  decode(schema.params, in);
  decode(schema.given_as_object, in);
  return schema;
}

void encode_vector_params(const vector_params& params, byte_writer& out) {
  encode(params, out);
}
vector_params decode_vector_params(byte_reader& in) {
  vector_params params;
  decode(params, in);
  return params;
}
void encode_sparse_params(const sparse_vector_params& params, byte_writer& out) {
  encode(params, out);
}
sparse_vector_params decode_sparse_params(byte_reader& in) {
  sparse_vector_params params;
  decode(params, in);
  return params;
}

}  // namespace vexfs
