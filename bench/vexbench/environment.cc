// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/environment.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace vexfs::bench {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return cannot_tell;
  return line;
}

std::string cpu_fact(const std::string& name) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || !line.starts_with(name)) continue;
    if (line.find_last_not_of(" \t", colon - 1) + 1 != name.size()) continue;
    return colon + 2 <= line.size() ? line.substr(colon + 2) : "";
  }
  return cannot_tell;
}

// The flags that distance kernels and memory depend on; all would be a page.
std::string cpu_flags() {
  const std::string all = " " + cpu_fact("flags") + " ";
  if (all == std::string(" ") + cannot_tell + " ") return cannot_tell;
  std::string found;
  for (const char* flag : {"sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512_vnni",
                           "avx_vnni", "amx_int8", "amx_bf16", "hypervisor"})
    if (all.find(std::string(" ") + flag + " ") != std::string::npos)
      found += std::string(found.empty() ? "" : " ") + flag;
  return found;
}

std::string mitigations() {
  std::string active;
  std::error_code bad;
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/devices/system/cpu/vulnerabilities", bad))
    files.push_back(entry.path());
  if (bad) return cannot_tell;
  std::ranges::sort(files);
  for (const auto& file : files) {
    const std::string line = first_line(file);
    if (line.starts_with("Not affected")) continue;
    active += fmt::format("{}{}: {}", active.empty() ? "" : "; ", file.filename().string(), line);
  }
  return active.empty() ? "none active" : active;
}

double seconds_since_start() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Some ten microseconds of dependent arithmetic.
std::uint64_t piece_of_work(std::uint64_t value) {
  for (int turn = 0; turn < 10'000; ++turn)
    value = value * 6364136223846793005ULL + 1442695040888963407ULL;
  return value;
}

}  // namespace

std::uint32_t processor_count() {
  return std::max(1U, std::thread::hardware_concurrency());
}

std::map<std::string, std::string> describe_environment() {
  std::map<std::string, std::string> facts;
  utsname system{};
  ::uname(&system);
  facts["kernel"] = fmt::format("{} {} {}", system.sysname, system.release, system.machine);
  facts["cpu"] = cpu_fact("model name");
  facts["cpu_flags"] = cpu_flags();
  facts["processors"] = fmt::format("{}", ::sysconf(_SC_NPROCESSORS_ONLN));
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
    facts["processors_allowed"] = fmt::format("{}", CPU_COUNT(&allowed));
  facts["mhz_at_start"] = cpu_fact("cpu MHz");
  facts["governor"] = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  facts["cache_size"] = cpu_fact("cache size");
  facts["mitigations"] = mitigations();
  facts["huge_pages"] = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
  facts["clock"] = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  const std::string memory = first_line("/proc/meminfo");
  facts["memory"] =
      memory == cannot_tell ? memory : memory.substr(memory.find_first_of("0123456789"));
  facts["load_average"] = first_line("/proc/loadavg");
  return facts;
}

noise_probe probe_noise(std::uint32_t milliseconds) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof(allowed), &allowed);
  std::vector<std::vector<double>> timed;  // by processor
  std::vector<int> processors;
  for (int each = 0; each < CPU_SETSIZE; ++each)
    if (CPU_ISSET(static_cast<std::size_t>(each), &allowed)) processors.push_back(each);
  timed.resize(processors.size());
  std::vector<std::jthread> threads;
  for (std::size_t index = 0; index < processors.size(); ++index)
    threads.emplace_back([&, index] {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(static_cast<std::size_t>(processors[index]), &one);
      ::sched_setaffinity(0, sizeof(one), &one);
      volatile std::uint64_t kept = 1;
      const double end = seconds_since_start() + milliseconds / 1e3;
      for (double now = seconds_since_start(); now < end;) {
        kept = piece_of_work(kept);
        const double after = seconds_since_start();
        timed[index].push_back(after - now);
        now = after;
      }
    });
  threads.clear();

  noise_probe made;
  double total = 0;
  double lost = 0;
  double fastest = 1e9;
  std::vector<double> all;
  for (const auto& each : timed)
    for (const double seconds : each) {
      fastest = std::min(fastest, seconds);
      all.push_back(seconds);
    }
  if (all.empty()) return made;
  std::ranges::sort(all);
  // The usual time of a piece, clock steps of the processor included, is not a gap; twice that is.
  const double usual = all[all.size() / 2];
  for (const double seconds : all) {
    total += seconds;
    if (seconds > 2 * usual) lost += seconds - usual;
  }
  made.lost_share = lost / total;
  made.worst_gap_ms = (all.back() - usual) * 1e3;
  made.slowdown_p99 = all[all.size() * 99 / 100] / fastest;
  return made;
}

std::optional<machine_time> read_machine_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  if (!(file >> word) || word != "cpu") return std::nullopt;
  // user nice system idle iowait irq softirq steal
  double ticks[8] = {};
  for (double& each : ticks)
    if (!(file >> each)) return std::nullopt;
  const double second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  machine_time made;
  for (const double each : ticks)
    made.total += each / second;
  made.stolen = ticks[7] / second;
  made.busy = made.total - (ticks[3] + ticks[4]) / second - made.stolen;
  return made;
}

}  // namespace vexfs::bench
