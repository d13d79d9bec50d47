// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include <zlib.h>

#include "bench/vexbench/histogram.h"
#include "core/base/assert.h"

namespace vexfs::bench {
namespace {

// The V2 encoding: a header of big-endian numbers, then the counts from the first on as ZigZag
// LEB128, where a negative number stands for so many zeros. The compressed form is a cookie, a
// length and a zlib stream of that.
constexpr std::uint32_t v2_cookie = 0x1c849313;
constexpr std::uint32_t v2_compressed_cookie = 0x1c849314;
constexpr std::uint32_t significant_digits = 3;

template <class Number>
void put(std::string& out, Number number) {
  for (int shift = static_cast<int>(sizeof(number)) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(number >> shift & 0xff));
}

// Nine bytes at most: the last one carries eight bits and no continuation flag.
void put_signed(std::string& out, std::int64_t number) {
  auto rest = static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
  for (int byte = 0; byte < 8; ++byte) {
    if (rest < 0x80) {
      out.push_back(static_cast<char>(rest));
      return;
    }
    out.push_back(static_cast<char>((rest & 0x7f) | 0x80));
    rest >>= 7;
  }
  out.push_back(static_cast<char>(rest));
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t byte = 0; byte < 3; ++byte)
      group = group << 8 |
              (at + byte < bytes.size() ? static_cast<unsigned char>(bytes[at + byte]) : 0U);
    for (std::size_t digit = 0; digit < 4; ++digit)
      out.push_back(at + digit <= bytes.size() ? digits[group >> (18 - 6 * digit) & 63] : '=');
  }
  return out;
}

}  // namespace

std::string histogram::encode() const {
  std::string counts;
  std::int64_t zeros = 0;
  const std::uint32_t end = total_ == 0 ? 0 : index_max_ + 1;
  for (std::uint32_t index = 0; index < end; ++index) {
    if (counts_[index] == 0) {
      ++zeros;
      continue;
    }
    if (zeros > 0) put_signed(counts, -zeros);
    zeros = 0;
    put_signed(counts, static_cast<std::int64_t>(counts_[index]));
  }

  std::string plain;
  put(plain, v2_cookie);
  put(plain, static_cast<std::uint32_t>(counts.size()));
  put(plain, std::uint32_t{0});  // no shift of indices
  put(plain, significant_digits);
  put(plain, std::uint64_t{1});  // the lowest value that is told from zero
  put(plain, static_cast<std::uint64_t>(value_ns_max));
  put(plain, std::bit_cast<std::uint64_t>(1.0));  // values are integers as they are
  plain += counts;

  auto packed_bytes = compressBound(static_cast<uLong>(plain.size()));
  std::string packed(packed_bytes, '\0');
  const int status =
      compress(reinterpret_cast<Bytef*>(packed.data()), &packed_bytes,
               reinterpret_cast<const Bytef*>(plain.data()), static_cast<uLong>(plain.size()));
  VEXFS_ASSERT(status == Z_OK);
  std::string whole;
  put(whole, v2_compressed_cookie);
  put(whole, static_cast<std::uint32_t>(packed_bytes));
  whole.append(packed, 0, packed_bytes);
  return base64(whole);
}

}  // namespace vexfs::bench
