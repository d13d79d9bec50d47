// SPDX-License-Identifier: Apache-2.0
#include "net/http/static_files.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/base/limits.h"

namespace vexfs::http {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, std::string_view>, 17> types{{
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".txt", "text/plain; charset=utf-8"},
    {".md", "text/markdown; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".ico", "image/x-icon"},
    {".gif", "image/gif"},
    {".woff", "font/woff"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
}};

result<std::string> read_whole(const fs::path& path, std::uint64_t size) {
  std::string content(size, '\0');
  std::ifstream in(path, std::ios::binary);
  if (!in.read(content.data(), static_cast<std::streamsize>(size)))
    return fail(errc::service, "cannot read " + path.string());
  return content;
}

bool is_inside(const fs::path& real, const fs::path& folder) {
  const fs::path relative = real.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

std::string_view content_type_of(std::string_view file_name) {
  for (const auto& [ending, type] : types)
    if (file_name.ends_with(ending)) return type;
  return "application/octet-stream";
}

result<std::unique_ptr<static_files>> static_files::load(const std::string& folder) {
  std::error_code code;
  const fs::path root = fs::canonical(folder, code);
  if (code) return fail(errc::service, "static content folder " + folder + ": " + code.message());
  auto loaded = std::unique_ptr<static_files>(new static_files);
  std::uint64_t bytes = 0;
  fs::recursive_directory_iterator at(root, code);
  for (const fs::recursive_directory_iterator end; !code && at != end; at.increment(code)) {
    std::error_code entry_code;
    if (!at->is_regular_file(entry_code)) continue;
    const fs::path real = fs::canonical(at->path(), entry_code);
    if (entry_code || !is_inside(real, root)) continue;
    const std::uint64_t size = fs::file_size(real, entry_code);
    if (entry_code) return fail(errc::service, at->path().string() + ": " + entry_code.message());
    bytes += size;
    if (bytes > static_files_bytes_max)
      return fail(errc::service, "static content folder " + folder + " holds more than " +
                                     std::to_string(static_files_bytes_max >> 20) +
                                     " MiB; set service.enable_static_content to false");
    VEXFS_TRY(std::string content, read_whole(real, size));
    const std::string name = at->path().lexically_relative(root).generic_string();
    loaded->files_.emplace(name, file{std::move(content), content_type_of(name)});
  }
  if (code) return fail(errc::service, "static content folder " + folder + ": " + code.message());
  return loaded;
}

void static_files::answer(exchange& call, std::string_view path) const {
  response& answer = call.answer;
  answer.extra_headers.append("x-frame-options: DENY\r\n");
  auto found = files_.find(path);
  if (found == files_.end()) {
    std::string index(path);
    if (!index.empty()) index += '/';
    found = files_.find(index + "index.html");
  }
  if (found == files_.end()) {
    answer.status = 404;
    return;
  }
  answer.content_type = found->second.type;
  answer.ready_body = found->second.content;
}

}  // namespace vexfs::http
