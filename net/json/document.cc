// SPDX-License-Identifier: Apache-2.0
#include "net/json/document.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>

#include "core/base/limits.h"
#include "core/payload/print.h"
#include "net/json/syntax_error.h"

namespace vexfs::json {
namespace {

using boost::json::string_view;

/// Objects of more members find repeated names by sorting instead of by looking at each pair.
constexpr std::size_t few_members = 16;

/// Builds the tree from Boost.JSON's events. Values of open arrays and objects wait on one stack
/// that is kept from document to document.
class tree_builder {
 public:
  using error_code = boost::json::error_code;
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  std::string_view source;
  arena* memory = nullptr;
  std::uint32_t depth_max = json_depth_max;
  std::vector<node> values;
  std::vector<std::string_view> names;
  std::vector<std::size_t> open_values;
  std::vector<member> sorted;
  std::string piece;  // of a string or number that came in parts

  void start(std::string_view text, arena& target, std::uint32_t depth) {
    source = text;
    depth_max = json_depth_max - depth;
    memory = &target;
    values.clear();
    names.clear();
    open_values.clear();
    piece.clear();
  }
  /// Keeps what usual documents need.
  void trim() {
    const auto shrink = [](auto& kept) {
      if (kept.capacity() > json_scratch_kept_values_max)
        std::remove_cvref_t<decltype(kept)>().swap(kept);
    };
    shrink(values);
    shrink(names);
    shrink(sorted);
    shrink(piece);
  }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code& error) { return open(error); }
  bool on_object_begin(error_code& error) { return open(error); }
  bool on_array_end(std::size_t, error_code&) {
    node made;
    made.kind = node::form::array;
    const std::size_t first = open_values.back();
    made.items = memory->copy(std::span<const node>(values).subspan(first));
    close(made);
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    node made;
    made.kind = node::form::object;
    const std::size_t first = open_values.back();
    const std::size_t count = values.size() - first;
    const auto items = memory->copy(std::span<const node>(values).subspan(first));
    const auto members = memory->array<member>(count);
    for (std::size_t i = 0; i < count; ++i)
      members[i] = {names[names.size() - count + i], &items[i]};
    names.resize(names.size() - count);
    made.members = without_repeats(members);
    close(made);
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    piece.append(part.data(), part.size());
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code&) {
    node made;
    made.kind = node::form::string;
    made.text = take_text(part);
    values.push_back(made);
    return true;
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    piece.append(part.data(), part.size());
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code&) {
    names.push_back(take_text(part));
    return true;
  }
  bool on_number_part(string_view part, error_code&) {
    piece.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t, string_view part, error_code&) { return number(part); }
  bool on_uint64(std::uint64_t, string_view part, error_code&) { return number(part); }
  bool on_double(double value, string_view part, error_code& error) {
    // The contract refuses what a double cannot hold, wherever it stands. The parser's own value is
    // not exact: near the limit the digits decide.
    if (std::abs(value) > 1e307 || std::isnan(value)) return large_number(part, error);
    return number(part);
  }
  bool on_bool(bool truth, error_code&) {
    node made;
    made.kind = node::form::boolean;
    made.truth = truth;
    values.push_back(made);
    return true;
  }
  bool on_null(error_code&) {
    values.emplace_back();
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  bool open(error_code& error) {
    if (open_values.size() >= depth_max) {
      error = boost::json::error::too_deep;
      return false;
    }
    open_values.push_back(values.size());
    return true;
  }
  void close(const node& made) {
    values.resize(open_values.back());
    open_values.pop_back();
    values.push_back(made);
  }
  bool number(string_view part) {
    node made;
    made.kind = node::form::number;
    // Read while the document is there: a whole one stays where it is.
    const bool whole =
        piece.empty() && std::less_equal<>()(source.data(), part.data()) &&
        std::less_equal<>()(part.data() + part.size(), source.data() + source.size());
    made.text = whole ? std::string_view(part.data(), part.size()) : take_text(part);
    values.push_back(made);
    return true;
  }
  bool large_number(string_view part, error_code& error) {
    (void)number(part);
    const std::string_view digits = values.back().text;
    double exact = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), exact);
    if (code == std::errc{} && std::isfinite(exact)) return true;
    error = boost::json::error::exponent_overflow;
    return false;
  }
  std::string_view take_text(string_view last) {
    if (piece.empty()) return memory->copy(std::string_view(last.data(), last.size()));
    piece.append(last.data(), last.size());
    const std::string_view copied = memory->copy(std::string_view(piece));
    piece.clear();
    return copied;
  }
  std::span<const member> without_repeats(std::span<member> members) {
    const auto same_name = [](const member& one, const member& other) {
      return one.name == other.name;
    };
    if (members.size() > few_members) {
      // By name, and each name's values in the order of the document.
      sorted.assign(members.begin(), members.end());
      std::ranges::stable_sort(sorted, {}, &member::name);
      if (std::ranges::adjacent_find(sorted, same_name) == sorted.end()) return members;
      std::size_t kept = 0;
      for (std::size_t i = 0; i < members.size(); ++i) {
        const auto range = std::ranges::equal_range(sorted, members[i].name, {}, &member::name);
        // The first value of a name finds itself, and takes the place of all of them.
        if (range.front().value != members[i].value) continue;
        members[kept++] = {members[i].name, range.back().value};
      }
      return members.first(kept);
    }
    std::size_t kept = 0;
    for (const member& one : members) {
      const auto first = members.first(kept);
      const auto same =
          std::ranges::find_if(first, [&](const member& other) { return same_name(one, other); });
      if (same != first.end())
        same->value = one.value;
      else
        members[kept++] = one;
    }
    return members.first(kept);
  }
};

