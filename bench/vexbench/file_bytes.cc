// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/file_bytes.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vexfs::bench {

std::unexpected<failure> bad_file(std::string_view path, std::string_view why) {
  return fail_with(exit_code::failed, fmt::format("{}: {}", path, why));
}

outcome<file_bytes> file_bytes::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return bad_file(path, std::strerror(errno));
  struct stat about{};
  ::fstat(file, &about);
  if (!S_ISREG(about.st_mode)) {
    ::close(file);
    return bad_file(path, "not a regular file");
  }
  const auto size = static_cast<std::size_t>(about.st_size);
  void* mapped = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  const int code = errno;
  ::close(file);
  if (mapped == MAP_FAILED) return bad_file(path, std::strerror(code));
  return file_bytes({static_cast<const char*>(mapped), size});
}

file_bytes::file_bytes(file_bytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

file_bytes::~file_bytes() {
  if (!bytes_.empty()) ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

outcome<void> write_whole(const std::string& path, std::string_view bytes) {
  const std::string beside = fmt::format("{}.{}.tmp", path, ::getpid());
  std::FILE* file = std::fopen(beside.c_str(), "wb");
  if (!file) return bad_file(beside, std::strerror(errno));
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  const bool closed = std::fclose(file) == 0;
  const int code = errno;
  if (written && closed && std::rename(beside.c_str(), path.c_str()) == 0) return {};
  const int last = written && closed ? errno : code;
  ::unlink(beside.c_str());
  return bad_file(path, std::strerror(last));
}

// Multiply and fold, eight bytes at a time.
std::uint64_t content_hash(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15ULL;
  std::uint64_t hash = seed ^ bytes.size() * factor;
  const auto mix = [&](std::uint64_t word) {
    const auto product = static_cast<unsigned __int128>(hash ^ word) * 0xd6e8feb86659fd93ULL;
    hash = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    hash += factor;
  };
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    mix(word);
  }
  std::uint64_t last = 0;
  std::memcpy(&last, bytes.data() + at, bytes.size() - at);
  mix(last);
  return hash;
}

}  // namespace vexfs::bench
