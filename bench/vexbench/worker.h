// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "bench/vexbench/channel.h"
#include "bench/vexbench/load.h"
#include "bench/vexbench/pacer.h"
#include "bench/vexbench/recorder.h"
#include "core/io/transport.h"

namespace vexfs::bench {

/// One thread of a load. Everything but the atomics belongs to that thread.
class worker final : public channel::listener {
 public:
  worker(load& all, std::uint32_t index);
  ~worker();

  /// On the caller's thread: opens the sockets.
  [[nodiscard]] outcome<void> connect();
  /// The thread's life, from opening the ring to the end of the load.
  void run();

  [[nodiscard]] bool is_exhausted(std::size_t stream_index) const {
    return lanes_[stream_index]->exhausted.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::uint64_t answered() const { return answered_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t launched() const { return launched_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t errors() const { return errors_.load(std::memory_order_relaxed); }
  /// After the thread has ended.
  void move_results_to(load_result& whole);

 private:
  // This worker's share of a stream.
  struct lane {
    const stream& of;
    std::uint32_t first_kind;
    std::uint32_t connection_count;
    double weight_sum;
    std::vector<std::unique_ptr<channel>> channels;
    std::deque<channel*> free;  // one entry for each request a channel can take
    std::optional<pacer> pace;
    bool was_active = false;
    bool ended = false;  // the sources have no more
    bool waits_for_answer = false;
    bool waits_for_clock = false;  // a channel is free: only time is missing
    std::int64_t next_sample_ns = 0;
    std::atomic<bool> exhausted{false};
  };

  void answered(channel& from, const flight& ended, const answer_parser& answer) override;
  void lost(const flight& ended, std::string_view why) override;
  void broken(channel& from) override;

  void plan();
  void plan_open(lane& each);
  void plan_closed(lane& each);
  // Takes the next request of a lane onto a channel; false where there is none now.
  [[nodiscard]] bool launch(lane& each, channel& on, std::int64_t planned_ns);
  void flush();
  [[nodiscard]] std::int64_t wait_ns() const;
  void reconnect();
  void end_streams();
  [[nodiscard]] bool has_flights() const;
  void close_channels();
  void give_up(failure why);

  load& all_;
  const std::uint32_t index_;
  random_numbers numbers_;
  std::unique_ptr<io::transport> transport_;
  std::vector<int> sockets_;  // connected, not yet with a channel
  std::vector<std::unique_ptr<lane>> lanes_;
  std::vector<channel*> dirty_;
  struct broken_channel {
    channel* which;
    std::int64_t not_before_ns;
  };
  std::vector<broken_channel> to_reconnect_;
  std::vector<std::int64_t> handed_over_;  // planned times of this turn's requests
  recorder records_;
  histogram pacing_;
  std::vector<sample> samples_;
  std::uint64_t sample_bytes_ = 0;
  std::uint64_t samples_dropped_ = 0;
  std::vector<write_event> writes_;
  std::vector<bool> is_write_;
  std::vector<request_source*> sources_;  // by kind
  std::int64_t now_ns_ = 0;
  std::int64_t planned_until_ns_ = 0;  // what was due until then was sent, or could not be
  double cpu_seconds_ = 0;
  std::optional<double> waited_seconds_{};
  bool gave_up_ = false;

  alignas(64) std::atomic<std::uint64_t> launched_{0};
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> errors_{0};
};

}  // namespace vexfs::bench
