// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/worker.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/vexbench/control_client.h"
#include "core/base/assert.h"

namespace vexfs::bench {
namespace {

// How late a worker sees that a stream was switched on or off.
constexpr std::int64_t wait_ns_max = 10'000'000;
// What all kept answers of a worker may take.
constexpr std::uint64_t sample_bytes_max = 1ULL << 30;

// A connection that broke before it answered anything is made again after this time: a server that
// refuses everybody must not be hammered.
constexpr std::int64_t reconnect_ns = 20'000'000;

double thread_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// How long this thread could have run and had no processor, which the kernel counts by thread.
std::optional<double> thread_waited_seconds() {
  std::ifstream file("/proc/thread-self/schedstat");
  double ran_ns = 0;
  double waited_ns = 0;
  if (!(file >> ran_ns >> waited_ns)) return std::nullopt;
  return waited_ns / 1e9;
}

}  // namespace

worker::worker(load& all, std::uint32_t index)
    : all_(all),
      index_(index),
      numbers_(all.options_.seed, 1000 + index),
      records_(all.kind_count_) {
  const auto worker_count = static_cast<std::uint32_t>(all.workers_.size());
  std::uint32_t first_kind = 0;
  std::uint64_t stream_index = 0;
  for (const stream& each : all.streams_) {
    // Connections are dealt in turn, so that workers differ by one at most.
    const std::uint32_t share =
        each.connections / worker_count + (index < each.connections % worker_count ? 1 : 0);
    double weight_sum = 0;
    for (const operation& one : each.operations) {
      weight_sum += one.weight;
      is_write_.push_back(one.is_write);
      sources_.push_back(one.source);
    }
    auto made = std::make_unique<lane>(each, first_kind, share, weight_sum);
    if (each.rate && share > 0) {
      const double rate = *each.rate * share / each.connections;
      made->pace.emplace(rate, each.spacing, static_cast<double>(index) / worker_count,
                         random_numbers(all.options_.seed, 2000 + 100 * stream_index + index));
    }
    first_kind += static_cast<std::uint32_t>(each.operations.size());
    ++stream_index;
    lanes_.push_back(std::move(made));
  }
}

worker::~worker() {
  for (const int socket : sockets_)
    ::close(socket);
}

outcome<void> worker::connect() {
  for (const auto& each : lanes_)
    for (std::uint32_t count = 0; count < each->connection_count; ++count) {
      auto made = all_.server_.connect();
      if (!made) return std::unexpected(std::move(made).error());
      sockets_.push_back(*made);
    }
  return {};
}

void worker::give_up(failure why) {
  gave_up_ = true;
  all_.give_up(std::move(why));
}

// A turn: plan what is due, hand it to the kernel together, wait for answers or the next planned
// time, read the clock, count the answers. The clock is read right after the wait, so that an
// answer's time does not contain the work on the answers before it.
void worker::run() {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // nanoseconds; 50 us otherwise, on every planned time
  const double cpu_before = thread_cpu_seconds();
  const std::optional<double> waited_before = thread_waited_seconds();
  auto opened = io::open_transport(io::transport_kind::uring);
  if (!opened) {
    give_up({exit_code::failed, opened.error().text});
    return;
  }
  transport_ = std::move(*opened);
  std::size_t next_socket = 0;
  for (std::uint32_t index = 0; index < lanes_.size(); ++index) {
    lane& each = *lanes_[index];
    for (std::uint32_t count = 0; count < each.connection_count; ++count) {
      each.channels.push_back(
          std::make_unique<channel>(*transport_, *this, each.of.pipeline, index));
      each.channels.back()->open(sockets_[next_socket++]);
    }
    // One request on each connection before a second on any.
    for (std::uint32_t place = 0; place < each.of.pipeline; ++place)
      for (const auto& one : each.channels)
        each.free.push_back(one.get());
  }
  sockets_.clear();

  now_ns_ = all_.now_ns();
  std::optional<std::int64_t> drain_since_ns;
  while (!gave_up_) {
    if (!drain_since_ns && all_.finishing_.load(std::memory_order_acquire)) {
      end_streams();
      drain_since_ns = now_ns_;
    }
    if (!drain_since_ns)
      plan();
    else if (!has_flights() ||
             now_ns_ - *drain_since_ns >= all_.drain_ns_max_.load(std::memory_order_relaxed))
      break;
    flush();
    transport_->submit_and_wait(wait_ns());
    now_ns_ = all_.now_ns();
    records_.turn_second(now_ns_);
    transport_->run_completions();
    reconnect();
  }
  for (const auto& each : lanes_)
    for (const auto& one : each->channels)
      one->each_flight([&](const flight& left) {
        if (left.planned_ns < 0) return;  // of a closed loop, and not sent any more
        tally& counts = records_.of(left.phase, left.kind);
        ++counts.unanswered;
        if (counts.first_error.empty()) counts.first_error = "no answer until the load ended";
        records_.record(left.phase, left.kind, now_ns_ - left.planned_ns);
        if (is_write_[left.kind])
          writes_.push_back({left.kind, left.request.tag, left.planned_ns, INT64_MAX});
      });
  close_channels();
  transport_.reset();
  cpu_seconds_ = thread_cpu_seconds() - cpu_before;
  const std::optional<double> waited = thread_waited_seconds();
  if (waited && waited_before) waited_seconds_ = *waited - *waited_before;
}

void worker::plan() {
  planned_until_ns_ = now_ns_;
  for (std::uint32_t index = 0; index < lanes_.size(); ++index) {
    lane& each = *lanes_[index];
    if (each.connection_count == 0) {
      each.exhausted.store(true, std::memory_order_release);
      continue;
    }
    const bool active = all_.active_[index].load(std::memory_order_acquire);
    if (active && !each.was_active) {
      if (each.pace) each.pace->start(now_ns_);
      each.next_sample_ns = now_ns_;
    }
    each.was_active = active;
    if (active && !each.ended) {
      if (each.pace)
        plan_open(each);
      else
        plan_closed(each);
    }
    if (each.ended &&
        std::ranges::none_of(each.channels, [](const auto& one) { return one->in_flight() > 0; }))
      each.exhausted.store(true, std::memory_order_release);
  }
}

// Requests whose time has come, as long as a connection is free for them. The others stay planned:
// their time runs.
void worker::plan_open(lane& each) {
  while (!each.free.empty() && each.pace->next_ns() <= now_ns_) {
    channel& on = *each.free.front();
    const std::int64_t planned_ns = each.pace->next_ns();
    if (!launch(each, on, planned_ns)) break;
    each.free.pop_front();
    if (each.waits_for_clock) handed_over_.push_back(planned_ns);
    each.pace->advance();
  }
  each.waits_for_clock = !each.free.empty() && !each.ended;
}

void worker::plan_closed(lane& each) {
  while (!each.free.empty() && launch(each, *each.free.front(), -1))
    each.free.pop_front();
}

bool worker::launch(lane& each, channel& on, std::int64_t planned_ns) {
  std::uint32_t chosen = 0;
  if (each.of.operations.size() > 1) {
    double drawn = numbers_.uniform() * each.weight_sum;
    while (chosen + 1 < each.of.operations.size() && drawn >= each.of.operations[chosen].weight)
      drawn -= each.of.operations[chosen++].weight;
  }
  flight next;
  switch (each.of.operations[chosen].source->next(next.request)) {
    case request_source::next_is::ready:
      break;
    case request_source::next_is::later:
      each.waits_for_answer = true;
      return false;
    case request_source::next_is::never:
      each.ended = true;
      return false;
  }
  next.planned_ns = planned_ns;
  next.kind = each.first_kind + chosen + next.request.kind_offset;
  next.phase = all_.phase_.load(std::memory_order_relaxed);
  if (each.of.samples_all) {
    next.wants_body = true;
  } else if (each.of.samples_per_second > 0 && !each.of.operations[chosen].is_write &&
             now_ns_ >= each.next_sample_ns) {
    next.wants_body = true;
    // By the clock, chosen before the answer is known: slow answers are as likely as fast ones. Not
    // evenly, or the same few queries would be drawn from a set that is asked at a constant rate.
    each.next_sample_ns = now_ns_ + static_cast<std::int64_t>(
                                        1e9 * static_cast<double>(all_.workers_.size()) *
                                        (0.5 + numbers_.uniform()) / each.of.samples_per_second);
  }
  launched_.store(launched_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  on.push(next);
  dirty_.push_back(&on);
  return true;
}

void worker::flush() {
  if (dirty_.empty()) return;
  const std::int64_t now_ns = all_.now_ns();
  for (channel* each : dirty_)
    each->flush(now_ns);
  dirty_.clear();
  for (const std::int64_t planned_ns : handed_over_)
    pacing_.record(now_ns - planned_ns);
  handed_over_.clear();
}

std::int64_t worker::wait_ns() const {
  std::int64_t due_ns = now_ns_ + wait_ns_max;
  for (const auto& each : lanes_)
    if (each->pace && each->was_active && each->waits_for_clock)
      due_ns = std::min(due_ns, each->pace->next_ns());
  return std::max<std::int64_t>(0, due_ns - all_.now_ns());
}

void worker::answered(channel& from, const flight& ended, const answer_parser& answer) {
  lane& each = *lanes_[from.stream()];
  tally& counts = records_.of(ended.phase, ended.kind);
  const bool success = answer.is_success();
  counts.answer_bytes += answer.body_bytes();
  counts.first_ns = std::min(counts.first_ns, ended.planned_ns);
  counts.last_ns = std::max(counts.last_ns, now_ns_);
  if (success) {
    ++counts.answered;
    counts.units += ended.request.unit_count;
    records_.record(ended.phase, ended.kind, now_ns_ - ended.planned_ns);
    answered_.store(answered_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  } else {
    ++counts.error_statuses;
    if (counts.first_error.empty())
      counts.first_error = describe_status("the first one", answer.status(), answer.body());
    errors_.store(errors_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  if (is_write_[ended.kind])
    writes_.push_back(
        {ended.kind, ended.request.tag, ended.planned_ns, success ? now_ns_ : INT64_MAX});
  if (success && ended.wants_body) {
    if (sample_bytes_ + answer.body().size() > sample_bytes_max) {
      ++samples_dropped_;
    } else {
      sample_bytes_ += answer.body().size();
      samples_.push_back(
          {ended.kind, ended.request.tag, ended.phase, ended.planned_ns, now_ns_, answer.body()});
    }
  }
  sources_[ended.kind]->answered(ended.request.tag, success);
  each.waits_for_answer = false;
  if (answer.closes()) return;  // broken() follows
  // A closed loop sends its next request in this turn; else the place is free for a planned one.
  const bool goes_on = !each.pace && each.was_active && !each.ended &&
                       !all_.finishing_.load(std::memory_order_relaxed);
  if (!goes_on || !launch(each, from, -1)) each.free.push_back(&from);
}

void worker::lost(const flight& ended, std::string_view why) {
  tally& counts = records_.of(ended.phase, ended.kind);
  ++counts.lost;
  if (counts.first_error.empty()) counts.first_error = "a connection was lost: " + std::string(why);
  if (is_write_[ended.kind])
    writes_.push_back({ended.kind, ended.request.tag, ended.planned_ns, INT64_MAX});
  sources_[ended.kind]->answered(ended.request.tag, false);
  errors_.store(errors_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void worker::broken(channel& from) {
  lane& each = *lanes_[from.stream()];
  std::erase(each.free, &from);
  std::erase(dirty_, &from);
  to_reconnect_.push_back({&from, from.has_answered() ? now_ns_ : now_ns_ + reconnect_ns});
}

void worker::reconnect() {
  if (to_reconnect_.empty() || all_.finishing_.load(std::memory_order_relaxed)) return;
  std::vector<broken_channel> waiting;
  for (const broken_channel& one : to_reconnect_) {
    channel* const each = one.which;
    if (!each->is_closed() || now_ns_ < one.not_before_ns) {  // the ring may still hold operations
      waiting.push_back(one);
      continue;
    }
    auto made = all_.server_.connect();
    if (!made) {
      give_up(std::move(made).error());
      return;
    }
    each->open(*made);
    for (std::uint32_t place = 0; place < each->depth(); ++place)
      lanes_[each->stream()]->free.push_back(each);
  }
  to_reconnect_ = std::move(waiting);
}

// What an open loop had planned and could not send has waited since: it counts with that. What
// became due after the last turn's planning was not kept by the server: the end came first.
void worker::end_streams() {
  const std::uint32_t phase = all_.phase_.load(std::memory_order_relaxed);
  for (std::uint32_t index = 0; index < lanes_.size(); ++index) {
    lane& each = *lanes_[index];
    if (!each.pace || !each.was_active || each.ended || each.waits_for_answer ||
        !all_.active_[index].load(std::memory_order_acquire))
      continue;
    for (; each.pace->next_ns() <= planned_until_ns_; each.pace->advance()) {
      ++records_.of(phase, each.first_kind).unsent;
      records_.record(phase, each.first_kind, now_ns_ - each.pace->next_ns());
    }
  }
}

bool worker::has_flights() const {
  for (const auto& each : lanes_)
    for (const auto& one : each->channels)
      if (one->in_flight() > 0) return true;
  return false;
}

void worker::close_channels() {
  for (const auto& each : lanes_)
    for (const auto& one : each->channels)
      one->shut_down();
  const auto all_closed = [&] {
    return std::ranges::all_of(lanes_, [](const auto& each) {
      return std::ranges::all_of(each->channels, [](const auto& one) { return one->is_closed(); });
    });
  };
  while (!all_closed()) {
    transport_->submit_and_wait(wait_ns_max);
    transport_->run_completions();
  }
  transport_->submit_and_wait(0);  // the last sockets' close
}

void worker::move_results_to(load_result& whole) {
  std::vector<tally> mine = records_.take();
  if (whole.tallies.size() < mine.size()) whole.tallies.resize(mine.size());
  for (std::size_t place = 0; place < mine.size(); ++place)
    whole.tallies[place].add(std::move(mine[place]));
  std::ranges::move(samples_, std::back_inserter(whole.samples));
  std::ranges::move(writes_, std::back_inserter(whole.writes));
  whole.pacing.add(pacing_);
  whole.generator_cpu_seconds += cpu_seconds_;
  if (!waited_seconds_)
    whole.generator_waited_seconds.reset();
  else if (whole.generator_waited_seconds)
    *whole.generator_waited_seconds += *waited_seconds_;
  whole.samples_dropped += samples_dropped_;
}

}  // namespace vexfs::bench
