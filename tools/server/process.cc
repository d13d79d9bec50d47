// SPDX-License-Identifier: Apache-2.0
#include "tools/server/process.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include <signal.h>

#include "core/io/directory_lock.h"
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

/// The cores' way up and down together.
struct life : io::runnable {
  database* data = nullptr;
  http::server* listener = nullptr;
  io::loop_group* cores = nullptr;
  void (*listening)(std::uint16_t) = nullptr;
  std::atomic<std::uint32_t> recovered{0};
  result<void> outcome;  // of core 0

  life() {
    run = [](io::runnable& work) { static_cast<life&>(work).stop(); };
  }

  /// On every core: recovers what it owns. Core 0 goes on when all have.
  io::detached start() {
    if (io::loop::current().core_index() != 0) co_return;
    for (std::uint32_t core = 0; core < cores->core_count(); ++core) {
      const auto replayed = co_await io::call_on(core, [this] { return data->recover(); });
      if (!replayed) {
        outcome = replayed;
        cores->stop();
        co_return;
      }
    }
    for (std::uint32_t core = 0; core < cores->core_count(); ++core) {
      co_await io::call_on(core, [this] {
        listener->start(io::loop::current());
        return true;
      });
    }
    started = true;
    listening(listener->port());
  }

  io::detached stop() {
    if (started) {
      for (std::uint32_t core = 0; core < cores->core_count(); ++core) {
        co_await io::call_on(core, [this]() -> io::task<bool> {
          auto stopping = listener->stop();
          co_await stopping;
          co_return true;
        });
      }
    }
    for (std::uint32_t core = 0; core < cores->core_count(); ++core) {
      const auto closed = co_await io::call_on(core, [this] { return data->close(); });
      if (!closed) outcome = closed;
    }
    cores->stop();
  }

  bool started = false;
};

}  // namespace

result<void> run_process(const process_config& config, void (*listening)(std::uint16_t port)) {
  const std::uint32_t core_count = config.core_count != 0
                                       ? config.core_count
                                       : std::max(1U, std::thread::hardware_concurrency());
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
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  const auto ended = cores->run(
      [](io::loop&, void* given) -> result<void> {
        static_cast<life*>(given)->start();
        return {};
      },
      &together);
  stop_target = nullptr;
  if (!ended) return ended;
  return together.outcome;
}

}  // namespace vexfs
