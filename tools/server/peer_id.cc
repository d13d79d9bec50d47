// SPDX-License-Identifier: Apache-2.0
#include "tools/server/peer_id.h"

#include <charconv>
#include <span>
#include <string>

#include <unistd.h>

namespace vexfs {
namespace {

constexpr std::string_view file_name = "peer_id";
constexpr std::uint64_t file_bytes_max = 64;

}  // namespace

result<std::uint64_t> load_peer_id(io::storage& disk) {
  VEXFS_TRY(const bool kept, disk.exists(file_name));
  if (kept) {
    VEXFS_TRY(const auto bytes, io::read_file(disk, file_name, file_bytes_max));
    const auto* first = reinterpret_cast<const char*>(bytes.data());
    const auto* last = first + bytes.size();
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(first, last, number);
    if (code != std::errc{} || std::string_view(end, last) != "\n" || number == 0 ||
        number > peer_id_max)
      return fail(errc::service, "the file peer_id in the storage directory holds no peer id");
    return number;
  }
  std::uint64_t number = 0;
  while (number == 0) {
    if (::getentropy(&number, sizeof(number)) != 0)
      return fail(errc::service, "the system gives no random bytes for a peer id");
    number &= peer_id_max;
  }
  const std::string text = std::to_string(number) + "\n";
  VEXFS_CHECK(io::replace_file(disk, file_name, std::as_bytes(std::span(text))));
  return number;
}

}  // namespace vexfs
