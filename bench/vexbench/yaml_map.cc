// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/yaml_map.h"

#include <charconv>
#include <cmath>
#include <type_traits>

#include <fmt/format.h>

#include "bench/vexbench/json_text.h"

namespace vexfs::bench {
namespace {

int line_of(const YAML::Node& node) {
  return node.Mark().line + 1;
}

}  // namespace

yaml_map::yaml_map(const YAML::Node& node, std::string path, const variables& values)
    : node_(node), path_(std::move(path)), line_(line_of(node)), values_(values) {
  if (!node_.IsMap() && !node_.IsNull()) throw scenario_fault{line_, path_, "must be a mapping"};
}

bool yaml_map::has(const std::string& key) const {
  return node_.IsMap() && node_[key].IsDefined();
}

void yaml_map::refuse(const std::string& key, const std::string& why) const {
  const int line = has(key) ? line_of(node_[key]) : line_;
  throw scenario_fault{line, path_.empty() ? key : path_ + "." + key, why};
}

YAML::Node yaml_map::at(const std::string& key) {
  used_.insert(key);
  return node_[key];
}

std::string yaml_map::scalar(const YAML::Node& node, const std::string& key) const {
  if (!node.IsScalar())
    throw scenario_fault{line_of(node), path_.empty() ? key : path_ + "." + key,
                         "must be a single value"};
  std::string text = node.Scalar();
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at)) {
    const std::size_t end = text.find('}', at);
    const std::string name = text.substr(at + 2, end == std::string::npos ? end : end - at - 2);
    const auto found = values_.find(name);
    if (end == std::string::npos || found == values_.end())
      throw scenario_fault{
          line_of(node), path_.empty() ? key : path_ + "." + key,
          fmt::format("no variable '{}': give it with --set {}=VALUE, or a default under "
                      "'variables'",
                      name, name)};
    text.replace(at, end + 1 - at, found->second);
    at += found->second.size();
  }
  return text;
}

void yaml_map::text(const std::string& key, std::string& to) {
  if (has(key)) to = scalar(at(key), key);
}

template <class Number>
Number yaml_map::parsed(const std::string& key) {
  const std::string text = scalar(at(key), key);
  Number value{};
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (bad != std::errc{} || end != text.data() + text.size()) {
    const char* kind = std::is_floating_point_v<Number> ? "a number"
                       : std::is_signed_v<Number>       ? "a whole number"
                                                        : "a whole number from 0 on";
    refuse(key, fmt::format("'{}' is not {}", text, kind));
  }
  return value;
}

void yaml_map::number(const std::string& key, std::uint32_t& to, std::uint32_t min,
                      std::uint32_t max) {
  if (!has(key)) return;
  to = parsed<std::uint32_t>(key);
  if (to < min) refuse(key, fmt::format("must be at least {}", min));
  if (to > max) refuse(key, fmt::format("must be at most {}", max));
}

void yaml_map::number(const std::string& key, std::uint64_t& to) {
  if (has(key)) to = parsed<std::uint64_t>(key);
}

void yaml_map::number(const std::string& key, double& to, double min, double max) {
  if (!has(key)) return;
  to = parsed<double>(key);
  if (!(to >= min && to <= max)) refuse(key, fmt::format("must be from {} to {}", min, max));
}

void yaml_map::optional_number(const std::string& key, std::optional<double>& to, double min,
                               double max) {
  if (!has(key)) return;
  double value = 0;
  number(key, value, min, max);
  to = value;
}

void yaml_map::optional_number(const std::string& key, std::optional<std::uint32_t>& to,
                               std::uint32_t min) {
  if (!has(key)) return;
  std::uint32_t value = 0;
  number(key, value, min);
  to = value;
}

void yaml_map::optional_number(const std::string& key, std::optional<std::int64_t>& to) {
  if (has(key)) to = parsed<std::int64_t>(key);
}

void yaml_map::flag(const std::string& key, bool& to) {
  if (!has(key)) return;
  const std::string text = scalar(at(key), key);
  if (text != "true" && text != "false")
    refuse(key, fmt::format("'{}' is not true or false", text));
  to = text == "true";
}

void yaml_map::numbers(const std::string& key, std::vector<double>& to, double min, double max) {
  if (!has(key)) return;
  const YAML::Node list = at(key);
  if (!list.IsSequence() || list.size() == 0) refuse(key, "must be a list of numbers");
  to.clear();
  for (const YAML::Node& each : list) {
    const std::string text = scalar(each, key);
    double value = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (bad != std::errc{} || end != text.data() + text.size() || !(value >= min && value <= max))
      throw scenario_fault{line_of(each), path_ + "." + key,
                           fmt::format("'{}' is not a number from {} to {}", text, min, max)};
    to.push_back(value);
  }
}

void yaml_map::texts(const std::string& key, std::vector<std::string>& to) {
  if (!has(key)) return;
  const YAML::Node list = at(key);
  if (!list.IsSequence() || list.size() == 0) refuse(key, "must be a list");
  to.clear();
  for (const YAML::Node& each : list)
    to.push_back(scalar(each, key));
}

namespace {

// Scalars without quotes are what YAML's core schema makes of them; all others are texts.
std::string json_of(const yaml_map& from, const YAML::Node& node, const std::string& key) {
  switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      return "null";
    case YAML::NodeType::Sequence: {
      std::string out = "[";
      for (const YAML::Node& each : node)
        out.append(out.size() > 1 ? "," : "").append(json_of(from, each, key));
      return out + "]";
    }
    case YAML::NodeType::Map: {
      std::string out = "{";
      for (const auto& each : node)
        out.append(out.size() > 1 ? "," : "")
            .append(quoted_json(each.first.Scalar()))
            .append(":")
            .append(json_of(from, each.second, key));
      return out + "}";
    }
    case YAML::NodeType::Scalar:
      break;
  }
  const std::string text = from.scalar(node, key);
  if (node.Tag() != "!") {
    if (text == "true" || text == "false" || text == "null") return text;
    double value = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (bad == std::errc{} && end == text.data() + text.size() && std::isfinite(value)) return text;
  }
  return quoted_json(text);
}

}  // namespace

void yaml_map::json(const std::string& key, std::string& to) {
  if (has(key)) to = json_of(*this, at(key), key);
}

void yaml_map::map(const std::string& key, const std::function<void(yaml_map&)>& read) {
  if (!has(key)) return;
  yaml_map inner(at(key), path_.empty() ? key : path_ + "." + key, values_);
  read(inner);
  inner.done();
}

void yaml_map::each(const std::function<void(const std::string&, const YAML::Node&)>& visit) {
  if (!node_.IsMap()) return;
  for (const auto& entry : node_) {
    used_.insert(entry.first.Scalar());
    visit(entry.first.Scalar(), entry.second);
  }
}

void yaml_map::done() const {
  if (!node_.IsMap()) return;
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    const std::string key = entry.first.Scalar();
    const std::string whole = path_.empty() ? key : path_ + "." + key;
    if (!used_.contains(key))
      throw scenario_fault{line_of(entry.first), whole, "is not a key that is known here"};
    if (!seen.insert(key).second)
      throw scenario_fault{line_of(entry.first), whole, "is there twice"};
  }
}

}  // namespace vexfs::bench
