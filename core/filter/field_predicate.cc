// SPDX-License-Identifier: Apache-2.0
#include "core/filter/field_predicate.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/filter/field_index.h"
#include "core/filter/text_analyzer.h"
#include "core/payload/datetime.h"
#include "core/payload/utf8.h"
#include "core/payload/walk.h"

namespace vexfs {
namespace {

template <class T>
std::span<const T> sorted_set(std::span<const T> values, arena& memory) {
  auto copy = memory.copy(values);
  std::ranges::sort(copy);
  const auto tail = std::ranges::unique(copy);
  return copy.first(copy.size() - tail.size());
}

void prepare_strings(field_predicate& out, std::span<const std::string_view> strings,
                     const field_index* index, arena& memory) {
  out.match = match_form::one_of;
  out.strings = sorted_set(strings, memory);
  if (index == nullptr || index->type() != payload_type::uuid) return;
  auto ids = memory.array<point_id>(strings.size());
  std::size_t count = 0;
  for (const std::string_view text : strings) {
    if (const auto id = point_id::from_uuid(text)) ids[count++] = *id;
  }
  out.uuids = sorted_set<point_id>(ids.first(count), memory);
}

void prepare_text(field_predicate& out, const match_text& what, const field_index* index,
                  arena& memory) {
  using mode = match_text::mode;
  const text_analyzer* analyzer = index != nullptr ? index->analyzer() : nullptr;
  if (what.how == mode::prefix) {
    out.match = match_form::starts_with;
    out.strings = memory.copy(std::span(&what.text, 1));
    return;
  }
  if (analyzer != nullptr) {
    out.analyzer = analyzer;
    out.match = what.how == mode::all   ? match_form::all_tokens
                : what.how == mode::any ? match_form::any_token
                                        : match_form::phrase;
    token_list list;
    analyzer->query_tokens(what.text, list);
    auto tokens = memory.array<std::string_view>(list.size());
    for (std::size_t i = 0; i < list.size(); ++i)
      tokens[i] = memory.copy(list[i]);
    out.tokens = tokens;
    const bool refused = what.how == mode::phrase && !analyzer->phrase_matching();
    if (tokens.empty() || refused) out.match = match_form::nothing;
    return;
  }
  out.match = match_form::substring;
  if (what.how != mode::any) {
    out.strings = memory.copy(std::span(&what.text, 1));
    if (what.how == mode::phrase && what.text.empty()) out.match = match_form::nothing;
    return;
  }
  std::vector<std::string_view> pieces;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < what.text.size();) {
    const auto [code, bytes] = read_utf8(what.text.substr(at));
    if (is_white_space(code)) {
      if (at > begin) pieces.push_back(what.text.substr(begin, at - begin));
      begin = at + bytes;
    }
    at += bytes;
  }
  if (begin < what.text.size()) pieces.push_back(what.text.substr(begin));
  out.strings = memory.copy(std::span<const std::string_view>(pieces));
  if (pieces.empty()) out.match = match_form::nothing;
}

void prepare_match(field_predicate& out, const match& what, const field_index* index,
                   arena& memory) {
  if (const auto* one = std::get_if<match_value>(&what)) {
    if (const auto* text = std::get_if<std::string_view>(&one->value)) {
      prepare_strings(out, std::span(text, 1), index, memory);
    } else if (const auto* integer = std::get_if<std::int64_t>(&one->value)) {
      out.match = match_form::one_of;
      out.of_integers = true;
      out.integers = memory.copy(std::span(integer, 1));
    } else {
      out.match = match_form::boolean;
      out.boolean = std::get<bool>(one->value);
    }
  } else if (const auto* text = std::get_if<match_text>(&what)) {
    prepare_text(out, *text, index, memory);
  } else {
    const auto& any = std::get<match_any>(what);
    if (!any.integers.empty()) {
      out.match = match_form::one_of;
      out.of_integers = true;
      out.integers = sorted_set(any.integers, memory);
    } else {
      prepare_strings(out, any.strings, index, memory);
    }
    out.except = any.except;
  }
}

/// Whether the query's tokens are consecutive in the text's.
bool has_phrase(std::span<const std::string_view> phrase, const token_list& tokens) {
  for (std::size_t at = 0; at + phrase.size() <= tokens.size(); ++at) {
    std::size_t same = 0;
    while (same < phrase.size() && tokens[at + same] == phrase[same])
      ++same;
    if (same == phrase.size()) return true;
  }
  return false;
}

bool tokens_pass(const field_predicate& p, std::string_view text) {
  thread_local token_list tokens;
  if (p.match == match_form::phrase) {
    p.analyzer->query_tokens(text, tokens);
    return has_phrase(p.tokens, tokens);
  }
  p.analyzer->index_tokens(text, tokens);
  const auto found = [&](std::string_view token) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i] == token) return true;
    }
    return false;
  };
  return p.match == match_form::all_tokens ? std::ranges::all_of(p.tokens, found)
                                           : std::ranges::any_of(p.tokens, found);
}