boost::json::parse_options options() {
  boost::json::parse_options wanted;
  wanted.max_depth = json_depth_max + 1;
  return wanted;
}

}  // namespace

const node* node::find(std::string_view name) const {
  for (const member& one : members)
    if (one.name == name) return one.value;
  return nullptr;
}

const node* node::find_set(std::string_view name) const {
  const node* found = find(name);
  return found && found->kind != form::null ? found : nullptr;
}

result<const node*> parse_document(std::string_view text, arena& memory, std::uint32_t depth) {
  static thread_local boost::json::basic_parser<tree_builder> parser{options()};
  parser.reset();
  parser.handler().start(text, memory, depth);
  boost::json::error_code error;
  if (text.empty()) text = "";  // with a place to point to
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  std::size_t end = used;
  if (!error && end < text.size()) {
    end = text.find_first_not_of(" \t\r\n", end);
    if (end == std::string_view::npos)
      end = text.size();
    else
      error = boost::json::error::extra_data;
  }
  if (error) {
    parser.handler().trim();
    // The parser tells apart fewer mistakes than the contract does.
    if (auto found = find_syntax_error(text)) return fail(errc::malformed, std::move(*found));
    return fail(errc::malformed, "expected value" + position_text(text, end));
  }
  const node* root = memory.make<node>(parser.handler().values.front());
  parser.handler().trim();
  return root;
}

void append_canonical(std::string& out, const node& value) {
  switch (value.kind) {
    case node::form::null:
      out += "null";
      break;
    case node::form::boolean:
      out += value.truth ? "true" : "false";
      break;
    case node::form::number:
      out += value.text;
      break;
    case node::form::string:
      append_json_string(out, value.text);
      break;
    case node::form::array: {
      out += '[';
      bool first = true;
      for (const node& item : value.items) {
        if (!std::exchange(first, false)) out += ',';
        append_canonical(out, item);
      }
      out += ']';
      break;
    }
    case node::form::object: {
      out += '{';
      bool first = true;
      for (const member& one : value.members) {
        if (!std::exchange(first, false)) out += ',';
        append_json_string(out, one.name);
        out += ':';
        append_canonical(out, *one.value);
      }
      out += '}';
      break;
    }
  }
}

}  // namespace vexfs::json
