// SPDX-License-Identifier: Apache-2.0
// Content codings. The first byte chooses one and what is done: the rest is unpacked as it stands,
// in pieces of the size of the second byte, with no more kept than one piece at a time; or it is
// packed and has to come back.
#include <algorithm>

#include "core/base/limits.h"
#include "net/http/content_coding.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace vexfs;
using fuzzing::require;
using outcome = http::unpacker::outcome;

// As far as an input is followed: a bomb has no end.
constexpr std::size_t unpacked_bytes_max = 4 << 20;

/// Unpacks pieces of `step` bytes; nothing where the content is broken or does not end.
bool unpack(http::content_coding coding, std::string_view content, std::size_t step,
            std::string& out) {
  const auto unpacking = http::make_unpacker(coding);
  std::string window;
  while (!content.empty()) {
    std::string_view piece = content.substr(0, step);
    content.remove_prefix(piece.size());
    while (true) {
      const std::size_t before = piece.size();
      window.clear();
      const outcome got = unpacking->unpack(piece, window);
      require(window.size() <= coding_piece_bytes, "a piece beyond its limit");
      require(piece.size() <= before, "a piece that grows");
      out += window;
      if (got == outcome::broken) return false;
      if (got == outcome::complete) return true;
      if (out.size() > unpacked_bytes_max) return false;
      if (piece.empty() && window.size() < coding_piece_bytes) break;
      require(piece.size() < before || !window.empty(), "no progress");
    }
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzzing::fuzz_input input(bytes, count);
  const std::uint8_t choice = input.byte();
  const auto coding = static_cast<http::content_coding>(choice % 4);
  const std::size_t step = std::max<std::size_t>(1, input.byte());
  const std::string_view content = input.rest();
  if ((choice & 0x80) == 0) {
    std::string whole, pieces;
    const bool read = unpack(coding, content, content.size(), whole);
    const bool read_pieces = unpack(coding, content, step, pieces);
    require(read == read_pieces, "pieces change the outcome");
    if (read) fuzzing::require_same(pieces, whole, "pieces change the content");
    (void)http::negotiate(content);
    (void)http::coding_of(content);
    return 0;
  }
  const auto packing = http::make_packer(coding);
  std::string packed, back;
  for (std::string_view left = content;;) {
    const std::string_view piece = left.substr(0, step);
    left.remove_prefix(piece.size());
    require(packing->pack(piece, left.empty(), packed), "packing fails");
    if (left.empty()) break;
  }
  require(unpack(coding, packed, step, back), "what was packed does not unpack");
  fuzzing::require_same(back, content, "what was packed comes back otherwise");
  return 0;
}
