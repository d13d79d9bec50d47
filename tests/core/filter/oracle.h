// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "core/model/filter.h"
#include "core/payload/datetime.h"
#include "tests/core/filter/json_tree.h"
#include "tests/core/filter/point_table.h"

namespace vexfs::testing_filter {

/// The contract's rules about filters, one after another and as slowly as they read. Text is ASCII;
/// `indexed` says which keys have an index, because a few rules ask.
class oracle {
 public:
  struct keys {
    std::set<std::string> any, text, uuid;  // path texts; nested keys are joined
  };

  oracle(const point_table& table, keys indexed) : table_(table), indexed_(std::move(indexed)) {}

  bool passes(const filter& what, const json& payload, std::uint32_t slot) const {
    return check(what, payload, slot, "");
  }

 private:
  using kind = json::type;

  bool check(const filter& what, const json& object, std::uint32_t slot,
             const std::string& prefix) const {
    const auto holds = [&](const condition& one) {
      return std::visit([&](const auto& c) { return check(c, object, slot, prefix); }, one);
    };
    const auto held = [&](std::span<const condition> all) {
      return static_cast<std::uint64_t>(std::ranges::count_if(all, holds));
    };
    if (!what.must.empty() && held(what.must) != what.must.size()) return false;
    if (!what.should.empty() && held(what.should) == 0) return false;
    if (held(what.must_not) != 0) return false;
    return !what.at_least || held(what.at_least->conditions) >= what.at_least->min_count;
  }

  template <class Range, class Number>
  static bool inside(const Range& r, Number n) {
    if (r.lt && n >= *r.lt) return false;
    if (r.gt && n <= *r.gt) return false;
    if (r.lte && n > *r.lte) return false;
    if (r.gte && n < *r.gte) return false;
    return true;
  }
  static bool empty(const json& v) {
    return v.kind == kind::null || (v.kind == kind::array && v.elements.empty());
  }
  static bool holds_null(const json& v) {
    return std::ranges::any_of(v.elements, [](const json& e) { return e.kind == kind::null; });
  }

  bool check(const field_condition& c, const json& object, std::uint32_t,
             const std::string& prefix) const {
    const auto values = object.reach(c.key.steps);
    const std::string key = prefix + std::string(c.key.text);
    if (c.values_count) {
      if (values.empty()) return inside(*c.values_count, std::uint64_t{0});
      return std::ranges::any_of(values, [&](const json* v) {
        const std::uint64_t n = v->kind == kind::null    ? 0
                                : v->kind == kind::array ? v->elements.size()
                                                         : 1;
        return inside(*c.values_count, n);
      });
    }
    if (c.is_empty) {
      if (values.empty()) return *c.is_empty;
      return std::ranges::any_of(values, [&](const json* v) { return empty(*v) == *c.is_empty; });
    }
    if (c.is_null) {
      if (values.empty()) return !*c.is_null;
      return std::ranges::any_of(values, [&](const json* v) {
        return (v->kind == kind::null || holds_null(*v)) == *c.is_null;
      });
    }
    for (const json* value : values) {
      if (value->kind != kind::array) {
        if (element(c, *value, key)) return true;
        continue;
      }
      for (const json& one : value->elements) {
        if (element(c, one, key)) return true;
      }
    }
    return false;
  }

