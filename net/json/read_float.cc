// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <charconv>
#include <cstring>

#include "net/json/cursor.h"

namespace vexfs::json {
namespace {

static_assert(std::endian::native == std::endian::little, "eight digits are read as one word");

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int exact_power_max = 22;   // the largest power of ten that a double holds exactly
constexpr int whole_digits_max = 19;  // so many digits always fit 64 bits

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// True where all eight bytes are digits: the high halves are 3, also after adding 6.
bool eight_digits(std::uint64_t word) {
  constexpr std::uint64_t high = 0xf0f0'f0f0'f0f0'f0f0;
  constexpr std::uint64_t threes = 0x3030'3030'3030'3030;
  return (word & high) == threes && ((word + 0x0606'0606'0606'0606) & high) == threes;
}

/// Joins neighbours three times: digits to pairs, to fours, to the number.
std::uint64_t value_of_eight_digits(std::uint64_t word) {
  word -= 0x3030'3030'3030'3030;
  word = (word * 10 + (word >> 8)) & 0x00ff'00ff'00ff'00ff;
  word = (word * 100 + (word >> 16)) & 0x0000'ffff'0000'ffff;
  return (word * 10000 + (word >> 32)) & 0xffff'ffff;
}

const char* read_digits(const char* at, const char* end, std::uint64_t& number) {
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if (!eight_digits(word)) break;
    number = number * 100'000'000 + value_of_eight_digits(word);
    at += 8;
  }
  for (; at != end && is_digit(*at); ++at)
    number = number * 10 + static_cast<std::uint64_t>(*at - '0');
  return at;
}

[[gnu::noinline]] const char* read_float_exactly(const char* at, const char* end, float& out) {
  double number = 0;
  const auto [stop, code] = std::from_chars(at, end, number);
  if (code != std::errc{} || stop != end) return nullptr;
  out = static_cast<float>(number);
  return end;
}

/// Digits that count: all but leading zeros.
std::ptrdiff_t significant_digits(const char* at, const char* end) {
  while (at != end && (*at == '0' || *at == '.'))
    ++at;
  std::ptrdiff_t count = 0;
  for (; at != end && (is_digit(*at) || *at == '.'); ++at)
    count += *at != '.';
  return count;
}

}  // namespace

const char* read_float(const char* at, const char* end, float& out) {
  const char* const start = at;
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  if (at == end || !is_digit(*at)) return nullptr;
  const char* const digits = at;
  std::uint64_t number = 0;
  std::ptrdiff_t digit_count = 1;
  if (*at == '0') {
    ++at;
    if (at != end && is_digit(*at)) return nullptr;
  } else {
    at = read_digits(at, end, number);
    digit_count = at - digits;
  }
  int power = 0;
  if (at != end && *at == '.') {
    const char* const fraction = ++at;
    at = read_digits(at, end, number);
    if (at == fraction) return nullptr;
    digit_count += at - fraction;
    if (digit_count > 1000) return nullptr;
    power = -static_cast<int>(at - fraction);
  }
  const char* const digits_end = at;
  if (at != end && (*at | 0x20) == 'e') {
    ++at;
    const bool small = at != end && *at == '-';
    if (at != end && (*at == '-' || *at == '+')) ++at;
    if (at == end || !is_digit(*at)) return nullptr;
    int exponent = 0;
    for (; at != end && is_digit(*at); ++at) {
      if (exponent > 1000) return nullptr;
      exponent = exponent * 10 + (*at - '0');
    }
    power += small ? -exponent : exponent;
  }
  if (digit_count > whole_digits_max && significant_digits(digits, digits_end) > whole_digits_max)
    return read_float_exactly(start, at, out);
  if (number == 0) {
    out = negative ? -0.0F : 0.0F;
    return at;
  }
  if (power < -exact_power_max || power > exact_power_max)
    return read_float_exactly(start, at, out);

  // Two roundings: of the digits to a double, and of one operation with an exact power of ten. So
  // this is within two units of the last place of the number, and within three of the nearest
  // double. As a float it can differ from that one only where a boundary between two floats, the
  // middle of the 29 bits that a float has not, lies as near.
  double value = static_cast<double>(number);
  value = power < 0 ? value / powers_of_ten[-power] : value * powers_of_ten[power];
  constexpr std::uint64_t lost_bits = (1ULL << 29) - 1;
  constexpr std::uint64_t middle = 1ULL << 28;
  constexpr std::uint64_t doubt = 8;
  const std::uint64_t lost = std::bit_cast<std::uint64_t>(value) & lost_bits;
  if (lost - (middle - doubt) <= 2 * doubt || value > 3e38) [[unlikely]]
    return read_float_exactly(start, at, out);
  out = static_cast<float>(negative ? -value : value);
  return at;
}

}  // namespace vexfs::json