bool string_matches(const field_predicate& p, std::string_view value) {
  if (p.match == match_form::one_of && p.strings.size() == 1 && p.uuids.empty()) {
    return json_string_equals(value.substr(1, value.size() - 2), p.strings[0]);
  }
  std::string buffer;  // allocates only for a text with escapes
  const std::string_view text = json_string_text(value, buffer);
  switch (p.match) {
    case match_form::one_of: {
      if (std::ranges::binary_search(p.strings, text)) return true;
      if (p.uuids.empty()) return false;
      const auto id = point_id::from_uuid(text);
      return id && std::ranges::binary_search(p.uuids, *id);
    }
    case match_form::substring:
      return std::ranges::any_of(p.strings, [&](std::string_view piece) {
        return text.find(piece) != std::string_view::npos;
      });
    case match_form::starts_with:
      return text.starts_with(p.strings[0]);
    default:
      return tokens_pass(p, text);
  }
}

bool match_passes(const field_predicate& p, std::string_view value) {
  const char first = value.front();
  if (p.match == match_form::nothing || first == 'n') return false;
  if (p.match == match_form::boolean) return first == (p.boolean ? 't' : 'f');
  if (p.match != match_form::one_of) return first == '"' && string_matches(p, value);
  bool found = false;
  if (p.of_integers) {
    if (first == '-' || (first >= '0' && first <= '9')) {
      const json_number number = read_json_number(value);
      found = number.kind == json_number::form::integer &&
              std::ranges::binary_search(p.integers, number.integer);
    }
  } else {
    found = first == '"' && string_matches(p, value);
  }
  return found != p.except;
}

bool element_passes(const field_predicate& p, std::string_view value) {
  if (p.match != match_form::none && match_passes(p, value)) return true;
  switch (value.front()) {
    case '"': {
      if (!p.datetimes) return false;
      std::string buffer;
      const auto when = parse_datetime(json_string_text(value, buffer));
      return when && in_range(*p.datetimes, *when);
    }
    case '{': {
      if (!p.box && !p.radius && p.polygon == nullptr) return false;
      const auto point = read_geo_point(value);
      if (!point) return false;
      return (p.box && inside_box(*p.box, *point)) ||
             (p.radius && haversine_meters(p.radius->center, *point) < p.radius->radius_meters) ||
             (p.polygon != nullptr && inside_polygon(*p.polygon, *point));
    }
    case 'n':
    case 't':
    case 'f':
    case '[':
      return false;
    default:
      return p.range && in_range(*p.range, read_json_number(value).floating);
  }
}

std::uint64_t values_in(std::string_view value) {
  if (value.front() == 'n') return 0;
  if (value.front() != '[') return 1;
  std::uint64_t count = 0;
  json_cursor cursor(value);
  for (std::string_view element; cursor.next_element(element);)
    ++count;
  return count;
}

}  // namespace

const field_predicate* prepare_predicate(const field_condition& what, const field_index* index,
                                         arena& memory) {
  field_predicate* out = memory.make<field_predicate>();
  if (what.values_count) {
    out->kind = field_predicate::form::values_count;
    out->count = *what.values_count;
    return out;
  }
  if (what.is_empty) {
    out->kind = field_predicate::form::is_empty;
    out->expected = *what.is_empty;
    return out;
  }
  if (what.is_null) {
    out->kind = field_predicate::form::is_null;
    out->expected = *what.is_null;
    return out;
  }
  if (what.matches) prepare_match(*out, *what.matches, index, memory);
  out->range = what.range;
  out->datetimes = what.datetimes;
  out->box = what.box;
  out->radius = what.radius;
  if (what.polygon) {
    out->polygon = memory.make<prepared_polygon>(prepare_polygon(*what.polygon, memory));
  }
  return out;
}

bool is_empty_value(std::string_view value) {
  return value.front() == 'n' || value == "[]";
}

bool has_null_element(std::string_view value) {
  if (value.front() != '[') return false;
  json_cursor cursor(value);
  for (std::string_view element; cursor.next_element(element);) {
    if (element.front() == 'n') return true;
  }
  return false;
}

bool value_passes(const field_predicate& predicate, std::string_view value) {
  switch (predicate.kind) {
    case field_predicate::form::values_count:
      return in_range(predicate.count, values_in(value));
    case field_predicate::form::is_empty:
      return is_empty_value(value) == predicate.expected;
    case field_predicate::form::is_null:
      return (value.front() == 'n' || has_null_element(value)) == predicate.expected;
    case field_predicate::form::values:
      break;
  }
  if (value.front() != '[') return element_passes(predicate, value);
  json_cursor cursor(value);
  for (std::string_view element; cursor.next_element(element);) {
    if (element_passes(predicate, element)) return true;
  }
  return false;
}

bool missing_passes(const field_predicate& predicate) {
  switch (predicate.kind) {
    case field_predicate::form::values_count:
      return in_range(predicate.count, std::uint64_t{0});
    case field_predicate::form::is_empty:
      return predicate.expected;
    case field_predicate::form::is_null:
      return !predicate.expected;
    case field_predicate::form::values:
      return false;
  }
  return false;
}

}  // namespace vexfs
