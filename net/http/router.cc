// SPDX-License-Identifier: Apache-2.0
#include "net/http/router.h"

#include <utility>

#include "core/base/assert.h"

namespace vexfs::http {

struct router::node {
  std::vector<std::pair<std::string, std::unique_ptr<node>>> literals;
  std::unique_ptr<node> capture;
  std::unique_ptr<node> tail;
  std::array<const route*, method_count> by_method{};
  bool is_end = false;
};

namespace {

/// Takes the next segment off a path; empty at the end.
std::string_view next_segment(std::string_view& path) {
  while (!path.empty() && path.front() == '/')
    path.remove_prefix(1);
  const auto slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path.remove_prefix(segment.size());
  return segment;
}

}  // namespace

router::router() : root_(std::make_unique<node>()) {}
router::~router() = default;

void router::add(method verb, std::string_view pattern, void (*handler)(exchange&, void*),
                 void* context, std::uint32_t flags) {
  auto added = std::make_unique<route>(route{verb, std::string(pattern), handler, context,
                                             static_cast<std::uint32_t>(routes_.size()), flags});
  node* place = root_.get();
  std::string_view rest = pattern;
  std::size_t capture_count = 0;
  while (true) {
    const std::string_view segment = next_segment(rest);
    if (segment.empty()) break;
    if (segment.front() == '{') {
      ++capture_count;
      std::unique_ptr<node>& child = segment.ends_with("*}") ? place->tail : place->capture;
      if (!child) child = std::make_unique<node>();
      place = child.get();
      continue;
    }
    node* found = nullptr;
    for (auto& [text, child] : place->literals)
      if (text == segment) found = child.get();
    if (!found) {
      place->literals.emplace_back(std::string(segment), std::make_unique<node>());
      found = place->literals.back().second.get();
    }
    place = found;
  }
  VEXFS_ASSERT(capture_count <= captures_max);
  const route*& entry = place->by_method[static_cast<std::size_t>(verb)];
  VEXFS_ASSERT(entry == nullptr);
  entry = added.get();
  place->is_end = true;
  routes_.push_back(std::move(added));
}

struct router::search {
  exchange& call;
  const std::size_t verb;
  bool path_known = false;
  bool path_broken = false;

  bool capture(std::size_t index, std::string_view text) {
    const auto decoded = percent_decode(text, false, call.memory);
    if (decoded) call.captures[index] = *decoded;
    path_broken = path_broken || !decoded;
    return decoded.has_value();
  }

  // Patterns have few segments, and only they are descended into: the depth is theirs.
  const route* from(const node& place, std::string_view rest, std::size_t capture_count) {
    const std::string_view before = rest;
    const std::string_view segment = next_segment(rest);
    if (segment.empty()) {
      path_known = path_known || place.is_end;
      return place.by_method[verb];
    }
    for (const auto& [text, child] : place.literals)
      if (text == segment)
        if (const route* found = from(*child, rest, capture_count)) return found;
    if (place.capture && capture(capture_count, segment))
      if (const route* found = from(*place.capture, rest, capture_count + 1)) return found;
    if (place.tail) {
      std::string_view all = before.substr(before.find_first_not_of('/'));
      while (all.ends_with('/'))
        all.remove_suffix(1);
      if (capture(capture_count, all)) return from(*place.tail, {}, capture_count + 1);
    }
    return nullptr;
  }
};

router::outcome router::match(exchange& call) const {
  const method verb = call.in.verb == method::head ? method::get : call.in.verb;
  search looking{call, static_cast<std::size_t>(verb)};
  call.matched = looking.from(*root_, call.in.path, 0);
  if (call.matched) return outcome::found;
  if (looking.path_broken) return outcome::bad_path;
  return looking.path_known ? outcome::no_method : outcome::no_path;
}

}  // namespace vexfs::http