  static std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> found(1);
    for (const char c : text) {
      if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
        found.back().push_back(static_cast<char>(std::tolower(c)));
      } else if (!found.back().empty()) {
        found.emplace_back();
      }
    }
    if (found.back().empty()) found.pop_back();
    return found;
  }

  bool text_passes(const match_text& m, const std::string& text, const std::string& key) const {
    using mode = match_text::mode;
    if (m.how == mode::prefix) return text.starts_with(m.text);
    if (!indexed_.text.contains(key)) {
      if (m.how == mode::phrase && m.text.empty()) return false;
      if (m.how != mode::any) return text.find(m.text) != std::string::npos;
      std::istringstream pieces{std::string(m.text)};
      for (std::string piece; pieces >> piece;) {
        if (text.find(piece) != std::string::npos) return true;
      }
      return false;
    }
    const auto query = words(m.text);
    const auto stored = words(text);
    if (query.empty()) return false;
    if (m.how == mode::phrase) {
      return !std::ranges::search(stored, query).empty();
    }
    const auto has = [&](const std::string& w) {
      return std::ranges::find(stored, w) != stored.end();
    };
    return m.how == mode::all ? std::ranges::all_of(query, has) : std::ranges::any_of(query, has);
  }

  bool same_text(std::string_view wanted, const std::string& stored, const std::string& key) const {
    if (wanted == stored) return true;
    if (!indexed_.uuid.contains(key)) return false;
    const auto a = point_id::from_uuid(wanted);
    const auto b = point_id::from_uuid(stored);
    return a && b && *a == *b;
  }

  bool element(const field_condition& c, const json& v, const std::string& key) const {
    if (v.kind == kind::null) return false;
    if (c.matches) {
      if (const auto* one = std::get_if<match_value>(&*c.matches)) {
        if (const auto* s = std::get_if<std::string_view>(&one->value)) {
          if (v.kind == kind::string && same_text(*s, v.text, key)) return true;
        } else if (const auto* n = std::get_if<std::int64_t>(&one->value)) {
          if (v.kind == kind::integer && v.integer == *n) return true;
        } else if (v.kind == kind::boolean && v.flag == std::get<bool>(one->value)) {
          return true;
        }
      } else if (const auto* text = std::get_if<match_text>(&*c.matches)) {
        if (v.kind == kind::string && text_passes(*text, v.text, key)) return true;
      } else {
        const auto& any = std::get<match_any>(*c.matches);
        bool in = false;
        for (const auto s : any.strings)
          in |= v.kind == kind::string && same_text(s, v.text, key);
        for (const auto n : any.integers)
          in |= v.kind == kind::integer && v.integer == n;
        if (in != any.except) return true;
      }
    }
    if (c.range && v.is_number() && inside(*c.range, v.number())) return true;
    if (c.datetimes && v.kind == kind::string) {
      const auto when = parse_datetime(v.text);
      if (when && inside(*c.datetimes, *when)) return true;
    }
    const auto point = geo(v);
    if (!point) return false;
    if (c.box) {
      const double left = c.box->top_left.lon, right = c.box->bottom_right.lon;
      const bool across = left > right ? point->lon > left || point->lon < right
                                       : point->lon > left && point->lon < right;
      if (across && point->lat < c.box->top_left.lat && point->lat > c.box->bottom_right.lat)
        return true;
    }
    if (c.radius && meters(c.radius->center, *point) < c.radius->radius_meters) return true;
    return c.polygon && inside_ring(c.polygon->exterior, *point) &&
           std::ranges::none_of(c.polygon->interiors,
                                [&](auto ring) { return inside_ring(ring, *point); });
  }

  static std::optional<geo_point> geo(const json& v) {
    std::optional<double> lon, lat;
    for (const auto& [key, value] : v.members) {
      if (key == "lon" && value.is_number()) lon = value.number();
      if (key == "lat" && value.is_number()) lat = value.number();
    }
    if (!lon || !lat || std::abs(*lon) > 180 || std::abs(*lat) > 90) return std::nullopt;
    return geo_point{*lon, *lat};
  }
  /// By the angle between unit vectors.
  static double meters(geo_point a, geo_point b) {
    const double d = M_PI / 180;
    const auto x = [&](geo_point p) { return std::cos(p.lat * d) * std::cos(p.lon * d); };
    const auto y = [&](geo_point p) { return std::cos(p.lat * d) * std::sin(p.lon * d); };
    const auto z = [&](geo_point p) { return std::sin(p.lat * d); };
    const double cx = y(a) * z(b) - z(a) * y(b), cy = z(a) * x(b) - x(a) * z(b),
                 cz = x(a) * y(b) - y(a) * x(b);
    const double dot = x(a) * x(b) + y(a) * y(b) + z(a) * z(b);
    return 6371008.8 * std::atan2(std::sqrt(cx * cx + cy * cy + cz * cz), dot);
  }
  /// By the sum of the angles that the ring spans; the tests keep away from the ring itself.
  static bool inside_ring(std::span<const geo_point> ring, geo_point p) {
    double sum = 0;
    for (std::size_t i = 1; i < ring.size(); ++i) {
      const double ax = ring[i - 1].lon - p.lon, ay = ring[i - 1].lat - p.lat;
      const double bx = ring[i].lon - p.lon, by = ring[i].lat - p.lat;
      sum += std::atan2(ax * by - ay * bx, ax * bx + ay * by);
    }
    return std::abs(sum) > 1;
  }

  bool check(const is_empty_condition& c, const json& object, std::uint32_t,
             const std::string&) const {
    const auto values = object.reach(c.key.steps);
    return std::ranges::all_of(values, [](const json* v) { return empty(*v); });
  }
  bool check(const is_null_condition& c, const json& object, std::uint32_t,
             const std::string& prefix) const {
    const bool indexed = indexed_.any.contains(prefix + std::string(c.key.text));
    return std::ranges::any_of(object.reach(c.key.steps), [&](const json* v) {
      return v->kind == kind::null || (indexed && holds_null(*v));
    });
  }
  bool check(const has_id_condition& c, const json&, std::uint32_t slot,
             const std::string& prefix) const {
    return prefix.empty() && std::ranges::find(c.ids, table_.points[slot].id) != c.ids.end();
  }
  bool check(const has_vector_condition& c, const json&, std::uint32_t slot,
             const std::string& prefix) const {
    return prefix.empty() && table_.has_vector(slot, c.name);
  }
  bool check(const nested_condition& c, const json& object, std::uint32_t slot,
             const std::string& prefix) const {
    for (const json* value : object.reach(c.key.steps)) {
      for (const json& one : value->elements) {
        if (one.kind == kind::object &&
            check(*c.inner, one, slot, prefix + std::string(c.key.text) + "[].")) {
          return true;
        }
      }
    }
    return false;
  }
  bool check(const filter_condition& c, const json& object, std::uint32_t slot,
             const std::string& prefix) const {
    return check(*c.inner, object, slot, prefix);
  }
  bool check(const slice_condition&, const json&, std::uint32_t, const std::string&) const {
    return false;  // has its own test, with known hashes
  }

  const point_table& table_;
  keys indexed_;
};

}  // namespace vexfs::testing_filter
