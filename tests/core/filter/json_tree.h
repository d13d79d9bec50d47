// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/payload/path.h"
#include "core/payload/print.h"

namespace vexfs::testing_filter {

/// JSON as a plain tree: what the oracle evaluates, and what payloads are printed from.
struct json {
  enum class type { null, boolean, integer, natural, real, string, array, object };
  type kind = type::null;
  bool flag = false;
  std::int64_t integer = 0;
  std::uint64_t natural = 0;
  double real = 0;
  std::string text;
  std::vector<json> elements;
  std::vector<std::pair<std::string, json>> members;

  // Defined outside: a member of incomplete type must not be touched inside the class.
  json();
  json(const json&);
  json(json&&) noexcept;
  json& operator=(const json&);
  json& operator=(json&&) noexcept;
  ~json();

  static json of(bool value) {
    return with(type::boolean, [&](json& j) { j.flag = value; });
  }
  static json of(std::int64_t value) {
    return with(type::integer, [&](json& j) { j.integer = value; });
  }
  static json of(std::uint64_t value) {
    return with(type::natural, [&](json& j) { j.natural = value; });
  }
  static json of(double value) {
    return with(type::real, [&](json& j) { j.real = value; });
  }
  static json of(std::string value) {
    return with(type::string, [&](json& j) { j.text = std::move(value); });
  }
  static json array() {
    return with(type::array, [](json&) {});
  }
  static json object() {
    return with(type::object, [](json&) {});
  }

  bool is_number() const {
    return kind == type::integer || kind == type::natural || kind == type::real;
  }
  double number() const {
    return kind == type::integer   ? static_cast<double>(integer)
           : kind == type::natural ? static_cast<double>(natural)
                                   : real;
  }

  void print(std::string& out) const {
    switch (kind) {
      case type::null:
        out += "null";
        break;
      case type::boolean:
        out += flag ? "true" : "false";
        break;
      case type::integer:
        append_json_number(out, integer);
        break;
      case type::natural:
        append_json_number(out, natural);
        break;
      case type::real:
        append_json_number(out, real);
        break;
      case type::string:
        append_json_string(out, text);
        break;
      case type::array:
        out += '[';
        for (std::size_t i = 0; i < elements.size(); ++i) {
          if (i > 0) out += ',';
          elements[i].print(out);
        }
        out += ']';
        break;
      case type::object:
        out += '{';
        for (std::size_t i = 0; i < members.size(); ++i) {
          if (i > 0) out += ',';
          append_json_string(out, members[i].first);
          out += ':';
          members[i].second.print(out);
        }
        out += '}';
        break;
    }
  }
  std::string printed() const {
    std::string out;
    print(out);
    return out;
  }

  std::vector<const json*> reach(std::span<const path_step> steps) const {
    if (steps.empty()) return {this};
    std::vector<const json*> found;
    const auto add = [&](const json& below) {
      for (const json* one : below.reach(steps.subspan(1)))
        found.push_back(one);
    };
    const path_step& step = steps.front();
    if (step.kind == path_step::form::key) {
      for (const auto& [key, value] : members) {
        if (key == step.key) add(value);
      }
    } else {
      for (std::size_t i = 0; i < elements.size(); ++i) {
        if (step.kind == path_step::form::all || step.index == i) add(elements[i]);
      }
    }
    return found;
  }

 private:
  template <class Set>
  static json with(type kind, Set&& set) {
    json made;
    made.kind = kind;
    set(made);
    return made;
  }
};

inline json::json() = default;
inline json::json(const json&) = default;
inline json::json(json&&) noexcept = default;
inline json& json::operator=(const json&) = default;
inline json& json::operator=(json&&) noexcept = default;
inline json::~json() = default;

}  // namespace vexfs::testing_filter
