// SPDX-License-Identifier: Apache-2.0
#include "core/base/limits.h"
#include "net/rest/decode/decode_config.h"
#include "net/rest/decode/decode_query.h"
#include "net/rest/decode/decode_update.h"
#include "net/rest/decode/fast_points.h"
#include "net/rest/encode.h"
#include "net/rest/handler.h"
#include "net/rest/rest_service.h"
#include "net/rest/routes.h"

namespace vexfs::rest {
namespace {

database& data_of(void* context) {
  return static_cast<rest_service*>(context)->data;
}

void finish_update(http::exchange& call, const result<update_result>& updated) {
  if (!updated)
    finish_error(call, updated.error());
  else
    finish_result(call, [&](std::string& out) { append_update(out, *updated); });
}

using decode_update_body = io::task<result<update_operation>> (*)(std::string_view, arena&);

template <result<update_operation> (*Decode)(std::string_view, arena&)>
io::task<result<update_operation>> at_once(std::string_view body, arena& memory) {
  co_return Decode(body, memory);
}

/// Points may come by the megabyte: they are read a piece in each turn of the core.
io::task<result<update_operation>> decode_points(std::string_view body, arena& memory) {
  upsert_reader reader(body, memory);
  for (;;) {
    switch (reader.advance(decode_piece_bytes)) {
      case upsert_reader::progress::done:
        co_return reader.operation();
      case upsert_reader::progress::declined:
        co_return decode_upsert_document(body, memory);
      case upsert_reader::progress::more:
        co_await io::loop::current().yield();
    }
  }
}

io::detached write(http::exchange& call, database& data, decode_update_body decode) {
  VEXFS_OR_FINISH(const auto parameters, call, read_parameters(call));
  auto decoding = decode(call.in.body, call.memory);
  VEXFS_OR_FINISH(const auto operation, call, co_await decoding);
  auto updating =
      data.update(collection_of(call), operation, {.wait = parameters.wait}, call.memory);
  const auto updated = co_await updating;
  finish_update(call, updated);
}

template <decode_update_body Decode>
void write_with(http::exchange& call, void* context) {
  write(call, data_of(context), Decode);
}

/// One after the other: the first that fails stops the rest, the earlier ones stay.
io::detached write_batch(http::exchange& call, database& data) {
  VEXFS_OR_FINISH(const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(const auto operations, call, decode_batch(call.in.body, call.memory));
  if (!data.exists(collection_of(call))) {
    finish_error(call, {errc::not_found,
                        "Collection `" + std::string(collection_of(call)) + "` doesn't exist!"});
    co_return;
  }
  const auto results = call.memory.array<update_result>(operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) {
    auto updating =
        data.update(collection_of(call), operations[i], {.wait = parameters.wait}, call.memory);
    const auto updated = co_await updating;
    if (!updated) {
      finish_error(call, updated.error());
      co_return;
    }
    results[i] = *updated;
  }
  finish_result(call, [&](std::string& out) {
    out += '[';
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (i > 0) out += ',';
      append_update(out, results[i]);
    }
    out += ']';
  });
}

io::detached apply(http::exchange& call, database& data, update_operation operation) {
  VEXFS_OR_FINISH(const auto parameters, call, read_parameters(call));
  auto updating =
      data.update(collection_of(call), operation, {.wait = parameters.wait}, call.memory);
  const auto updated = co_await updating;
  finish_update(call, updated);
}

io::detached create_index(http::exchange& call, database& data) {
  VEXFS_OR_FINISH(const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(const auto request, call, decode_create_index(call.in.body, call.memory));
  const update_operation operation = create_field_index{request.field, &request.schema};
  auto updating =
      data.update(collection_of(call), operation, {.wait = parameters.wait}, call.memory);
  const auto updated = co_await updating;
  finish_update(call, updated);
}

void delete_index(http::exchange& call, void* context) {
  const auto field = parse_payload_path(call.captures[1], call.memory);
  if (!field) {
    finish_error(call,
                 {errc::bad_input, "Invalid json path: '" + std::string(call.captures[1]) + "'"});
    return;
  }
  apply(call, data_of(context), delete_field_index{*field});
}

io::detached create_vector(http::exchange& call, database& data) {
  VEXFS_OR_FINISH(const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(const auto request, call, decode_create_vector(call.in.body, call.memory));
  const update_operation operation =
      create_vector_name{call.captures[1], request.dense ? &*request.dense : nullptr,
                         request.sparse ? &*request.sparse : nullptr};
  auto updating =
      data.update(collection_of(call), operation, {.wait = parameters.wait}, call.memory);
  const auto updated = co_await updating;
  finish_update(call, updated);
}

void delete_vector(http::exchange& call, void* context) {
  apply(call, data_of(context), delete_vector_name{call.captures[1]});
}

io::detached get_point(http::exchange& call, database& data) {
  VEXFS_OR_FINISH([[maybe_unused]] const auto parameters, call, read_parameters(call));
  const auto id = point_id::from_path(call.captures[1]);
  if (!id) {
    finish_error(call, {errc::bad_input,
                        "Can not recognize \"" + std::string(call.captures[1]) + "\" as point id"});
    co_return;
  }
  retrieve_request request;
  request.ids = {&*id, 1};
  request.with_payload.kind = payload_selector::form::all;
  request.with_vector.kind = vector_selector::form::all;
  auto retrieving = data.retrieve(collection_of(call), request, call.memory);
  const auto records = co_await retrieving;
  if (!records)
    finish_error(call, records.error());
  else if (records->empty())
    finish_error(call, {errc::not_found, "Point with id " + id->text() + " does not exists!"});
  else
    finish_result(call, [&](std::string& out) { append_record(out, records->front(), false); });
}

io::detached retrieve(http::exchange& call, database& data) {
  VEXFS_OR_FINISH([[maybe_unused]] const auto parameters, call, read_parameters(call));
  VEXFS_OR_FINISH(const auto request, call, decode_retrieve(call.in.body, call.memory));
  auto retrieving = data.retrieve(collection_of(call), request, call.memory);
  const auto records = co_await retrieving;
  if (!records)
    finish_error(call, records.error());
  else
    finish_result(call, [&](std::string& out) { append_records(out, *records, false); });
}

template <io::detached (*Run)(http::exchange&, database&)>
void run(http::exchange& call, void* context) {
  Run(call, data_of(context));
}

}  // namespace

void add_point_routes(http::router& router, rest_service& service) {
  using http::method;
  constexpr auto needs_read = static_cast<std::uint32_t>(access::read);
  constexpr auto needs_write = static_cast<std::uint32_t>(access::write);
  const auto add = [&](method verb, std::string_view path, void (*handler)(http::exchange&, void*),
                       std::uint32_t flags) {
    router.add(verb, "/collections/{name}" + std::string(path), handler, &service, flags);
  };
  add(method::put, "/points", write_with<decode_points>, needs_write);
  add(method::post, "/points", run<retrieve>, needs_read);
  add(method::get, "/points/{id}", run<get_point>, needs_read);
  add(method::post, "/points/delete", write_with<at_once<decode_delete_points>>, needs_write);
  add(method::put, "/points/vectors", write_with<at_once<decode_update_vectors>>, needs_write);
  add(method::post, "/points/vectors/delete", write_with<at_once<decode_delete_vectors>>,
      needs_write);
  add(method::post, "/points/payload", write_with<at_once<decode_set_payload>>, needs_write);
  add(method::put, "/points/payload", write_with<at_once<decode_overwrite_payload>>, needs_write);
  add(method::post, "/points/payload/delete", write_with<at_once<decode_delete_payload>>,
      needs_write);
  add(method::post, "/points/payload/clear", write_with<at_once<decode_clear_payload>>,
      needs_write);
  add(method::post, "/points/batch", run<write_batch>, needs_write);
  add(method::put, "/index", run<create_index>, needs_write);
  add(method::remove, "/index/{field}", delete_index, needs_write);
  add(method::put, "/vectors/{vector}", run<create_vector>, needs_write);
  add(method::remove, "/vectors/{vector}", delete_vector, needs_write);
}

}  // namespace vexfs::rest
