// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_formula.h"

#include <array>
#include <cmath>
#include <vector>

#include "net/json/document.h"
#include "net/rest/decode/decode_filter.h"

namespace vexfs::rest {
namespace {

using form = expression::form;

constexpr double microseconds_of_second = 1e6;
constexpr float decay_midpoint_default = 0.5F;
constexpr float decay_scale_default = 1.0F;

struct operator_entry {
  std::string_view name;
  form kind;
};
/// Operators of one list of operands, or of one operand.
constexpr std::array lists =
    std::to_array<operator_entry>({{"mult", form::mult}, {"sum", form::sum}});
constexpr std::array unary = std::to_array<operator_entry>({{"neg", form::neg},
                                                            {"abs", form::abs},
                                                            {"sqrt", form::sqrt},
                                                            {"exp", form::exp},
                                                            {"log10", form::log10},
                                                            {"ln", form::ln}});
constexpr std::array decays = std::to_array<operator_entry>({{"lin_decay", form::lin_decay},
                                                             {"exp_decay", form::exp_decay},
                                                             {"gauss_decay", form::gauss_decay}});

/// A name in a formula: "$score", "$score[i]", or a payload path.
struct variable {
  std::optional<std::uint64_t> score;
  payload_path path;
};
/// Why a text is no such name, or nothing.
std::optional<std::string> read_variable(std::string_view text, arena& memory, variable& out) {
  if (!text.starts_with('$')) {
    const auto path = parse_payload_path(text, memory);
    if (!path) return "Invalid payload variable: " + std::string(text);
    out.path = *path;
    return std::nullopt;
  }
  const auto path = parse_payload_path(text.substr(1), memory);
  if (!path) return "Invalid reserved variable: " + std::string(text);
  if (path->steps[0].key != "score") return "Invalid reserved word: " + std::string(text);
  if (path->steps.size() == 1)
    out.score = 0;
  else if (path->steps.size() == 2 && path->steps[1].kind == path_step::form::index)
    out.score = path->steps[1].index;
  else
    return "Invalid reserved variable: " + std::string(text);
  return std::nullopt;
}

class formula_decoder {
 public:
  formula_decoder(decoder& in, const std::string& path) : in_(in), path_(path) {}

  expression decode(const node& value) {
    expression made;
    if (in_.failed()) return made;
    if (value.is(node::form::number)) {
      made.number = static_cast<double>(in_.f32(value));
    } else if (value.is(node::form::string)) {
      decode_variable(value.text, made);
    } else if (value.is(node::form::object)) {
      decode_operator(value, made);
    } else {
      in_.malformed("data did not match any variant of untagged enum Expression");
    }
    return made;
  }

 private:
  void refuse(std::string text) { in_.refuse(errc::bad_input, "Validation failed: " + text); }

  std::span<const expression> operands(std::initializer_list<const node*> given) {
    const auto made = in_.memory.array<expression>(given.size());
    std::size_t count = 0;
    for (const node* one : given)
      if (one) made[count++] = decode(*one);
    return made.first(count);
  }

  void decode_variable(std::string_view text, expression& out) {
    variable name;
    if (const auto why = read_variable(text, in_.memory, name)) {
      refuse("failed to parse variable ID " + std::string(text) + ": " + *why);
      return;
    }
    out.kind = name.score ? form::score : form::variable;
    out.index = name.score.value_or(0);
    out.path = name.path;
  }

  void decode_operator(const node& value, expression& out) {
    for (const operator_entry& one : lists) {
      const node* given = value.find(one.name);
      if (!given) continue;
      out.kind = one.kind;
      out.operands =
          in_.each<expression>(in_.array(*given), [&](const node& item) { return decode(item); });
      return;
    }
    for (const operator_entry& one : unary) {
      const node* given = value.find(one.name);
      if (!given) continue;
      out.kind = one.kind;
      out.operands = operands({given});
      return;
    }
    for (const operator_entry& one : decays) {
      const node* given = value.find(one.name);
      if (!given) continue;
      out.kind = one.kind;
      decode_decay(*given, out);
      return;
    }
    if (const node* given = value.find("div")) return decode_div(*given, out);
    if (const node* given = value.find("pow")) return decode_pow(*given, out);
    if (const node* given = value.find("geo_distance")) return decode_distance(*given, out);
    if (const node* given = value.find("datetime_key")) {
      out.kind = form::datetime;
      out.path = in_.path(*given);
      return;
    }
    if (const node* given = value.find("datetime")) {
      out.number = static_cast<double>(in_.datetime(*given)) / microseconds_of_second;
      return;
    }
    out.kind = form::truth;
    out.if_true = decode_lone_condition(in_, value, path_);
  }

