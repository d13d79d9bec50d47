// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/server_process.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/vexbench/control_client.h"

extern char** environ;

namespace vexfs::bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A folder with this file in it was made by a run before, and may be emptied.
constexpr const char* mark_name = ".vexbench";
constexpr auto stop_time_max = 60s;

}  // namespace

server_process::~server_process() {
  if (pid_ > 0) (void)stop();
}

outcome<void> server_process::prepare_storage() const {
  if (how_.storage.empty()) return {};
  std::error_code bad;
  const fs::path folder = how_.storage;
  if (fs::exists(folder, bad) && !fs::is_empty(folder, bad) && !fs::exists(folder / mark_name, bad))
    return fail_with(exit_code::usage,
                     fmt::format("server.storage: {} is not empty and not vexbench's: name a "
                                 "folder that may be emptied",
                                 how_.storage));
  fs::remove_all(folder, bad);
  fs::create_directories(folder, bad);
  std::ofstream(folder / mark_name) << "emptied by every run\n";
  if (bad || !fs::exists(folder / mark_name))
    return fail_with(exit_code::failed, fmt::format("server.storage: {}: {}", how_.storage,
                                                    bad ? bad.message() : "cannot be written"));
  return {};
}

outcome<double> server_process::start(const std::atomic<bool>& interrupted) {
  control_client client(at_, &interrupted);
  client.set_timeout(2);
  if (auto answered = client.ask("GET", "/readyz"); answered)
    return fail_with(
        exit_code::usage,
        fmt::format("something serves {} already: the scenario starts its own server", at_.url));
  log_file_ = how_.storage.empty() ? "/dev/null" : how_.storage + "/server.log";
  std::vector<char*> arguments;
  for (const std::string& word : how_.command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<std::string> settings;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view name =
        std::string_view(*entry).substr(0, std::string_view(*entry).find('='));
    if (!how_.environment.contains(std::string(name))) settings.emplace_back(*entry);
  }
  for (const auto& [name, value] : how_.environment)
    settings.push_back(name + "=" + value);
  std::vector<char*> environment;
  for (std::string& entry : settings)
    environment.push_back(entry.data());
  environment.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0644);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own: Ctrl-C is for vexbench, which then ends the server.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const auto began = std::chrono::steady_clock::now();
  const int code =
      posix_spawnp(&pid_, arguments[0], &files, &attributes, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (code != 0) {
    pid_ = -1;
    return fail_with(exit_code::usage,
                     fmt::format("server.command: {}: {}", how_.command[0], std::strerror(code)));
  }
  for (;;) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return fail_with(
          exit_code::no_connection,
          fmt::format("the server ended with status {} while starting; its log is {}",
                      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), log_file_));
    }
    const auto answered = client.ask("GET", "/readyz");
    const auto passed = std::chrono::steady_clock::now() - began;
    if (answered && answered->status == 200) return std::chrono::duration<double>(passed).count();
    if (interrupted) return fail_with(exit_code::interrupted, "interrupted");
    if (passed > std::chrono::seconds(how_.start_seconds_max)) {
      kill();
      return fail_with(
          exit_code::no_connection,
          fmt::format("the server did not answer GET {}/readyz within {} s; its log is {}", at_.url,
                      how_.start_seconds_max, log_file_));
    }
    std::this_thread::sleep_for(2ms);
  }
}

void server_process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

outcome<void> server_process::stop() {
  if (pid_ <= 0) return {};
  ::kill(pid_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + stop_time_max;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      kill();
      return fail_with(exit_code::failed, "the server did not end within a minute of SIGTERM");
    }
    std::this_thread::sleep_for(2ms);
  }
  pid_ = -1;
  return {};
}

}  // namespace vexfs::bench
