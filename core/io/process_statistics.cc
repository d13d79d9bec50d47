// SPDX-License-Identifier: Apache-2.0
#include "core/io/process_statistics.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <malloc.h>
#include <sys/resource.h>

namespace vexfs::io {
namespace {

std::uint64_t read_number(const char* path) {
  std::ifstream in(path);
  std::uint64_t number = 0;
  return in >> number ? number : 0;
}

std::uint64_t count_lines(const char* path) {
  std::ifstream in(path);
  return static_cast<std::uint64_t>(
      std::count(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>(), '\n'));
}

std::uint64_t count_entries(const char* path) {
  std::error_code failed;
  const std::filesystem::directory_iterator entries(path, failed);
  return failed ? 0
                : static_cast<std::uint64_t>(
                      std::distance(begin(entries), std::filesystem::directory_iterator()));
}

}  // namespace

process_statistics read_process_statistics() {
  process_statistics found;
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t number = 0;
    if (word == "VmRSS:" && status >> number) found.resident_bytes = number * 1024;
    if (word == "Threads:" && status >> number) found.thread_count = number;
  }
  const struct mallinfo2 heap = ::mallinfo2();
  found.heap_bytes = heap.arena + heap.hblkhd;
  found.heap_used_bytes = heap.uordblks + heap.hblkhd;
  found.mapping_count = count_lines("/proc/self/maps");
  found.mapping_count_max = read_number("/proc/sys/vm/max_map_count");
  found.open_file_count = count_entries("/proc/self/fd");
  struct rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) found.open_file_count_max = files.rlim_cur;
  struct rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    found.minor_fault_count = static_cast<std::uint64_t>(usage.ru_minflt);
    found.major_fault_count = static_cast<std::uint64_t>(usage.ru_majflt);
  }
  return found;
}

}  // namespace vexfs::io
