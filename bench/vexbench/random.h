// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

namespace vexfs::bench {

/// Seeded numbers that are the same with every compiler and library: the standard's distributions
/// are not. The generator is xoshiro256++, its state filled by splitmix64.
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed, std::uint64_t stream = 0) {
    std::uint64_t state = seed + stream * 0x9e3779b97f4a7c15ULL;
    for (std::uint64_t& word : state_) {
      state += 0x9e3779b97f4a7c15ULL;
      std::uint64_t mixed = state;
      mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
      mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
      word = mixed ^ mixed >> 31;
    }
  }

  std::uint64_t next() {
    const std::uint64_t drawn = rotated(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotated(state_[3], 45);
    return drawn;
  }

  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// In [0, bound); the bias is below 2^-32 for bounds of 32 bits.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(next()) * bound >> 64);
  }
  /// Mean 0, variance 1.
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    const double angle = 2 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }
  /// Mean 1.
  double exponential() { return -std::log(1 - uniform()); }

 private:
  static std::uint64_t rotated(std::uint64_t word, int by) {
    return word << by | word >> (64 - by);
  }
  std::uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

/// The numbers below `count` in an order drawn from the generator.
[[nodiscard]] inline std::vector<std::uint32_t> shuffled(std::uint32_t count,
                                                         random_numbers& from) {
  std::vector<std::uint32_t> order(count);
  for (std::uint32_t index = 0; index < count; ++index)
    order[index] = index;
  for (std::uint32_t left = count; left > 1; --left)
    std::swap(order[left - 1], order[from.below(left)]);
  return order;
}

}  // namespace vexfs::bench
