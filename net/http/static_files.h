// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "net/http/exchange.h"

namespace vexfs::http {

/// The files of one folder, read once at start and served from memory: no request reaches the file
/// system, so no path of a request can leave the folder. Read only afterwards, from any core.
class static_files {
 public:
  /// Reads the folder with those below it; blocks. Links that leave the folder are left out.
  /// Errors: not a folder, not readable, more than static_files_bytes_max.
  [[nodiscard]] static result<std::unique_ptr<static_files>> load(const std::string& folder);

  /// Fills the answer: the file at `path` (decoded, relative, without a leading slash), the
  /// index.html of the folder that it names, or a 404 without content.
  void answer(exchange& call, std::string_view path) const;

  [[nodiscard]] std::size_t file_count() const { return files_.size(); }

 private:
  static_files() = default;
  struct file {
    std::string content;
    std::string_view type;
  };
  std::map<std::string, file, std::less<>> files_;
};

/// By the ending of the name; application/octet-stream where it is not a known one.
[[nodiscard]] std::string_view content_type_of(std::string_view file_name);

}  // namespace vexfs::http
