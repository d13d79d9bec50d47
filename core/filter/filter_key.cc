// SPDX-License-Identifier: Apache-2.0
#include "core/filter/filter_key.h"

#include <concepts>
#include <type_traits>

#include "core/base/limits.h"

namespace vexfs {
namespace {

/// Appends every member with what tells where it ends: a count, a presence, an alternative.
struct key_writer {
  std::string bytes;
  bool complete = true;

  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void put(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void put(std::string_view text) {
    put(text.size());
    bytes.append(text);
  }
  template <class T>
  void put(std::span<const T> list) {
    put(list.size());
    for (const T& one : list) {
      if (bytes.size() > filter_key_bytes_max) complete = false;
      if (!complete) return;
      put(one);
    }
  }
  template <class T>
  void put(const std::optional<T>& given) {
    put(given.has_value());
    if (given) put(*given);
  }
  template <class... Kinds>
  void put(const std::variant<Kinds...>& given) {
    put(given.index());
    std::visit([&](const auto& one) { put(one); }, given);
  }

  void put(const payload_path& path) { put(path.steps); }
  void put(const path_step& step) {
    put(step.kind);
    put(step.index);
    put(step.key);
  }
  void put(const point_id& id) {
    put(id.kind);
    put(id.high);
    put(id.low);
  }

  void put(const match_value& one) { put(one.value); }
  void put(const match_text& one) {
    put(one.how);
    put(one.text);
  }
  void put(const match_any& one) {
    put(one.except);
    put(one.strings);
    put(one.integers);
  }
  template <class Range>
    requires requires(const Range& range) { range.lte; }
  void put(const Range& one) {
    put(one.lt);
    put(one.gt);
    put(one.lte);
    put(one.gte);
  }
  void put(const geo_point& one) {
    put(one.lon);
    put(one.lat);
  }
  void put(const geo_bounding_box& one) {
    put(one.top_left);
    put(one.bottom_right);
  }
  void put(const geo_radius& one) {
    put(one.center);
    put(one.radius_meters);
  }
  void put(const geo_polygon& one) {
    put(one.exterior);
    put(one.interiors);
  }

  void put(const field_condition& one) {
    put(one.key);
    put(one.matches);
    put(one.range);
    put(one.datetimes);
    put(one.box);
    put(one.radius);
    put(one.polygon);
    put(one.values_count);
    put(one.is_empty);
    put(one.is_null);
  }
  void put(const is_empty_condition& one) { put(one.key); }
  void put(const is_null_condition& one) { put(one.key); }
  void put(const has_id_condition& one) { put(one.ids); }
  // Vectors come and go without a change of the payload.
  void put(const has_vector_condition&) { complete = false; }
  void put(const nested_condition& one) {
    put(one.key);
    put(*one.inner);
  }
  void put(const filter_condition& one) { put(*one.inner); }
  void put(const slice_condition& one) {
    put(one.total);
    put(one.index);
  }
  void put(const min_should& one) {
    put(one.conditions);
    put(one.min_count);
  }
  void put(const filter& what) {
    put(what.must);
    put(what.should);
    put(what.must_not);
    put(what.at_least);
  }
};

}  // namespace

std::optional<std::string> filter_key(const filter& what) {
  key_writer writer;
  writer.put(what);
  if (!writer.complete || writer.bytes.size() > filter_key_bytes_max) return std::nullopt;
  return std::move(writer.bytes);
}

}  // namespace vexfs
