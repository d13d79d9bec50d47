// SPDX-License-Identifier: Apache-2.0
#include "core/database/log_record.h"

#include "core/base/bytes.h"
#include "core/model/config_codec.h"

namespace vexfs {
namespace {

// The first byte of a record. Numbers are never given a new meaning.
enum class tag : std::uint8_t {
  upsert = 1,
  delete_points = 2,
  update_vectors = 3,
  delete_vectors = 4,
  set_payload = 5,
  overwrite_payload = 6,
  delete_payload = 7,
  clear_payload = 8,
  create_index = 9,
  delete_index = 10,
  create_vector = 11,
  delete_vector = 12,
};

void encode_id(const point_id& id, byte_writer& out) {
  out.number(static_cast<std::uint8_t>(id.kind));
  if (id.kind == point_id::form::uuid) out.number(id.high);
  out.number(id.low);
}
point_id decode_id(byte_reader& in) {
  point_id id;
  const auto kind = in.number<std::uint8_t>();
  if (kind > 1) in.fail();
  id.kind = kind == 1 ? point_id::form::uuid : point_id::form::number;
  if (kind == 1) id.high = in.number<std::uint64_t>();
  id.low = in.number<std::uint64_t>();
  return id;
}
constexpr std::size_t id_bytes_min = 9;

void encode_ids(std::span<const point_id> ids, byte_writer& out) {
  out.count(ids.size());
  for (const point_id& id : ids)
    encode_id(id, out);
}
std::span<const point_id> decode_ids(byte_reader& in, arena& memory) {
  const auto ids = memory.array<point_id>(in.count(id_bytes_min));
  for (point_id& id : ids)
    id = decode_id(in);
  return ids;
}

template <class Number>
std::span<const Number> decode_numbers(byte_reader& in, arena& memory) {
  const std::string_view raw = in.raw_numbers<Number>();
  auto* numbers = static_cast<Number*>(memory.allocate(raw.size(), alignof(Number)));
  if (!raw.empty()) std::memcpy(numbers, raw.data(), raw.size());
  return {numbers, raw.size() / sizeof(Number)};
}

void encode_vectors(std::span<const named_vector> vectors, byte_writer& out) {
  out.count(vectors.size());
  for (const named_vector& vector : vectors) {
    out.text(vector.name);
    out.number(static_cast<std::uint8_t>(vector.value.kind));
    out.number(vector.value.row_count);
    out.numbers(vector.value.values);
    out.numbers(vector.value.indices);
  }
}
std::span<const named_vector> decode_vectors(byte_reader& in, arena& memory) {
  const auto vectors = memory.array<named_vector>(in.count(4 + 1 + 4 + 4 + 4));
  for (named_vector& vector : vectors) {
    vector.name = in.text();
    const auto kind = in.number<std::uint8_t>();
    if (kind > static_cast<std::uint8_t>(vector_kind::sparse)) in.fail();
    vector.value.kind = static_cast<vector_kind>(kind);
    vector.value.row_count = in.number<std::uint32_t>();
    vector.value.values = decode_numbers<float>(in, memory);
    vector.value.indices = decode_numbers<std::uint32_t>(in, memory);
  }
  return vectors;
}

void encode_path(const payload_path& path, byte_writer& out) {
  out.text(path.text);
}
payload_path decode_path(byte_reader& in, arena& memory) {
  const auto parsed = parse_payload_path(in.text(), memory);
  if (!parsed) {
    in.fail();
    return {};
  }
  return *parsed;
}

struct encoder {
  byte_writer& out;

  void start(tag kind) const { out.number(static_cast<std::uint8_t>(kind)); }

