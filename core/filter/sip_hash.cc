// SPDX-License-Identifier: Apache-2.0
#include "core/filter/sip_hash.h"

#include <bit>

namespace vexfs {
namespace {

struct sip_state {
  std::uint64_t v0 = 0x736f'6d65'7073'6575, v1 = 0x646f'7261'6e64'6f6d;
  std::uint64_t v2 = 0x6c79'6765'6e65'7261, v3 = 0x7465'6462'7974'6573;

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void word(std::uint64_t m) {
    v3 ^= m;
    round();
    round();
    v0 ^= m;
  }
  std::uint64_t end(std::uint64_t bytes) {
    word(bytes << 56);
    v2 ^= 0xff;
    for (int i = 0; i < 4; ++i)
      round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

std::uint64_t sip_hash(const point_id& id) {
  sip_state state;
  if (id.kind == point_id::form::number) {
    state.word(id.low);
    return state.end(8);
  }
  // A UUID's bytes are big-endian in our halves; the hash reads little-endian words.
  state.word(__builtin_bswap64(id.high));
  state.word(__builtin_bswap64(id.low));
  return state.end(16);
}

}  // namespace vexfs
