// SPDX-License-Identifier: Apache-2.0
#include "net/rest/request_statistics.h"

#include <algorithm>
#include <chrono>

#include "core/base/limits.h"
#include "core/io/loop.h"
#include "net/http/router.h"

namespace vexfs::rest {
namespace {

answer_count& count_of(route_counts& routes, std::uint32_t route, std::uint16_t status) {
  if (route >= routes.size()) routes.resize(route + 1);
  status_counts& statuses = routes[route];
  const auto found = std::ranges::find(statuses, status, &status_counts::value_type::first);
  if (found != statuses.end()) return found->second;
  return statuses.emplace_back(status, answer_count{}).second;
}

void add(route_counts& sum, const route_counts& part) {
  for (std::uint32_t route = 0; route < part.size(); ++route)
    for (const auto& [status, count] : part[route])
      count_of(sum, route, status).add(count);
}

}  // namespace

void answer_count::add(std::uint64_t duration_us, std::int64_t wall_us) {
  ++count;
  total_us += duration_us;
  min_us = std::min(min_us, duration_us);
  max_us = std::max(max_us, duration_us);
  last_us = wall_us;
  const auto bucket = std::ranges::lower_bound(bounds_us, duration_us);
  if (bucket != bounds_us.end()) ++buckets[static_cast<std::size_t>(bucket - bounds_us.begin())];
}

void answer_count::add(const answer_count& others) {
  count += others.count;
  total_us += others.total_us;
  min_us = std::min(min_us, others.min_us);
  max_us = std::max(max_us, others.max_us);
  last_us = std::max(last_us, others.last_us);
  for (std::size_t i = 0; i < buckets.size(); ++i)
    buckets[i] += others.buckets[i];
}

void request_statistics::answered(const http::exchange& call) {
  if (!call.matched) return;
  const io::loop& here = io::loop::current();
  core_counts& counts = cores_[here.core_index()];
  const auto duration = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - call.started);
  const auto duration_us = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  const std::int64_t wall_us = here.wall_time_us();
  const std::uint32_t route = call.matched->index;
  count_of(counts.all, route, call.answer.status).add(duration_us, wall_us);
  if (!call.matched->pattern.starts_with("/collections/{name}")) return;
  auto place = counts.by_collection.find(call.captures[0]);
  if (place == counts.by_collection.end()) {
    // Names come from clients, also of collections that are not there.
    if (call.answer.status >= 400 || counts.by_collection.size() >= counted_collections_max) return;
    place = counts.by_collection.emplace(call.captures[0], route_counts{}).first;
  }
  count_of(place->second, route, call.answer.status).add(duration_us, wall_us);
}

io::task<request_counts> request_statistics::gather() const {
  request_counts sum;
  for (std::uint32_t core = 0; core < cores_.size(); ++core) {
    const request_counts part =
        co_await io::call_on(core, [&]() -> request_counts { return cores_[core]; });
    add(sum.all, part.all);
    for (const auto& [name, routes] : part.by_collection)
      add(sum.by_collection[name], routes);
  }
  co_return sum;
}

}  // namespace vexfs::rest
