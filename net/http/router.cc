// SPDX-License-Identifier: Apache-2.0
#include "net/http/router.h"

#include <utility>

#include "core/base/assert.h"

namespace vexfs::http {

struct router::node {
  std::vector<std::pair<std::string, std::unique_ptr<node>>> literals;
  std::unique_ptr<node> capture;
  std::array<const route*, method_count> by_method{};
  bool is_end = false;
};

namespace {

/// Takes the next segment off a path; empty at the end.
std::string_view next_segment(std::string_view& path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
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
  auto added = std::make_unique<route>(
      route{verb, std::string(pattern), handler, context,
            static_cast<std::uint32_t>(routes_.size()), flags});
  node* place = root_.get();
  std::string_view rest = pattern;
  std::size_t capture_count = 0;
  while (true) {
    const std::string_view segment = next_segment(rest);
    if (segment.empty()) break;
    if (segment.front() == '{') {
      ++capture_count;
      if (!place->capture) place->capture = std::make_unique<node>();
      place = place->capture.get();
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

router::outcome router::match(exchange& call) const {
  const node* place = root_.get();
  std::string_view rest = call.in.path;
  std::size_t capture_count = 0;
  while (true) {
    std::string_view segment = next_segment(rest);
    if (segment.empty()) break;
    const node* found = nullptr;
    for (const auto& [text, child] : place->literals)
      if (text == segment) found = child.get();
    if (!found && place->capture) {
      const auto decoded = percent_decode(segment, false, call.memory);
      if (!decoded) return outcome::bad_path;
      call.captures[capture_count++] = *decoded;
      found = place->capture.get();
    }
    if (!found) return outcome::no_path;
    place = found;
  }
  if (!place->is_end) return outcome::no_path;
  const method verb = call.in.verb == method::head ? method::get : call.in.verb;
  call.matched = place->by_method[static_cast<std::size_t>(verb)];
  return call.matched ? outcome::found : outcome::no_method;
}

}  // namespace vexfs::http
