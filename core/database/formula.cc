// SPDX-License-Identifier: Apache-2.0
#include "core/database/formula.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/filter/geo.h"
#include "core/payload/datetime.h"
#include "core/payload/payload.h"
#include "core/payload/print.h"

namespace vexfs {
namespace {

constexpr double microseconds_of_second = 1e6;

std::string show(double number) {
  std::string text;
  append_json_number(text, number);
  return text;
}

result<double> finite(double number, auto&& describe) {
  if (std::isfinite(number)) return number;
  const std::string shown = std::isnan(number) ? "NaN" : number > 0 ? "inf" : "-inf";
  return fail(errc::bad_input,
              "The expression " + describe() + " = " + shown + " produced a non-finite number");
}

error wrong_value(const payload_path& path, std::string_view expected, std::string_view why) {
  return {errc::bad_input,
          "Expected " + std::string(expected) + " value for " + std::string(path.text) +
              " in the payload and/or in the formula defaults. Error: " + std::string(why)};
}
constexpr std::string_view several_values = "[]";  // of no type that is asked for
constexpr std::string_view no_value = "No value found in a payload nor defaults";

}  // namespace

struct formula_scorer::at_point {
  const point_source& source;
  const ranked_point& point;
  std::string_view payload;
};

formula_scorer::formula_scorer(const formula_query& query, std::span<const ranking> lists,
                               const field_indexes& indexes, arena& memory)
    : query_(query) {
  for (const ranking list : lists) {
    auto& scores = scores_.emplace_back();
    for (const ranked_point& point : list)
      scores.insert_or_assign(point.id, point.score);
  }
  compile(*query.root, indexes, memory);
}

void formula_scorer::compile(const expression& part, const field_indexes& indexes, arena& memory) {
  if (part.if_true) conditions_.emplace(&part, compiled_filter(*part.if_true, &indexes, memory));
  for (const expression& operand : part.operands)
    compile(operand, indexes, memory);
}

double formula_scorer::score_of_list(std::uint64_t index, const point_id& id) const {
  if (index < scores_.size()) {
    const auto found = scores_[index].find(id);
    if (found != scores_[index].end()) return static_cast<double>(found->second);
  }
  for (const formula_default& given : query_.defaults) {
    if (given.score != index || json_value{given.value}.kind() != json_value::form::number)
      continue;
    return read_json_number(given.value).floating;
  }
  return 0;
}

std::string_view formula_scorer::value_at(const payload_path& path, const at_point& where) const {
  // Elements of arrays count as values, nulls do not. Several are none that a formula can use.
  std::string_view found;
  std::size_t count = 0;
  const auto take = [&](std::string_view value) {
    if (json_value{value}.kind() == json_value::form::null) return;
    found = value;
    ++count;
  };
  visit_payload(where.payload, path, [&](const json_value& value) {
    if (value.kind() != json_value::form::array) {
      take(value.text);
      return true;
    }
    json_cursor elements(value.text);
    for (std::string_view element; elements.next_element(element);)
      take(element);
    return true;
  });
  if (count == 1) return found;
  if (count > 1) return several_values;
  for (const formula_default& given : query_.defaults)
    if (!given.score && given.path.text == path.text) return given.value;
  return {};
}

result<double> formula_scorer::decay(const expression& part, const at_point& where) const {
  VEXFS_TRY(const double x, evaluate(part.operands[0], where));
  double target = 0;
  if (part.operands.size() > 1) {
    VEXFS_TRY(target, evaluate(part.operands[1], where));
  }
  const double difference = x - target;
  switch (part.kind) {
    case expression::form::exp_decay:
      return std::exp(part.number * std::abs(difference));
    case expression::form::gauss_decay:
      return std::exp(part.number * difference * difference);
    default:
      return std::max(0.0, 1.0 - part.number * std::abs(difference));
  }
}

result<double> formula_scorer::evaluate(const expression& part, const at_point& where) const {
  using form = expression::form;
  switch (part.kind) {
    case form::constant:
      return part.number;
    case form::score:
      return score_of_list(part.index, where.point.id);
    case form::variable: {
      const std::string_view value = value_at(part.path, where);
      if (value.empty()) return std::unexpected(wrong_value(part.path, "number", no_value));
      if (json_value{value}.kind() != json_value::form::number)
        return std::unexpected(wrong_value(part.path, "number", "Value is not a number"));
      return read_json_number(value).floating;
    }
    case form::truth:
      return conditions_.at(&part).matches(where.source, where.point.slot, where.payload) ? 1.0
                                                                                          : 0.0;
    case form::geo_distance: {
      const std::string_view value = value_at(part.path, where);
      if (value.empty()) return std::unexpected(wrong_value(part.path, "geo point", no_value));
      const auto point = read_geo_point(value);
      if (!point)
        return std::unexpected(wrong_value(part.path, "geo point", "Value is not a geo point"));
      return haversine_meters(part.origin, *point);
    }
    case form::datetime: {
      const std::string_view value = value_at(part.path, where);
      if (value.empty()) return std::unexpected(wrong_value(part.path, "datetime", no_value));
      if (json_value{value}.kind() != json_value::form::string)
        return std::unexpected(wrong_value(part.path, "datetime", "Value is not a string"));
      std::string buffer;
      const auto time = parse_datetime(json_string_text(value, buffer));
      if (!time)
        return std::unexpected(wrong_value(part.path, "datetime", "Value is not a datetime"));
      return static_cast<double>(*time) / microseconds_of_second;
    }
    case form::mult: {
      double product = 1;
      for (const expression& operand : part.operands) {
        VEXFS_TRY(const double factor, evaluate(operand, where));
        // The contract stops here: what follows is not even looked at.
        if (factor == 0) return 0.0;
        product *= factor;
      }
      return product;
    }
    case form::sum: {
      double total = 0;
      for (const expression& operand : part.operands) {
        VEXFS_TRY(const double term, evaluate(operand, where));
        total += term;
      }
      return total;
    }
    case form::div: {
      VEXFS_TRY(const double left, evaluate(part.operands[0], where));
      if (left == 0) return 0.0;
      VEXFS_TRY(const double right, evaluate(part.operands[1], where));
      if (right == 0 && part.fallback) return *part.fallback;
      return finite(left / right, [&] { return show(left) + "/" + show(right); });
    }
    case form::pow: {
      VEXFS_TRY(const double base, evaluate(part.operands[0], where));
      VEXFS_TRY(const double exponent, evaluate(part.operands[1], where));
      return finite(std::pow(base, exponent), [&] { return show(base) + "^" + show(exponent); });
    }
    case form::lin_decay:
    case form::exp_decay:
    case form::gauss_decay:
      return decay(part, where);
    case form::neg:
    case form::abs:
    case form::sqrt:
    case form::exp:
    case form::log10:
    case form::ln:
      break;
  }
  VEXFS_TRY(const double value, evaluate(part.operands[0], where));
  switch (part.kind) {
    case form::neg:
      return -value;
    case form::abs:
      return std::abs(value);
    case form::sqrt:
      return finite(std::sqrt(value), [&] { return "√" + show(value); });
    case form::exp:
      return finite(std::exp(value), [&] { return "exp(" + show(value) + ")"; });
    case form::log10:
      return finite(std::log10(value), [&] { return "log10(" + show(value) + ")"; });
    default:
      return finite(std::log(value), [&] { return "ln(" + show(value) + ")"; });
  }
}

result<float> formula_scorer::score(const point_source& source, const ranked_point& point,
                                    std::string_view payload) const {
  VEXFS_TRY(const double value, evaluate(*query_.root, {source, point, payload}));
  const auto narrow = static_cast<float>(value);
  if (std::isfinite(narrow)) return narrow;
  return fail(errc::bad_input, "The expression " + show(value) + " as f32 = " +
                                   (std::isnan(narrow) ? "NaN"
                                    : narrow > 0       ? "inf"
                                                       : "-inf") +
                                   " produced a non-finite number");
}

}  // namespace vexfs
