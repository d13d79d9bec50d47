// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/load.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "bench/vexbench/worker.h"
#include "core/base/assert.h"

namespace vexfs::bench {
namespace {

std::int64_t clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

load::load(const target& server, std::vector<stream> streams, options given)
    : server_(server),
      streams_(std::move(streams)),
      options_(given),
      active_(std::make_unique<std::atomic<bool>[]>(streams_.size())),
      drain_ns_max_(given.drain_ns_max) {
  std::uint32_t connections = 0;
  for (const stream& each : streams_) {
    kind_count_ += static_cast<std::uint32_t>(each.operations.size());
    connections = std::max(connections, each.connections);
  }
  // A worker without a connection would only wake up in vain.
  const std::uint32_t count = std::clamp(options_.threads, 1U, std::max(1U, connections));
  workers_.resize(count);  // first: each looks at how many there are, to know its share
  for (std::uint32_t index = 0; index < count; ++index)
    workers_[index] = std::make_unique<worker>(*this, index);
}

load::~load() {
  finishing_.store(true);
  for (std::thread& thread : threads_)
    thread.join();
}

std::int64_t load::now_ns() const {
  return clock_ns() - began_ns_;
}

outcome<void> load::start() {
  for (const auto& each : workers_)
    if (auto connected = each->connect(); !connected) return connected;
  began_ns_ = clock_ns();
  for (const auto& each : workers_) {
    try {
      threads_.emplace_back([&each] { each->run(); });
    } catch (const std::system_error& refused) {
      return fail_with(exit_code::failed, std::string("cannot start a thread: ") + refused.what());
    }
  }
  return {};
}

void load::set_active(std::size_t stream_index, bool active) {
  active_[stream_index].store(active, std::memory_order_release);
}

bool load::is_exhausted(std::size_t stream_index) const {
  return std::ranges::all_of(workers_,
                             [&](const auto& each) { return each->is_exhausted(stream_index); });
}

std::optional<failure> load::failed() const {
  const std::lock_guard lock(failure_lock_);
  return failure_;
}

std::uint64_t load::answered() const {
  std::uint64_t sum = 0;
  for (const auto& each : workers_)
    sum += each->answered();
  return sum;
}

std::uint64_t load::errors() const {
  std::uint64_t sum = 0;
  for (const auto& each : workers_)
    sum += each->errors();
  return sum;
}

bool load::has_flights() const {
  // The ended first: what is launched between the two reads makes the difference larger, not
  // smaller.
  const std::uint64_t ended = answered() + errors();
  std::uint64_t launched = 0;
  for (const auto& each : workers_)
    launched += each->launched();
  return launched > ended;
}

void load::give_up(failure why) {
  set_drain_ns_max(0);
  const std::lock_guard lock(failure_lock_);
  if (!failure_) failure_ = std::move(why);
}

load_result load::finish() {
  finishing_.store(true, std::memory_order_release);
  for (std::thread& thread : threads_)
    thread.join();
  threads_.clear();
  load_result whole;
  whole.kind_count = kind_count_;
  for (const auto& each : workers_)
    each->move_results_to(whole);
  std::ranges::sort(whole.samples, {}, &sample::sent_ns);
  std::ranges::sort(whole.writes, {}, &write_event::sent_ns);
  return whole;
}

}  // namespace vexfs::bench