  void operator()(const upsert_points& operation) const {
    start(tag::upsert);
    out.count(operation.points.size());
    for (const point_struct& point : operation.points) {
      encode_id(point.id, out);
      encode_vectors(point.vectors, out);
      out.text(point.payload);
    }
  }
  void operator()(const delete_points& operation) const {
    start(tag::delete_points);
    encode_ids(operation.selector.ids, out);
  }
  void operator()(const update_vectors& operation) const {
    start(tag::update_vectors);
    out.count(operation.points.size());
    for (const point_vectors& point : operation.points) {
      encode_id(point.id, out);
      encode_vectors(point.vectors, out);
    }
  }
  void operator()(const delete_vectors& operation) const {
    start(tag::delete_vectors);
    encode_ids(operation.selector.ids, out);
    out.count(operation.names.size());
    for (const std::string_view name : operation.names)
      out.text(name);
  }
  void operator()(const set_payload& operation) const {
    start(tag::set_payload);
    encode_ids(operation.selector.ids, out);
    out.text(operation.payload);
    out.number(static_cast<std::uint8_t>(operation.key.has_value()));
    if (operation.key) encode_path(*operation.key, out);
  }
  void operator()(const overwrite_payload& operation) const {
    start(tag::overwrite_payload);
    encode_ids(operation.selector.ids, out);
    out.text(operation.payload);
  }
  void operator()(const delete_payload& operation) const {
    start(tag::delete_payload);
    encode_ids(operation.selector.ids, out);
    out.count(operation.keys.size());
    for (const payload_path& key : operation.keys)
      encode_path(key, out);
  }
  void operator()(const clear_payload& operation) const {
    start(tag::clear_payload);
    encode_ids(operation.selector.ids, out);
  }
  void operator()(const create_field_index& operation) const {
    start(tag::create_index);
    encode_path(operation.field, out);
    encode_schema(*operation.schema, out);
  }
  void operator()(const delete_field_index& operation) const {
    start(tag::delete_index);
    encode_path(operation.field, out);
  }
  void operator()(const create_vector_name& operation) const {
    start(tag::create_vector);
    out.text(operation.name);
    out.number(static_cast<std::uint8_t>(operation.sparse != nullptr));
    if (operation.sparse)
      encode_sparse_params(*operation.sparse, out);
    else
      encode_vector_params(*operation.dense, out);
  }
  void operator()(const delete_vector_name& operation) const {
    start(tag::delete_vector);
    out.text(operation.name);
  }
};

update_operation decode_operation(byte_reader& in, decoded_settings& settings, arena& memory) {
  switch (static_cast<tag>(in.number<std::uint8_t>())) {
    case tag::upsert: {
      const auto points = memory.array<point_struct>(in.count(id_bytes_min + 4 + 4));
      for (point_struct& point : points) {
        point.id = decode_id(in);
        point.vectors = decode_vectors(in, memory);
        point.payload = in.text();
      }
      return upsert_points{points, nullptr, update_mode::upsert};
    }
    case tag::delete_points:
      return delete_points{{decode_ids(in, memory), nullptr}};
    case tag::update_vectors: {
      const auto points = memory.array<point_vectors>(in.count(id_bytes_min + 4));
      for (point_vectors& point : points) {
        point.id = decode_id(in);
        point.vectors = decode_vectors(in, memory);
      }
      return update_vectors{points, nullptr};
    }
    case tag::delete_vectors: {
      const auto ids = decode_ids(in, memory);
      const auto names = memory.array<std::string_view>(in.count(4));
      for (std::string_view& name : names)
        name = in.text();
      return delete_vectors{{ids, nullptr}, names};
    }
    case tag::set_payload: {
      set_payload operation;
      operation.selector.ids = decode_ids(in, memory);
      operation.payload = in.text();
      if (in.number<std::uint8_t>() != 0) operation.key = decode_path(in, memory);
      return operation;
    }
    case tag::overwrite_payload: {
      overwrite_payload operation;
      operation.selector.ids = decode_ids(in, memory);
      operation.payload = in.text();
      return operation;
    }
    case tag::delete_payload: {
      const auto ids = decode_ids(in, memory);
      const auto keys = memory.array<payload_path>(in.count(4));
      for (payload_path& key : keys)
        key = decode_path(in, memory);
      return delete_payload{{ids, nullptr}, keys};
    }
    case tag::clear_payload:
      return clear_payload{{decode_ids(in, memory), nullptr}};
    case tag::create_index: {
      const payload_path field = decode_path(in, memory);
      settings.schema = decode_schema(in);
      return create_field_index{field, &settings.schema};
    }
    case tag::delete_index:
      return delete_field_index{decode_path(in, memory)};
    case tag::create_vector: {
      create_vector_name operation;
      operation.name = in.text();
      if (in.number<std::uint8_t>() != 0) {
        settings.sparse = decode_sparse_params(in);
        operation.sparse = &settings.sparse;
      } else {
        settings.dense = decode_vector_params(in);
        operation.dense = &settings.dense;
      }
      return operation;
    }
    case tag::delete_vector:
      return delete_vector_name{in.text()};
  }
  in.fail();
  return {};
}

}  // namespace

void encode_update(const update_operation& operation, std::string& out) {
  byte_writer writer(out);
  std::visit(encoder{writer}, operation);
}

result<update_operation> decode_update(std::string_view bytes, decoded_settings& settings,
                                       arena& memory) {
  byte_reader reader(bytes);
  update_operation operation = decode_operation(reader, settings, memory);
  if (reader.failed() || !reader.at_end())
    return fail(errc::service, "a record of the log does not decode");
  return operation;
}

}  // namespace vexfs
