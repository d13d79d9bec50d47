// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bench/vexbench/exit_code.h"
#include "bench/vexbench/histogram.h"
#include "bench/vexbench/pacer.h"
#include "bench/vexbench/recorder.h"
#include "bench/vexbench/request_source.h"
#include "bench/vexbench/target.h"

namespace vexfs::bench {

/// One kind of request in a stream.
struct operation {
  std::string name;
  request_source* source = nullptr;
  double weight = 1;
  bool is_write = false;  // its times are kept, to know later what was visible when
};

/// Requests that share connections and a way of being sent: closed loop (each connection sends its
/// next request when an answer has come) or, with a rate, open loop (requests are planned by the
/// clock and sent on whichever connection is free).
struct stream {
  std::vector<operation> operations;
  std::uint32_t connections = 1;
  std::uint32_t pipeline = 1;    // requests in flight on one connection
  std::optional<double> rate{};  // a second, of all workers together
  arrivals spacing = arrivals::constant;
  // Answers kept whole, to compute recall from later: so many a second, or all.
  double samples_per_second = 0;
  bool samples_all = false;
};

/// An answer that was kept. Times are nanoseconds since the load began.
struct sample {
  std::uint32_t kind;
  std::uint32_t tag;
  std::uint32_t phase;
  std::int64_t sent_ns;
  std::int64_t answered_ns;
  std::string body;
};

/// One write, from when it may have begun to act to when it was acknowledged.
struct write_event {
  std::uint32_t kind;
  std::uint32_t tag;
  std::int64_t sent_ns;
  std::int64_t answered_ns;  // INT64_MAX: never, or with an error
};

struct load_result {
  std::uint32_t kind_count = 0;
  std::vector<tally> tallies;  // by phase and then kind
  std::vector<sample> samples;
  std::vector<write_event> writes;
  // Open loop: how long after its planned time a request was handed to the kernel that had to wait
  // for nothing but the clock. What the generator itself adds to latencies.
  histogram pacing;
  double generator_cpu_seconds = 0;
  // Its threads could have run and had no processor; nothing: the kernel does not say.
  std::optional<double> generator_waited_seconds = 0;
  std::uint64_t samples_dropped = 0;  // beyond what is kept

  [[nodiscard]] const tally& of(std::uint32_t phase, std::uint32_t kind) const {
    static const tally none;
    const std::size_t place = std::size_t{phase} * kind_count + kind;
    return place < tallies.size() ? tallies[place] : none;
  }
};

/// A running load: workers, each a thread with a ring of its own and its share of every stream's
/// connections and rate. The caller's thread switches streams on and off and names phases.
class load {
 public:
  struct options {
    std::uint32_t threads = 1;
    std::uint64_t seed = 1;
    std::int64_t drain_ns_max = 60'000'000'000;  // how long answers are waited for at the end
  };

  load(const target& server, std::vector<stream> streams, options given);
  ~load();
  load(const load&) = delete;
  load& operator=(const load&) = delete;

  /// Connects everything and starts the threads. No stream is active yet.
  [[nodiscard]] outcome<void> start();
  void set_active(std::size_t stream_index, bool active);
  void set_phase(std::uint32_t phase) { phase_.store(phase, std::memory_order_relaxed); }
  /// The stream's sources are at their end, and all is answered.
  [[nodiscard]] bool is_exhausted(std::size_t stream_index) const;
  /// A worker could not go on.
  [[nodiscard]] std::optional<failure> failed() const;
  [[nodiscard]] std::uint64_t answered() const;
  [[nodiscard]] std::uint64_t errors() const;
  /// Some request waits for its answer.
  [[nodiscard]] bool has_flights() const;
  [[nodiscard]] std::int64_t now_ns() const;
  /// The load cannot go on, or is not worth waiting for at its end.
  void give_up(failure why);
  void set_drain_ns_max(std::int64_t most) { drain_ns_max_.store(most, std::memory_order_relaxed); }

  /// Ends all streams, waits for what is in flight, and gives everything that was measured.
  [[nodiscard]] load_result finish();

 private:
  friend class worker;

  const target& server_;
  const std::vector<stream> streams_;
  const options options_;
  std::uint32_t kind_count_ = 0;
  std::int64_t began_ns_ = 0;
  std::vector<std::unique_ptr<class worker>> workers_;
  std::vector<std::thread> threads_;

  std::unique_ptr<std::atomic<bool>[]> active_;  // by stream
  std::atomic<std::uint32_t> phase_{0};
  std::atomic<bool> finishing_{false};
  std::atomic<std::int64_t> drain_ns_max_;
  mutable std::mutex failure_lock_;
  std::optional<failure> failure_;  // the first
};

}  // namespace vexfs::bench
