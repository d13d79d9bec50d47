// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decoder.h"

#include <charconv>
#include <cmath>

#include "core/payload/datetime.h"
#include "core/payload/print.h"
#include "net/json/syntax_error.h"

namespace vexfs::rest {
namespace {

/// More values that are out of range are as wrong, but nobody reads on.
constexpr std::size_t reported_values_max = 100;

template <class Number>
std::optional<Number> whole_number(std::string_view digits) {
  Number number{};
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

const node* decoder::parse() {
  auto parsed = json::parse_document(document_, memory);
  if (parsed) return *parsed;
  failure_ = error{errc::malformed, "Format error in JSON body: " + parsed.error().text};
  return nullptr;
}

std::string decoder::end_position() const {
  return json::position_text(document_, document_.size());
}

void decoder::malformed(std::string text) {
  if (failure_) return;
  failure_ =
      error{errc::malformed, "Format error in JSON body: " + std::move(text) + end_position()};
}

void decoder::invalid(std::string_view path, std::string_view text) {
  if (invalid_.size() == reported_values_max) return;
  invalid_.push_back(std::string(path) + ": " + std::string(text));
}

void decoder::refuse(errc code, std::string text) {
  if (!failure_) failure_ = error{code, std::move(text)};
}

std::optional<error> decoder::finish() const {
  if (failure_) return failure_;
  if (invalid_.empty()) return std::nullopt;
  std::string text = "Validation error in JSON body: [";
  for (std::size_t i = 0; i < invalid_.size(); ++i) {
    if (i > 0) text += "; ";
    text += invalid_[i];
  }
  return error{errc::invalid, text + "]"};
}

std::string decoder::type_text(const node& value) const {
  switch (value.kind) {
    case node::form::null:
      return "null";
    case node::form::boolean:
      return value.truth ? "boolean `true`" : "boolean `false`";
    case node::form::number:
      return (value.text.find_first_of(".eE") == std::string_view::npos ? "integer `"
                                                                        : "floating point `") +
             std::string(value.text) + "`";
    case node::form::string:
      return "string \"" + std::string(value.text.substr(0, 100)) + "\"";
    case node::form::array:
      return "sequence";
    case node::form::object:
      return "map";
  }
  return "";
}

std::string decoder::number_text(float value) {
  std::string text;
  append_json_number(text, value);
  return text;
}

void decoder::wrong_type(const node& value, std::string_view expected) {
  malformed("invalid type: " + type_text(value) + ", expected " + std::string(expected));
}

const node* decoder::object(const node* value, std::string_view what) {
  if (!value || failed()) return nullptr;
  if (value->is(node::form::object)) return value;
  wrong_type(*value, "struct " + std::string(what));
  return nullptr;
}

const node* decoder::required(const node& from, std::string_view name) {
  if (failed()) return nullptr;
  const node* found = from.find(name);
  if (!found) malformed("missing field `" + std::string(name) + "`");
  return found;
}

std::uint64_t decoder::u64(const node& value) {
  if (failed()) return 0;
  if (value.is(node::form::number)) {
    if (const auto number = whole_number<std::uint64_t>(value.text)) return *number;
    malformed("invalid value: " + type_text(value) + ", expected u64");
    return 0;
  }
  wrong_type(value, "u64");
  return 0;
}

std::int64_t decoder::i64(const node& value) {
  if (failed()) return 0;
  if (value.is(node::form::number)) {
    if (const auto number = whole_number<std::int64_t>(value.text)) return *number;
    malformed("invalid value: " + type_text(value) + ", expected i64");
    return 0;
  }
  wrong_type(value, "i64");
  return 0;
}

double decoder::f64(const node& value) {
  if (failed()) return 0;
  if (!value.is(node::form::number)) {
    wrong_type(value, "f64");
    return 0;
  }
  double number = 0;
  const auto [end, code] =
      std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
  // The document has no numbers that are too large: these are too small.
  if (code == std::errc::result_out_of_range) return value.text.front() == '-' ? -0.0 : 0.0;
  return number;
}

float decoder::f32(const node& value) {
  return static_cast<float>(f64(value));
}

bool decoder::boolean(const node& value) {
  if (failed()) return false;
  if (!value.is(node::form::boolean)) wrong_type(value, "a boolean");
  return value.truth;
}

std::string_view decoder::string(const node& value) {
  if (failed()) return {};
  if (!value.is(node::form::string)) {
    wrong_type(value, "a string");
    return {};
  }
  return value.text;
}

std::span<const node> decoder::array(const node& value) {
  if (failed()) return {};
  if (!value.is(node::form::array)) {
    wrong_type(value, "a sequence");
    return {};
  }
  return value.items;
}

point_id decoder::id(const node& value) {
  if (failed()) return {};
  if (value.is(node::form::number)) {
    if (const auto number = whole_number<std::uint64_t>(value.text))
      return point_id::from_number(*number);
  } else if (value.is(node::form::string)) {
    if (const auto uuid = point_id::from_uuid(value.text)) return *uuid;
  }
  const std::string shown =
      value.is(node::form::string) ? std::string(value.text) : std::string(value.text);
  malformed("value " +
            (value.is(node::form::string) ? "\"" + shown + "\""
             : shown.empty()              ? type_text(value)
                                          : shown) +
            " is not a valid point ID, valid values are either an unsigned integer or a UUID");
  return {};
}

payload_path decoder::path(const node& value) {
  const std::string_view text = string(value);
  if (failed()) return {};
  if (const auto parsed = parse_payload_path(text, memory)) return *parsed;
  std::string message = "Invalid json path: '";
  message += text;
  message += '\'';
  malformed(std::move(message));
  return {};
}

std::int64_t decoder::datetime(const node& value) {
  const std::string_view text = string(value);
  if (failed()) return 0;
  if (const auto time = parse_datetime(text)) return *time;
  std::string message = "'";
  message += text;
  message += "' does not match accepted datetime format (RFC3339). Example: 2014-01-01T00:00:00Z";
  malformed(std::move(message));
  return 0;
}

std::string_view decoder::payload(const node& value) {
  if (failed()) return {};
  if (!value.is(node::form::object)) {
    wrong_type(value, "a map");
    return {};
  }
  if (value.members.empty()) return {};
  std::string text;
  json::append_canonical(text, value);
  return memory.copy(std::string_view(text));
}

void decoder::at_least(std::string_view path, std::uint64_t value, std::uint64_t least) {
  if (value < least)
    invalid(path, "value " + std::to_string(value) + " invalid, must be " + std::to_string(least) +
                      " or larger");
}

}  // namespace vexfs::rest