  void decode_div(const node& value, expression& out) {
    if (!in_.object(&value, "DivParams")) return;
    out.kind = form::div;
    out.operands = operands({in_.required(value, "left"), in_.required(value, "right")});
    if (const node* fallback = value.find_set("by_zero_default"))
      out.fallback = static_cast<double>(in_.f32(*fallback));
  }

  void decode_pow(const node& value, expression& out) {
    if (!in_.object(&value, "PowParams")) return;
    out.kind = form::pow;
    out.operands = operands({in_.required(value, "base"), in_.required(value, "exponent")});
  }

  void decode_distance(const node& value, expression& out) {
    if (!in_.object(&value, "GeoDistanceParams")) return;
    out.kind = form::geo_distance;
    if (const node* origin = in_.required(value, "origin"))
      out.origin = decode_geo_point(in_, *origin, path_ + ".geo_distance.origin");
    if (const node* to = in_.required(value, "to")) out.path = in_.path(*to);
  }

  void decode_decay(const node& value, expression& out) {
    if (!in_.object(&value, "DecayParamsExpression")) return;
    out.operands = operands({in_.required(value, "x"), value.find_set("target")});
    const auto parameter = [&](std::string_view name, float standard) {
      const node* given = value.find_set(name);
      return static_cast<double>(given ? in_.f32(*given) : standard);
    };
    const double midpoint = parameter("midpoint", decay_midpoint_default);
    const double scale = parameter("scale", decay_scale_default);
    if (in_.failed()) return;
    const std::string shown = in_.number_text(static_cast<float>(midpoint));
    if (out.kind == form::lin_decay) {
      if (midpoint < 0 || midpoint > 1)
        refuse("Linear decay midpoint should be in the range [0.0, 1.0], got " + shown + ".");
    } else if (midpoint <= 0 || midpoint >= 1) {
      refuse("Decay midpoint should be in the range (0.0, 1.0), got " + shown + ".");
    }
    if (scale <= 0)
      refuse("Decay scale should be non-zero positive, got " +
             in_.number_text(static_cast<float>(scale)) + ".");
    switch (out.kind) {
      case form::lin_decay:
        out.number = (1.0 - midpoint) / scale;
        break;
      case form::exp_decay:
        out.number = std::log(midpoint) / scale;
        break;
      default:
        out.number = std::log(midpoint) / (scale * scale);
    }
  }

  decoder& in_;
  const std::string& path_;
};

}  // namespace

formula_query decode_formula(decoder& in, const node& value, const std::string& path) {
  formula_query query;
  const node* root = in.required(value, "formula");
  auto* made = in.memory.make<expression>();
  query.root = made;
  if (!root) return query;
  *made = formula_decoder(in, path).decode(*root);
  const node* given = value.find_set("defaults");
  if (!given || !in.object(given, "map")) return query;
  const auto defaults = in.memory.array<formula_default>(given->members.size());
  for (std::size_t i = 0; i < defaults.size() && !in.failed(); ++i) {
    const json::member& one = given->members[i];
    variable name;
    if (const auto why = read_variable(one.name, in.memory, name)) {
      in.invalid(path + ".defaults", *why);
      continue;
    }
    if (name.score && !one.value->is(node::form::number))
      in.invalid(path + ".defaults", "Validation error: Score default must be a number [{}]");
    std::string text;
    json::append_canonical(text, *one.value);
    defaults[i] = {name.score, name.path, in.memory.copy(std::string_view(text))};
  }
  query.defaults = defaults;
  return query;
}

}  // namespace vexfs::rest
