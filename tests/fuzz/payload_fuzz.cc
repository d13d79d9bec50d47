// SPDX-License-Identifier: Apache-2.0
// Four lines: two paths, a stored payload, and changes to it. Stored text is canonical, and stays
// so whatever is done to it; and what a path reaches is what it reaches in a tree of the same
// document.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/payload/datetime.h"
#include "core/payload/payload.h"
#include "core/payload/print.h"
#include "net/json/cursor.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/json_of_node.h"

namespace {

using namespace vexfs;
using fuzzing::canonical_text;
using fuzzing::require;
using fuzzing::require_same;

/// The steps as text in the one form that always parses.
std::string printed(const payload_path& path) {
  std::string out;
  for (const path_step& step : path.steps) {
    if (step.kind == path_step::form::all) {
      out += "[]";
    } else if (step.kind == path_step::form::index) {
      out += '[' + std::to_string(step.index) + ']';
    } else {
      if (!out.empty()) out += '.';
      out.append("\"").append(step.key).append("\"");
    }
  }
  return out;
}

std::optional<payload_path> path_of(std::string_view text, arena& memory) {
  const auto path = parse_payload_path(text, memory);
  if (!path) return std::nullopt;
  require_same(path->text, text, "a path's text");
  require(!path->steps.empty(), "a path without steps");
  arena other;
  const auto again = parse_payload_path(printed(*path), other);
  require(again && std::ranges::equal(again->steps, path->steps), "a printed path is another");
  return path;
}

void require_canonical(std::string_view text, std::string_view what) {
  arena memory;
  const auto again = canonical_text(text, memory);
  require(again.has_value(), what);
  require_same(text, *again, what);
}

std::vector<std::string> reached(std::string_view stored, const payload_path& path) {
  std::vector<std::string> texts;
  visit_payload(stored, path, [&](json_value value) {
    texts.emplace_back(value.text);
    return true;
  });
  return texts;
}

void check_walk(const json::node& document, std::string_view stored, const payload_path& path) {
  const auto texts = reached(stored, path);
  const auto tree = fuzzing::tree_of(document);
  const auto expected = tree.reach(path.steps);
  require(texts.size() == expected.size(), "a walk reaches another number of values");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    arena memory;
    const auto value = json::parse_document(texts[i], memory);
    require(value.has_value(), "a walk reaches what is no value");
    require_same(fuzzing::tree_of(**value).printed(), expected[i]->printed(),
                 "a walk reaches another value");
  }
}

void check_changes(std::string_view stored, std::string_view changes, const payload_path* key) {
  const std::string merged = merge_payload(stored, changes, key);
  require_canonical(merged, "a merge");
  require_same(merge_payload(merged, changes, key), merged, "the same merge, twice");
}

void check_selection(std::string_view stored, std::span<const payload_path> paths) {
  const std::string removed = remove_payload_keys(stored, paths);
  const std::string included = include_payload(stored, paths);
  const std::string excluded = exclude_payload(stored, paths);
  require_canonical(removed, "what is left after a removal");
  require_canonical(included, "what is included");
  require_canonical(excluded, "what is left of an exclusion");
  require_same(include_payload(included, paths), included, "the same inclusion, twice");
  require_same(exclude_payload(excluded, paths), excluded, "the same exclusion, twice");
  for (const payload_path& path : paths) {
    // Elements by number are other ones afterwards, or not addressed at all.
    const bool by_number = std::ranges::any_of(
        path.steps, [](const path_step& step) { return step.kind == path_step::form::index; });
    if (by_number) continue;
    require(reached(removed, path).empty(), "a path reaches what it removed");
    require(reached(excluded, path).empty(), "a path reaches what it excluded");
    require(reached(included, path) == reached(stored, path), "a path does not reach what it kept");
  }
}

void check_datetime(std::string_view text) {
  if (const auto read = parse_datetime(text))
    require(parse_datetime(print_datetime(*read)) == read, "a printed date is another");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzzing::fuzz_input input(bytes, count);
  arena memory;
  std::vector<payload_path> paths;
  for (int i = 0; i < 2; ++i) {
    const std::string_view text = input.line();
    check_datetime(text);
    if (const auto path = path_of(text, memory)) paths.push_back(*path);
  }
  const std::string_view document = input.line();
  const auto read = json::parse_document(document, memory);
  if (!read || !(*read)->is(json::node::form::object)) return 0;
  std::string stored;
  json::append_canonical(stored, **read);
  require_canonical(stored, "canonical text");
  json::cursor fast(document);
  if (std::string text; fast.canonical_value(text) && fast.finished())
    require_same(text, stored, "canonical text of the two readers");
  for (const payload_path& path : paths)
    check_walk(**read, stored, path);
  check_selection(stored, paths);
  const auto changes = canonical_text(input.line(), memory);
  if (!changes || changes->front() != '{') return 0;
  check_changes(stored, *changes, nullptr);
  check_changes("", *changes, nullptr);
  for (const payload_path& path : paths)
    check_changes(stored, *changes, &path);
  return 0;
}
