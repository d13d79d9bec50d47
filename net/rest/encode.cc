// SPDX-License-Identifier: Apache-2.0
#include "net/rest/encode.h"

#include "core/payload/print.h"
#include "net/rest/encode_config.h"
#include "net/rest/separator.h"

namespace vexfs::rest {
namespace {

void append_floats(std::string& out, std::span<const float> values) {
  out += '[';
  separator comma(out);
  for (const float value : values) {
    comma.next();
    append_json_number(out, value);
  }
  out += ']';
}

void append_vector(std::string& out, const vector_value& vector) {
  switch (vector.kind) {
    case vector_kind::dense:
      append_floats(out, vector.values);
      break;
    case vector_kind::multi: {
      out += '[';
      separator comma(out);
      const std::size_t dim = vector.values.size() / vector.row_count;
      for (std::uint32_t row = 0; row < vector.row_count; ++row) {
        comma.next();
        append_floats(out, vector.values.subspan(row * dim, dim));
      }
      out += ']';
      break;
    }
    case vector_kind::sparse: {
      out += "{\"indices\":[";
      separator comma(out);
      for (const std::uint32_t index : vector.indices) {
        comma.next();
        append_json_number(out, std::uint64_t{index});
      }
      out += "],\"values\":";
      append_floats(out, vector.values);
      out += '}';
      break;
    }
  }
}

void append_vectors(std::string& out, std::span<const named_vector> vectors) {
  // The unnamed vector alone is a bare list.
  if (vectors.size() == 1 && vectors[0].name.empty()) {
    append_vector(out, vectors[0].value);
    return;
  }
  out += '{';
  separator comma(out);
  for (const named_vector& one : vectors) {
    comma.next();
    append_json_string(out, one.name);
    out += ':';
    append_vector(out, one.value);
  }
  out += '}';
}

}  // namespace

std::string_view word_of_status(collection_status status) {
  switch (status) {
    case collection_status::green:
      return "green";
    case collection_status::yellow:
      return "yellow";
    case collection_status::grey:
      return "grey";
    case collection_status::red:
      return "red";
  }
  return "";
}

void append_id(std::string& out, const point_id& id) {
  if (id.kind == point_id::form::number) {
    append_json_number(out, id.low);
    return;
  }
  out += '"';
  out += id.text();
  out += '"';
}

void append_record(std::string& out, const record& one, bool scored) {
  out += "{\"id\":";
  append_id(out, one.id);
  if (scored) {
    out += ",\"version\":";
    append_json_number(out, one.version);
    out += ",\"score\":";
    append_json_number(out, one.score);
  }
  if (one.payload) {
    out += ",\"payload\":";
    out += one.payload->empty() ? std::string_view("{}") : *one.payload;
  }
  if (one.vectors) {
    out += ",\"vector\":";
    append_vectors(out, *one.vectors);
  }
  if (const auto* whole = std::get_if<std::int64_t>(&one.order_value)) {
    out += ",\"order_value\":";
    append_json_number(out, *whole);
  } else if (const auto* real = std::get_if<double>(&one.order_value)) {
    out += ",\"order_value\":";
    append_json_number(out, *real);
  }
  out += '}';
}

void append_records(std::string& out, std::span<const record> records, bool scored) {
  out += '[';
  separator comma(out);
  for (const record& one : records) {
    comma.next();
    append_record(out, one, scored);
  }
  out += ']';
}

void append_scroll(std::string& out, const scroll_result& page) {
  out += "{\"points\":";
  append_records(out, page.points, false);
  out += ",\"next_page_offset\":";
  if (page.next_page_offset)
    append_id(out, *page.next_page_offset);
  else
    out += "null";
  out += '}';
}

void append_groups(std::string& out, std::span<const point_group> groups) {
  out += "{\"groups\":[";
  separator comma(out);
  for (const point_group& group : groups) {
    comma.next();
    out += "{\"hits\":";
    append_records(out, group.hits, true);
    out += ",\"id\":";
    std::visit(
        [&](const auto& key) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(key)>, std::string_view>)
            append_json_string(out, key);
          else
            append_json_number(out, key);
        },
        group.id);
    if (group.lookup) {
      out += ",\"lookup\":";
      append_record(out, *group.lookup, false);
    }
    out += '}';
  }
  out += "]}";
}

