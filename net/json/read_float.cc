// SPDX-License-Identifier: Apache-2.0
#include <array>
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
constexpr int usual_fraction_max = 18;  // digits that fit 63 bits, with a zero before the point
constexpr auto whole_powers_of_ten = [] {
  std::array<std::uint64_t, usual_fraction_max + 1> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i)
    powers[i] = powers[i - 1] * 10;
  return powers;
}();
/// Each rounded once.
constexpr auto tenths_to_the = [] {
  std::array<double, usual_fraction_max + 1> powers{};
  for (std::size_t i = 0; i < powers.size(); ++i)
    powers[i] = 1 / powers_of_ten[i];
  return powers;
}();
constexpr int exact_power_max = 22;   // the largest power of ten that a double holds exactly
constexpr int whole_digits_max = 19;  // so many digits always fit 64 bits

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// Joins eight digits, as numbers a byte: neighbours to pairs, to fours, to the number.
std::uint64_t join_digits(std::uint64_t word) {
  word = (word * 10 + (word >> 8)) & 0x00ff'00ff'00ff'00ff;
  word = (word * 100 + (word >> 16)) & 0x0000'ffff'0000'ffff;
  return (word * 10000 + (word >> 32)) & 0xffff'ffff;
}

/// How many digits a word begins with, and their number.
struct leading_digits {
  unsigned count;
  std::uint64_t number;
};

leading_digits leading_digits_of(std::uint64_t word) {
  word ^= 0x3030'3030'3030'3030;
  // A byte's highest bit, where it is no digit.
  const std::uint64_t others = (word | (word + 0x7676'7676'7676'7676)) & 0x8080'8080'8080'8080;
  if (others == 0) return {8, join_digits(word)};
  const auto count = static_cast<unsigned>(std::countr_zero(others)) / 8;
  // Zeros before them make eight. Shifted twice, as no digits at all are 64 bits.
  return {count, join_digits(word << (60 - 8 * count) << 4)};
}

std::uint64_t word_at(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

const char* read_digits(const char* at, const char* end, std::uint64_t& number) {
  while (end - at >= 8) {
    const leading_digits read = leading_digits_of(word_at(at));
    number = number * whole_powers_of_ten[read.count] + read.number;
    at += read.count;
    if (read.count < 8) return at;
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

/// Whether a double that is off by some units of its last place may round to another float than the
/// number does. Two roundings or three: of the digits to a double, and of one operation with a
/// power of ten, which is exact or rounded itself. So it is within three units of the number, and
/// within four of the nearest double. As a float it can differ from that one only where a boundary
/// between two floats, the middle of the 29 bits that a float has not, lies as near.
bool is_doubtful(double value) {
  constexpr std::uint64_t lost_bits = (1ULL << 29) - 1;
  constexpr std::uint64_t middle = 1ULL << 28;
  constexpr std::uint64_t doubt = 8;
  const std::uint64_t lost = std::bit_cast<std::uint64_t>(value) & lost_bits;
  return lost - (middle - doubt) <= 2 * doubt;
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

  double value = static_cast<double>(number);
  value = power < 0 ? value / powers_of_ten[-power] : value * powers_of_ten[power];
  if (is_doubtful(value) || value > 3e38) [[unlikely]]
    return read_float_exactly(start, at, out);
  out = static_cast<float>(negative ? -value : value);
  return at;
}

const char* read_usual_float(const char* at, float& out) {
  const bool negative = *at == '-';
  at += negative;
  const auto whole = static_cast<unsigned char>(*at - '0');
  if (whole > 9 || at[1] != '.') return nullptr;
  at += 2;
  leading_digits read = leading_digits_of(word_at(at));
  std::uint64_t number = read.number;
  unsigned fraction = read.count;
  while (read.count == 8) {
    read = leading_digits_of(word_at(at + fraction));
    fraction += read.count;
    if (fraction > usual_fraction_max) return nullptr;
    number = number * whole_powers_of_ten[read.count] + read.number;
  }
  at += fraction;
  if (fraction == 0 || (*at | 0x20) == 'e') return nullptr;
  if (whole != 0) {
    if (fraction == usual_fraction_max) return nullptr;
    number += whole * whole_powers_of_ten[fraction];
  }
  const double value =
      static_cast<double>(static_cast<std::int64_t>(number)) * tenths_to_the[fraction];
  if (is_doubtful(value)) [[unlikely]]
    return nullptr;
  out = std::bit_cast<float>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) |
                             static_cast<std::uint32_t>(negative) << 31);
  return at;
}

}  // namespace vexfs::json
