// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/vexbench/exit_code.h"

namespace vexfs::bench {

/// A file mapped for reading.
class file_bytes {
 public:
  [[nodiscard]] static outcome<file_bytes> open(const std::string& path);
  file_bytes(file_bytes&& other) noexcept;
  file_bytes& operator=(file_bytes&&) = delete;
  ~file_bytes();
  [[nodiscard]] std::string_view view() const { return bytes_; }

 private:
  explicit file_bytes(std::string_view bytes) : bytes_(bytes) {}
  std::string_view bytes_;
};

/// Beside the file first, then renamed: a reader never sees half of it.
[[nodiscard]] outcome<void> write_whole(const std::string& path, std::string_view bytes);

/// 64 bits over a file's content, as its name in caches; not for guarding against malice.
[[nodiscard]] std::uint64_t content_hash(std::string_view bytes, std::uint64_t seed = 0);

[[nodiscard]] std::unexpected<failure> bad_file(std::string_view path, std::string_view why);

}  // namespace vexfs::bench