void append_matrix_pairs(std::string& out, const matrix_result& matrix) {
  out += "{\"pairs\":[";
  separator comma(out);
  for (std::size_t row = 0; row < matrix.rows.size(); ++row) {
    for (const matrix_result::cell& cell : matrix.rows[row]) {
      comma.next();
      out += "{\"a\":";
      append_id(out, matrix.ids[row]);
      out += ",\"b\":";
      append_id(out, matrix.ids[cell.column]);
      out += ",\"score\":";
      append_json_number(out, cell.score);
      out += '}';
    }
  }
  out += "]}";
}

void append_matrix_offsets(std::string& out, const matrix_result& matrix) {
  const auto each_cell = [&](std::string_view name, auto&& append) {
    out += name;
    separator comma(out);
    for (std::size_t row = 0; row < matrix.rows.size(); ++row) {
      for (const matrix_result::cell& cell : matrix.rows[row]) {
        comma.next();
        append(row, cell);
      }
    }
  };
  each_cell("{\"offsets_row\":[", [&](std::size_t row, const matrix_result::cell&) {
    append_json_number(out, std::uint64_t{row});
  });
  each_cell("],\"offsets_col\":[", [&](std::size_t, const matrix_result::cell& cell) {
    append_json_number(out, std::uint64_t{cell.column});
  });
  each_cell("],\"scores\":[", [&](std::size_t, const matrix_result::cell& cell) {
    append_json_number(out, cell.score);
  });
  out += "],\"ids\":[";
  separator comma(out);
  for (const point_id& id : matrix.ids) {
    comma.next();
    append_id(out, id);
  }
  out += "]}";
}

void append_facet(std::string& out, std::span<const facet_hit> hits) {
  out += "{\"hits\":[";
  separator comma(out);
  for (const facet_hit& hit : hits) {
    comma.next();
    out += "{\"value\":";
    if (const auto* text = std::get_if<std::string_view>(&hit.value))
      append_json_string(out, *text);
    else if (const auto* whole = std::get_if<std::int64_t>(&hit.value))
      append_json_number(out, *whole);
    else
      out += std::get<bool>(hit.value) ? "true" : "false";
    out += ",\"count\":";
    append_json_number(out, hit.count);
    out += '}';
  }
  out += "]}";
}

void append_update(std::string& out, const update_result& update) {
  out += "{\"operation_id\":";
  if (update.operation_id)
    append_json_number(out, *update.operation_id);
  else
    out += "null";
  out += ",\"status\":\"";
  switch (update.status) {
    case update_status::acknowledged:
      out += "acknowledged";
      break;
    case update_status::completed:
      out += "completed";
      break;
    case update_status::wait_timeout:
      out += "wait_timeout";
      break;
  }
  out += "\"}";
}

void append_aliases(std::string& out, const std::vector<alias_description>& aliases) {
  out += "{\"aliases\":[";
  separator comma(out);
  for (const alias_description& one : aliases) {
    comma.next();
    out += "{\"alias_name\":";
    append_json_string(out, one.alias);
    out += ",\"collection_name\":";
    append_json_string(out, one.collection);
    out += '}';
  }
  out += "]}";
}

void append_collection_info(std::string& out, const collection_info& info) {
  out += "{\"status\":\"";
  out += word_of_status(info.status);
  out += "\",\"optimizer_status\":";
  if (info.optimizer_error.empty()) {
    out += "\"ok\"";
  } else {
    out += "{\"error\":";
    append_json_string(out, info.optimizer_error);
    out += '}';
  }
  if (const auto warnings = config_warnings(info.config); !warnings.empty()) {
    out += ",\"warnings\":[";
    separator comma(out);
    for (const std::string& text : warnings) {
      comma.next();
      out += "{\"message\":";
      append_json_string(out, text);
      out += '}';
    }
    out += ']';
  }
  out += ",\"indexed_vectors_count\":";
  append_json_number(out, info.indexed_vectors_count);
  out += ",\"points_count\":";
  append_json_number(out, info.points_count);
  out += ",\"segments_count\":";
  append_json_number(out, info.segments_count);
  out += ",\"config\":";
  append_config(out, info.config);
  out += ",\"payload_schema\":{";
  separator comma(out);
  for (const payload_index_info& index : info.payload_schema) {
    comma.next();
    append_json_string(out, index.field);
    out += ":";
    append_schema(out, index.schema, index.points);
  }
  out += "},\"update_queue\":{\"length\":";
  append_json_number(out, info.update_queue_length);
  out += "}}";
}

}  // namespace vexfs::rest
