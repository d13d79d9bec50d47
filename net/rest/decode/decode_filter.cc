// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_filter.h"

#include <array>

#include "core/base/limits.h"

namespace vexfs::rest {
namespace {

constexpr std::string_view no_variant = "data did not match any variant of untagged enum Condition";

condition decode_condition(decoder& in, const node& value, const std::string& path);

std::span<const condition> decode_clause(decoder& in, const node& value, const std::string& path) {
  const std::span<const node> items =
      value.is(node::form::array) ? value.items : std::span<const node>(&value, 1);
  in.filter_conditions += items.size();
  if (in.filter_conditions > filter_conditions_max) {
    in.refuse(errc::bad_request,
              "A filter may have at most " + std::to_string(filter_conditions_max) + " conditions");
    return {};
  }
  const auto conditions = in.memory.array<condition>(items.size());
  for (std::size_t i = 0; i < items.size() && !in.failed(); ++i)
    conditions[i] = decode_condition(in, items[i], path + "[" + std::to_string(i) + "]");
  return conditions;
}

std::span<const geo_point> decode_ring(decoder& in, const node& value, const std::string& path) {
  if (!in.object(&value, "GeoLineString")) return {};
  const node* points = in.required(value, "points");
  if (!points) return {};
  const auto ring = in.each<geo_point>(
      in.array(*points), [&](const node& item) { return decode_geo_point(in, item, path); });
  if (in.failed()) return ring;
  if (ring.size() < 4)
    in.invalid(path,
               "value invalid, the size must be at least 4, got " + std::to_string(ring.size()));
  else if (ring.front().lon != ring.back().lon || ring.front().lat != ring.back().lat)
    in.invalid(path,
               "value invalid, the first and the last points should be same to form a closed line");
  return ring;
}

match_any decode_any(decoder& in, const node& value, bool except) {
  match_any any;
  any.except = except;
  const auto items = in.array(value);
  if (items.empty()) return any;
  if (items.front().is(node::form::string))
    any.strings =
        in.each<std::string_view>(items, [&](const node& item) { return in.string(item); });
  else
    any.integers = in.each<std::int64_t>(items, [&](const node& item) { return in.i64(item); });
  return any;
}

std::optional<match> decode_match(decoder& in, const node& value) {
  if (!in.object(&value, "Match")) return std::nullopt;
  if (const node* given = value.find("value")) {
    if (given->is(node::form::string)) return match_value{given->text};
    if (given->is(node::form::boolean)) return match_value{given->truth};
    return match_value{in.i64(*given)};
  }
  const auto text = [&](std::string_view name, match_text::mode mode) -> std::optional<match> {
    const node* given = value.find(name);
    if (!given) return std::nullopt;
    const std::string_view wanted = in.string(*given);
    if (wanted.size() > match_text_bytes_max)
      in.refuse(errc::bad_request, "A text to match may have at most " +
                                       std::to_string(match_text_bytes_max) + " bytes");
    return match_text{mode, wanted};
  };
  if (auto found = text("text", match_text::mode::all)) return found;
  if (auto found = text("text_any", match_text::mode::any)) return found;
  if (auto found = text("phrase", match_text::mode::phrase)) return found;
  if (auto found = text("prefix", match_text::mode::prefix)) return found;
  if (const node* given = value.find("any")) return decode_any(in, *given, false);
  if (const node* given = value.find("except")) return decode_any(in, *given, true);
  in.malformed("data did not match any variant of untagged enum MatchInterface");
  return std::nullopt;
}

void decode_range(decoder& in, const node& value, field_condition& out) {
  if (!in.object(&value, "Range")) return;
  constexpr std::array<std::string_view, 4> names{"lt", "gt", "lte", "gte"};
  bool dates = false;
  for (const std::string_view name : names)
    if (const node* bound = value.find_set(name)) dates = dates || bound->is(node::form::string);
  if (dates) {
    datetime_range range;
    const std::array<std::optional<std::int64_t>*, 4> bounds{&range.lt, &range.gt, &range.lte,
                                                             &range.gte};
    for (std::size_t i = 0; i < names.size(); ++i) {
      const node* bound = value.find_set(names[i]);
      if (!bound) continue;
      *bounds[i] = in.datetime(*bound);
    }
    out.datetimes = range;
    return;
  }
  number_range range;
  const std::array<std::optional<double>*, 4> bounds{&range.lt, &range.gt, &range.lte, &range.gte};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (const node* bound = value.find_set(names[i])) *bounds[i] = in.f64(*bound);
  out.range = range;
}

field_condition decode_field(decoder& in, const node& value, const std::string& path) {
  field_condition field;
  field.key = in.path(*value.find("key"));
  if (const node* given = value.find_set("match")) field.matches = decode_match(in, *given);
  if (const node* given = value.find_set("range")) decode_range(in, *given, field);
  if (const node* given = value.find_set("geo_bounding_box")) {
    geo_bounding_box box;
    if (const node* corner = in.required(*given, "top_left"))
      box.top_left = decode_geo_point(in, *corner, path);
    if (const node* corner = in.required(*given, "bottom_right"))
      box.bottom_right = decode_geo_point(in, *corner, path);
    field.box = box;
  }
  if (const node* given = value.find_set("geo_radius")) {
    geo_radius radius;
    if (const node* center = in.required(*given, "center"))
      radius.center = decode_geo_point(in, *center, path);
    if (const node* meters = in.required(*given, "radius")) radius.radius_meters = in.f64(*meters);
    field.radius = radius;
  }
  if (const node* given = value.find_set("geo_polygon")) {
    geo_polygon polygon;
    if (const node* exterior = in.required(*given, "exterior"))
      polygon.exterior = decode_ring(in, *exterior, path + ".geo_polygon.exterior");
    if (const node* interiors = given->find_set("interiors"))
      polygon.interiors = in.each<std::span<const geo_point>>(
          in.array(*interiors),
          [&](const node& ring) { return decode_ring(in, ring, path + ".geo_polygon.interiors"); });
    field.polygon = polygon;
  }
  if (const node* given = value.find_set("values_count")) {
    values_count_range range;
    range.lt = in.optional(*given, "lt", [&](const node& n) { return in.u64(n); });
    range.gt = in.optional(*given, "gt", [&](const node& n) { return in.u64(n); });
    range.lte = in.optional(*given, "lte", [&](const node& n) { return in.u64(n); });
    range.gte = in.optional(*given, "gte", [&](const node& n) { return in.u64(n); });
    field.values_count = range;
  }
  field.is_empty = in.optional(value, "is_empty", [&](const node& n) { return in.boolean(n); });
  field.is_null = in.optional(value, "is_null", [&](const node& n) { return in.boolean(n); });
  if (!in.failed() && !field.matches && !field.range && !field.datetimes && !field.box &&
      !field.radius && !field.polygon && !field.values_count && !field.is_empty && !field.is_null)
    in.invalid(path, "At least one field condition must be specified");
  return field;
}

payload_path decode_key_of(decoder& in, const node& value) {
  if (!in.object(&value, "PayloadField")) return {};
  const node* key = in.required(value, "key");
  return key ? in.path(*key) : payload_path{};
}

condition decode_condition(decoder& in, const node& value, const std::string& path) {
  if (in.failed()) return is_null_condition{};
  if (!value.is(node::form::object)) {
    in.malformed(std::string(no_variant));
    return is_null_condition{};
  }
  if (value.find("key")) return decode_field(in, value, path);
  if (const node* given = value.find("is_empty"))
    return is_empty_condition{decode_key_of(in, *given)};
  if (const node* given = value.find("is_null"))
    return is_null_condition{decode_key_of(in, *given)};
  if (const node* given = value.find("has_id"))
    return has_id_condition{
        in.each<point_id>(in.array(*given), [&](const node& item) { return in.id(item); })};
  if (const node* given = value.find("has_vector")) return has_vector_condition{in.string(*given)};
  if (const node* given = value.find("nested")) {
    if (!in.object(given, "Nested")) return is_null_condition{};
    nested_condition nested;
    if (const node* key = in.required(*given, "key")) nested.key = in.path(*key);
    if (const node* inner = in.required(*given, "filter"))
      nested.inner = decode_filter(in, *inner, path + ".nested.filter");
    return nested;
  }
  if (const node* given = value.find("slice")) {
    if (!in.object(given, "Slice")) return is_null_condition{};
    slice_condition slice;
    if (const node* total = in.required(*given, "total")) slice.total = in.u64(*total);
    if (const node* index = in.required(*given, "index")) slice.index = in.u64(*index);
    if (!in.failed() && slice.total == 0)
      in.malformed("invalid value: integer `0`, expected a nonzero u64");
    if (!in.failed()) {
      if (slice.index >= slice.total)
        in.invalid(path + ".slice.index",
                   "value " + std::to_string(slice.index) + " invalid, must be smaller than total");
    }
    return slice;
  }
  for (const std::string_view clause : {"must", "should", "must_not", "min_should"})
    if (value.find(clause)) return filter_condition{decode_filter(in, value, path)};
  if (value.members.empty()) return filter_condition{decode_filter(in, value, path)};
  in.malformed(std::string(no_variant));
  return is_null_condition{};
}

}  // namespace

geo_point decode_geo_point(decoder& in, const node& value, const std::string& path) {
  geo_point point;
  if (!in.object(&value, "GeoPoint")) return point;
  if (const node* lon = in.required(value, "lon")) point.lon = in.f64(*lon);
  if (const node* lat = in.required(value, "lat")) point.lat = in.f64(*lat);
  if (!in.failed() && (point.lon < -180 || point.lon > 180 || point.lat < -90 || point.lat > 90))
    in.invalid(path, "coordinates are out of range: lon -180..180, lat -90..90");
  return point;
}

const filter* decode_lone_condition(decoder& in, const node& value, const std::string& path) {
  const auto alone = in.memory.array<condition>(1);
  alone[0] = decode_condition(in, value, path);
  auto* made = in.memory.make<filter>();
  made->must = alone;
  return made;
}

const filter* decode_filter(decoder& in, const node& value, std::string_view path) {
  if (!in.object(&value, "Filter")) return nullptr;
  if (in.filter_depth++ == 0) in.filter_conditions = 0;
  auto* made = in.memory.make<filter>();
  for (const json::member& one : value.members) {
    const std::string where = std::string(path) + "." + std::string(one.name);
    if (one.name != "must" && one.name != "should" && one.name != "must_not" &&
        one.name != "min_should") {
      in.malformed("unknown field `" + std::string(one.name) +
                   "`, expected one of `should`, `min_should`, `must`, `must_not`");
      return nullptr;
    }
    if (one.value->is(node::form::null)) continue;
    if (one.name == "must") made->must = decode_clause(in, *one.value, where);
    if (one.name == "should") made->should = decode_clause(in, *one.value, where);
    if (one.name == "must_not") made->must_not = decode_clause(in, *one.value, where);
    if (one.name == "min_should") {
      if (!in.object(one.value, "MinShould")) return nullptr;
      min_should at_least;
      if (const node* conditions = in.required(*one.value, "conditions"))
        at_least.conditions = decode_clause(in, *conditions, where);
      if (const node* count = in.required(*one.value, "min_count"))
        at_least.min_count = in.u64(*count);
      if (!in.failed() && at_least.min_count == 0)
        in.invalid(where + ".min_count", "min_count must be greater than 0");
      made->at_least = at_least;
    }
  }
  --in.filter_depth;
  return made;
}

}  // namespace vexfs::rest
