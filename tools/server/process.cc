// SPDX-License-Identifier: Apache-2.0
#include "tools/server/process.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include <signal.h>

#include "core/base/limits.h"
#include "core/io/directory_lock.h"
#include "core/io/gate.h"
#include "core/io/loop.h"
#include "core/io/storage.h"
#include "ioctl/embedded/embedded_device.h"
#include "tools/server/peer_id.h"

namespace vexfs {
namespace {

io::loop_group* stop_target = nullptr;  // for the signal handler
volatile sig_atomic_t signals_seen = 0;

extern "C" void on_signal(int) {
  signals_seen = signals_seen + 1;
  // Whoever asks a second time does not want to wait.
  if (signals_seen > 1) std::_Exit(130);
  if (stop_target) stop_target->ask_to_stop();
}

/// Runs `work`, which gives a task, on all cores at the same time; continues when all have ended,
/// with the first failure.
template <class Work>
io::task<result<void>> on_every_core(Work& work) {
  io::gate running;
  result<void> outcome;
  const auto run_on = [&](std::uint32_t core) -> io::detached {
    running.enter();
    auto ended = co_await io::call_on(core, work);
    if (!ended && outcome) outcome = std::move(ended);
    running.leave();
  };
  for (std::uint32_t core = 0; core < io::loop::current().core_count(); ++core)
    run_on(core);
  co_await running.close();
  co_return outcome;
}

/// The cores' way up and down together; on core 0. A wish to stop waits until all are up: halfway,
/// what one core has begun another would find closed.
struct life : io::runnable {
  database* data = nullptr;
  http::server* listener = nullptr;
  io::loop_group* cores = nullptr;
  void (*listening)(std::uint16_t) = nullptr;
  result<void> outcome;
  bool is_up = false;
  bool stop_wanted = false;

  life() {
    run = [](io::runnable& work) { static_cast<life&>(work).stop(); };
  }

  io::detached start() {
    const auto recover = [this] { return data->recover(); };
    auto recovering = on_every_core(recover);
    outcome = co_await recovering;
    if (!outcome) {
      cores->stop();
      co_return;
    }
    if (!stop_wanted) {
      for (std::uint32_t core = 0; core < cores->core_count(); ++core)
        co_await io::call_on(core, [this] { listener->start(io::loop::current()); });
      listening(listener->port());
    }
    is_up = true;
    if (stop_wanted) go_down();
  }

  void stop() {
    stop_wanted = true;
    if (is_up) go_down();
  }

  io::detached go_down() {
    const auto drain = [this]() -> io::task<result<void>> {
      auto draining = listener->stop();
      co_await draining;
      co_return result<void>{};
    };
    auto draining = on_every_core(drain);
    outcome = co_await draining;
    const auto close = [this] { return data->close(); };
    auto closing = on_every_core(close);
    if (auto closed = co_await closing; !closed) outcome = std::move(closed);
    cores->stop();
  }
};

}  // namespace

result<void> run_process(const process_config& config, void (*listening)(std::uint16_t port)) {
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  const std::uint32_t core_count =
      config.core_count != 0 ? config.core_count
                             : std::clamp(std::thread::hardware_concurrency(), 1U, core_count_max);
  VEXFS_TRY(const auto lock, io::directory_lock::acquire(config.storage_path));
  VEXFS_TRY(const auto disk, io::open_local_storage(config.storage_path));
  const auto machine = make_embedded_device();
  VEXFS_TRY(const auto cores, io::loop_group::create(core_count, config.transport));
  VEXFS_TRY(const auto data, database::open(*disk, *machine, config.data, core_count));
  rest::rest_config rest = config.rest;
  VEXFS_TRY(rest.peer_id, load_peer_id(*disk));
  VEXFS_TRY(const auto service, rest::rest_service::create(*data, rest, core_count));
  VEXFS_TRY(const auto listener, http::server::listen(config.http, *service, core_count));

  life together;
  together.data = data.get();
  together.listener = listener.get();
  together.cores = cores.get();
  together.listening = listening;
  cores->when_asked_to_stop(together);
  stop_target = cores.get();
  if (signals_seen > 0) cores->ask_to_stop();

  const auto ended = cores->run(
      [](io::loop& core, void* given) -> result<void> {
        if (core.core_index() == 0) static_cast<life*>(given)->start();
        return {};
      },
      &together);
  stop_target = nullptr;
  if (!ended) return ended;
  return together.outcome;
}

}  // namespace vexfs
