// SPDX-License-Identifier: Apache-2.0
// Settings as bytes, and the file of the catalogue. The first byte says which; of the file, the
// rest stands behind a head that is right, so that more than the checksum is tried.
#include <string>

#include "core/base/crc32c.h"
#include "core/database/catalogue.h"
#include "core/io/simulated_storage.h"
#include "core/model/config_codec.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace vexfs;
using fuzzing::require;

/// What decodes is the same after it was written and read once more.
template <class Encode, class Decode>
void check_codec(std::string_view bytes, Encode&& encode, Decode&& decode) {
  byte_reader in(bytes);
  const auto first = decode(in);
  if (in.failed()) return;
  std::string once, twice;
  byte_writer out(once);
  encode(first, out);
  byte_reader again(once);
  const auto second = decode(again);
  require(!again.failed() && again.at_end(), "what was encoded does not decode");
  byte_writer other(twice);
  encode(second, other);
  fuzzing::require_same(twice, once, "settings change when they are written again");
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

void check_catalogue(std::string_view body, bool with_head) {
  std::string content;
  if (with_head) {
    byte_writer head(content);
    head.number(std::uint32_t{0x4346'5856});
    head.number(std::uint32_t{1});
    head.number(crc32c(bytes_of(body)));
  }
  content += body;
  io::simulated_storage disk;
  require(io::replace_file(disk, "catalogue", bytes_of(content)).has_value(), "the disk is full");
  const auto loaded = load_catalogue(disk);
  if (!loaded) {
    require(loaded.error().text.find("catalogue") != std::string::npos,
            "the error does not name the file");
    return;
  }
  require(loaded->collections.size() * 12 <= body.size(), "more collections than bytes");
  for (const catalogue_entry& entry : loaded->collections) {
    std::string bytes;
    byte_writer out(bytes);
    encode_config(entry.config, out);
    byte_reader in(bytes);
    (void)decode_config(in);
    require(!in.failed() && in.at_end(), "settings of the catalogue do not survive");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzzing::fuzz_input input(bytes, count);
  const std::uint8_t choice = input.byte();
  const std::string_view rest = input.rest();
  switch (choice) {
    case 'c':
      check_codec(rest, encode_config, decode_config);
      break;
    case 's':
      check_codec(rest, encode_schema, decode_schema);
      break;
    case 'd':
      check_codec(rest, encode_vector_params, decode_vector_params);
      break;
    case 'p':
      check_codec(rest, encode_sparse_params, decode_sparse_params);
      break;
    case 'r':
      check_catalogue(rest, false);
      break;
    default:
      check_catalogue(rest, true);
  }
  return 0;
}
