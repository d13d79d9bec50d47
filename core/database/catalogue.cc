// SPDX-License-Identifier: Apache-2.0
#include "core/database/catalogue.h"

#include "core/base/bytes.h"
#include "core/base/crc32c.h"
#include "core/model/config_codec.h"

namespace vexfs {
namespace {

constexpr std::string_view file_name = "catalogue";
constexpr std::uint32_t magic = 0x4346'5856;  // "VXFC"
constexpr std::uint32_t version = 2;
constexpr std::uint64_t file_bytes_max = 1ULL << 30;

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace

const std::shared_ptr<collection>* catalogue_view::find(std::string_view name) const {
  if (const auto alias = aliases.find(name); alias != aliases.end()) name = alias->second;
  const auto found = collections.find(name);
  return found == collections.end() ? nullptr : &found->second;
}

result<catalogue_file> load_catalogue(io::storage& disk) {
  catalogue_file loaded;
  VEXFS_TRY(const bool present, disk.exists(file_name));
  if (!present) return loaded;
  VEXFS_TRY(const auto content, io::read_file(disk, file_name, file_bytes_max));
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  byte_reader in(text);
  const auto found_magic = in.number<std::uint32_t>();
  const auto found_version = in.number<std::uint32_t>();
  const auto crc = in.number<std::uint32_t>();
  if (in.failed() || found_magic != magic)
    return fail(errc::service, "storage: the file 'catalogue' is not one of this server's");
  if (found_version != version)
    return fail(errc::service, "storage: the file 'catalogue' has format " +
                                   std::to_string(found_version) + ", this server reads " +
                                   std::to_string(version));
  if (crc32c(bytes_of(text.substr(12))) != crc)
    return fail(errc::service, "storage: the file 'catalogue' is damaged (checksum)");
  loaded.next_number = in.number<std::uint64_t>();
  for (std::size_t left = in.count(20); left > 0 && !in.failed(); --left) {
    catalogue_entry entry;
    entry.number = in.number<std::uint64_t>();
    entry.first_segment = in.number<std::uint64_t>();
    entry.name = in.text();
    entry.config = decode_config(in);
    loaded.collections.push_back(std::move(entry));
  }
  for (std::size_t left = in.count(8); left > 0 && !in.failed(); --left) {
    std::string alias(in.text());
    loaded.aliases[std::move(alias)] = in.text();
  }
  if (in.failed()) return fail(errc::service, "storage: the file 'catalogue' does not decode");
  return loaded;
}

result<void> save_catalogue(io::storage& disk, const catalogue_file& stored) {
  std::string body;
  byte_writer out(body);
  out.number(stored.next_number);
  out.count(stored.collections.size());
  for (const catalogue_entry& entry : stored.collections) {
    out.number(entry.number);
    out.number(entry.first_segment);
    out.text(entry.name);
    encode_config(entry.config, out);
  }
  out.count(stored.aliases.size());
  for (const auto& [alias, target] : stored.aliases) {
    out.text(alias);
    out.text(target);
  }
  std::string content;
  byte_writer head(content);
  head.number(magic);
  head.number(version);
  head.number(crc32c(bytes_of(body)));
  content += body;
  auto saved = io::replace_file(disk, file_name, bytes_of(content));
  // A file that is missing here is nothing that a client asked for.
  if (saved || saved.error().code != errc::not_found) return saved;
  return fail(errc::service, "storage: " + saved.error().text);
}

}  // namespace vexfs
