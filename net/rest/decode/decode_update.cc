// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_update.h"

#include "net/rest/decode/decode_filter.h"
#include "net/rest/decode/decode_vector.h"
#include "net/rest/decode/decoder.h"
#include "net/rest/decode/fast_points.h"

namespace vexfs::rest {
namespace {

/// Of {"points": [...]}: where a point of the list begins.
constexpr std::uint32_t listed_point_depth = 2;

const node* either(const node& object, std::string_view name, std::string_view other) {
  const node* found = object.find(name);
  return found ? found : object.find(other);
}

std::span<const point_id> decode_ids(decoder& in, const node& value) {
  return in.each<point_id>(in.array(value), [&](const node& item) { return in.id(item); });
}

const filter* optional_filter(decoder& in, const node& object, std::string_view name) {
  const node* found = object.find_set(name);
  return found && !in.failed() ? decode_filter(in, *found, name) : nullptr;
}

point_struct decode_point(decoder& in, const node& item, std::size_t index) {
  point_struct point;
  if (!in.object(&item, "PointStruct")) return point;
  if (const node* id = in.required(item, "id")) point.id = in.id(*id);
  const node* vector = either(item, "vector", "vectors");
  if (!vector) {
    in.malformed("missing field `vector`");
    return point;
  }
  point.vectors = decode_point_vectors(in, *vector, "points[" + std::to_string(index) + "].vector");
  if (const node* payload = item.find_set("payload")) point.payload = in.payload(*payload);
  return point;
}

std::span<const point_struct> decode_point_list(decoder& in, const node& list) {
  const auto items = in.array(list);
  const auto points = in.memory.array<point_struct>(items.size());
  for (std::size_t i = 0; i < points.size() && !in.failed(); ++i)
    points[i] = decode_point(in, items[i], i);
  return points;
}

/// {ids, vectors, payloads}: columns of equal length.
std::span<const point_struct> decode_point_columns(decoder& in, const node& batch) {
  if (!in.object(&batch, "Batch")) return {};
  const node* id_list = in.required(batch, "ids");
  const node* vectors = in.required(batch, "vectors");
  if (!id_list || !vectors) return {};
  const auto ids = decode_ids(in, *id_list);
  const auto points = in.memory.array<point_struct>(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i)
    points[i].id = ids[i];
  const auto check_count = [&](std::size_t count, std::string_view what) {
    if (count != ids.size())
      in.invalid("batch", "number of ids and " + std::string(what) + " must be equal (" +
                              std::to_string(ids.size()) + " != " + std::to_string(count) + ")");
    return count == ids.size();
  };
  if (vectors->is(node::form::array)) {
    if (!check_count(vectors->items.size(), "vectors")) return {};
    for (std::size_t i = 0; i < points.size() && !in.failed(); ++i)
      points[i].vectors = decode_point_vectors(in, vectors->items[i], "batch.vectors");
  } else if (in.object(vectors, "BatchVectorStruct")) {
    for (point_struct& point : points)
      point.vectors = in.memory.array<named_vector>(vectors->members.size());
    for (std::size_t m = 0; m < vectors->members.size() && !in.failed(); ++m) {
      const auto column = in.array(*vectors->members[m].value);
      if (!check_count(column.size(), "vectors")) return {};
      for (std::size_t i = 0; i < points.size() && !in.failed(); ++i) {
        auto& slot = const_cast<named_vector&>(points[i].vectors[m]);
        slot = {vectors->members[m].name, decode_vector(in, column[i], "batch.vectors.?")};
      }
    }
  }
  if (const node* payloads = batch.find_set("payloads")) {
    const auto column = in.array(*payloads);
    if (in.failed() || !check_count(column.size(), "payloads")) return {};
    for (std::size_t i = 0; i < points.size(); ++i)
      if (!column[i].is(node::form::null)) points[i].payload = in.payload(column[i]);
  }
  return points;
}

update_operation upsert_of(decoder& in, const node& body) {
  upsert_points operation;
  if (const node* list = body.find("points")) {
    operation.points = decode_point_list(in, *list);
    if (!in.failed() && operation.points.empty())
      in.refuse(errc::bad_request, "Empty update request");
  } else if (const node* batch = body.find("batch")) {
    operation.points = decode_point_columns(in, *batch);
  } else {
    in.malformed("data did not match any variant of untagged enum PointInsertOperations");
  }
  operation.update_filter = optional_filter(in, body, "update_filter");
  if (const node* mode = body.find_set("update_mode")) {
    const std::string_view word = in.string(*mode);
    if (word == "insert_only")
      operation.mode = update_mode::insert_only;
    else if (word == "update_only")
      operation.mode = update_mode::update_only;
    else if (word != "upsert")
      in.malformed("unknown variant `" + std::string(word) +
                   "`, expected one of `upsert`, `insert_only`, `update_only`");
  }
  return operation;
}

point_selector selector_of(decoder& in, const node& body, bool required) {
  point_selector selector;
  if (const node* points = body.find_set("points"))
    selector.ids = decode_ids(in, *points);
  else if (body.find_set("filter"))
    selector.condition = optional_filter(in, body, "filter");
  else if (required)
    in.malformed("data did not match any variant of untagged enum PointsSelector");
  else
    in.refuse(errc::bad_request, "No filter or points provided");
  return selector;
}

update_operation delete_of(decoder& in, const node& body) {
  return delete_points{selector_of(in, body, true)};
}

update_operation update_vectors_of(decoder& in, const node& body) {
  update_vectors operation;
  const node* list = in.required(body, "points");
  if (!list) return operation;
  const auto items = in.array(*list);
  const auto points = in.memory.array<point_vectors>(items.size());
  for (std::size_t i = 0; i < points.size() && !in.failed(); ++i) {
    if (!in.object(&items[i], "PointVectors")) break;
    if (const node* id = in.required(items[i], "id")) points[i].id = in.id(*id);
    const node* vector = either(items[i], "vector", "vectors");
    if (!vector) {
      in.malformed("missing field `vector`");
      break;
    }
    const std::string path = "points[" + std::to_string(i) + "].vector";
    points[i].vectors = decode_point_vectors(in, *vector, path);
    if (!in.failed() && points[i].vectors.empty())
      in.invalid(path, "must specify vectors to update for point");
  }
  if (!in.failed() && points.empty()) in.invalid("points", "must specify points to update");
  operation.points = points;
  operation.update_filter = optional_filter(in, body, "update_filter");
  return operation;
}

update_operation delete_vectors_of(decoder& in, const node& body) {
  delete_vectors operation;
  operation.selector = selector_of(in, body, false);
  const node* names = either(body, "vector", "vectors");
  if (!names) {
    in.malformed("missing field `vector`");
    return operation;
  }
  operation.names = in.each<std::string_view>(in.array(*names),
                                              [&](const node& item) { return in.string(item); });
  if (!in.failed() && operation.names.empty())
    in.invalid("vector", "must specify vector names to delete");
  return operation;
}

update_operation set_payload_of(decoder& in, const node& body) {
  set_payload operation;
  if (const node* payload = in.required(body, "payload")) operation.payload = in.payload(*payload);
  operation.selector = selector_of(in, body, false);
  operation.key = in.optional(body, "key", [&](const node& item) { return in.path(item); });
  return operation;
}

update_operation overwrite_payload_of(decoder& in, const node& body) {
  overwrite_payload operation;
  if (const node* payload = in.required(body, "payload")) operation.payload = in.payload(*payload);
  operation.selector = selector_of(in, body, false);
  return operation;
}

update_operation delete_payload_of(decoder& in, const node& body) {
  delete_payload operation;
  if (const node* keys = in.required(body, "keys"))
    operation.keys =
        in.each<payload_path>(in.array(*keys), [&](const node& item) { return in.path(item); });
  operation.selector = selector_of(in, body, false);
  return operation;
}

update_operation clear_payload_of(decoder& in, const node& body) {
  return clear_payload{selector_of(in, body, true)};
}

struct batch_member {
  std::string_view name;
  update_operation (*decode)(decoder&, const node&);
};
constexpr batch_member batch_members[] = {
    {"upsert", upsert_of},
    {"delete", delete_of},
    {"set_payload", set_payload_of},
    {"overwrite_payload", overwrite_payload_of},
    {"delete_payload", delete_payload_of},
    {"clear_payload", clear_payload_of},
    {"update_vectors", update_vectors_of},
    {"delete_vectors", delete_vectors_of},
};

result<update_operation> decode_one(std::string_view body, arena& memory,
                                    update_operation (*decode)(decoder&, const node&)) {
  decoder in(body, memory);
  update_operation operation;
  if (const node* root = in.object(in.parse(), "request")) operation = decode(in, *root);
  if (auto failure = in.finish()) return std::unexpected(std::move(*failure));
  return operation;
}

}  // namespace

result<update_operation> decode_upsert(std::string_view body, arena& memory) {
  upsert_reader reader(body, memory);
  if (reader.advance(body.size() + 1) == upsert_reader::progress::done) return reader.operation();
  return decode_upsert_document(body, memory);
}
result<update_operation> decode_upsert_document(std::string_view body, arena& memory) {
  return decode_one(body, memory, upsert_of);
}
result<update_operation> decode_delete_points(std::string_view body, arena& memory) {
  return decode_one(body, memory, delete_of);
}
result<update_operation> decode_update_vectors(std::string_view body, arena& memory) {
  return decode_one(body, memory, update_vectors_of);
}
result<update_operation> decode_delete_vectors(std::string_view body, arena& memory) {
  return decode_one(body, memory, delete_vectors_of);
}
result<update_operation> decode_set_payload(std::string_view body, arena& memory) {
  return decode_one(body, memory, set_payload_of);
}
result<update_operation> decode_overwrite_payload(std::string_view body, arena& memory) {
  return decode_one(body, memory, overwrite_payload_of);
}
result<update_operation> decode_delete_payload(std::string_view body, arena& memory) {
  return decode_one(body, memory, delete_payload_of);
}
result<update_operation> decode_clear_payload(std::string_view body, arena& memory) {
  return decode_one(body, memory, clear_payload_of);
}

std::optional<point_struct> decode_listed_point(std::string_view text, arena& memory) {
  const auto parsed = json::parse_document(text, memory, listed_point_depth);
  if (!parsed) return std::nullopt;
  decoder in(text, memory);
  const point_struct point = decode_point(in, **parsed, 0);
  if (in.finish()) return std::nullopt;
  return point;
}

result<std::span<const update_operation>> decode_batch(std::string_view body, arena& memory) {
  decoder in(body, memory);
  std::span<const update_operation> operations;
  const node* root = in.object(in.parse(), "UpdateOperations");
  const node* list = root ? in.required(*root, "operations") : nullptr;
  if (list) {
    operations = in.each<update_operation>(in.array(*list), [&](const node& item) {
      for (const batch_member& known : batch_members) {
        const node* inner = item.find(known.name);
        if (inner && in.object(inner, known.name)) return known.decode(in, *inner);
      }
      in.malformed("data did not match any variant of untagged enum UpdateOperation");
      return update_operation{};
    });
  }
  if (auto failure = in.finish()) return std::unexpected(std::move(*failure));
  return operations;
}

}  // namespace vexfs::rest
