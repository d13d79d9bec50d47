// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vexfs {

/// The id that a client gave to a point: an unsigned integer or a UUID. Never a slot.
/// Order is the contract's: all integers ascending, then all UUIDs as 128-bit big-endian numbers.
struct point_id {
  enum class form : std::uint8_t { number, uuid };

  form kind = form::number;
  std::uint64_t high = 0;  // first eight bytes of a UUID, 0 for a number
  std::uint64_t low = 0;   // last eight bytes of a UUID, or the number

  [[nodiscard]] static constexpr point_id from_number(std::uint64_t number) {
    return {form::number, 0, number};
  }
  /// Accepts 32 hex digits, hyphenated, urn:uuid: and braced forms in any case.
  [[nodiscard]] static std::optional<point_id> from_uuid(std::string_view text);
  /// What a URL path may hold: a decimal number, else a UUID.
  [[nodiscard]] static std::optional<point_id> from_path(std::string_view text);

  /// Decimal digits, or the lower-case hyphenated UUID; without quotes.
  [[nodiscard]] std::string text() const;

  friend constexpr auto operator<=>(const point_id&, const point_id&) = default;
};

struct point_id_hash {
  [[nodiscard]] std::size_t operator()(const point_id& id) const noexcept {
    // Two rounds of multiply-and-fold; sequential numbers spread over all bits.
    const auto fold = [](std::uint64_t a, std::uint64_t b) {
      const auto wide = static_cast<unsigned __int128>(a) * b;
      return static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64);
    };
    return fold(id.low ^ 0x9e37'79b9'7f4a'7c15,
                fold(id.high ^ 0xd1b5'4a32'd192'ed03,
                     0x8cb9'2ba7'2f3d'8dd7 + static_cast<std::uint64_t>(id.kind)));
  }
};

}  // namespace vexfs
