// SPDX-License-Identifier: Apache-2.0
#include "core/payload/datetime.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace vexfs {
namespace {

class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool done() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (peek() != c || done()) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool digit() const { return peek() >= '0' && peek() <= '9'; }
  std::optional<int> digits(int count) {
    int value = 0;
    for (; count > 0; --count, ++at_) {
      if (!digit()) return std::nullopt;
      value = value * 10 + (peek() - '0');
    }
    return value;
  }
  std::optional<int> digits_in(int count, int min, int max) {
    const auto value = digits(count);
    if (!value || *value < min || *value > max) return std::nullopt;
    return value;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

constexpr std::int64_t second_us = 1'000'000;

/// Minutes east of UTC.
std::optional<int> read_offset(reader& in) {
  if (in.done() || in.take('Z') || in.take('z')) return 0;
  const bool west = in.peek() == '-';
  if (!in.take('-') && !in.take('+')) return std::nullopt;
  const auto hours = in.digits_in(2, 0, 23);
  if (!hours) return std::nullopt;
  in.take(':');
  const auto minutes = in.digits_in(2, 0, 59);
  if (!minutes) return std::nullopt;
  const int offset = *hours * 60 + *minutes;
  return west ? -offset : offset;
}

}  // namespace

std::optional<std::int64_t> parse_datetime(std::string_view text) {
  reader in(text);
  const auto year = in.digits(4);
  if (!year || !in.take('-')) return std::nullopt;
  const auto month = in.digits_in(2, 1, 12);
  if (!month || !in.take('-')) return std::nullopt;
  const auto day = in.digits_in(2, 1, 31);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  if (in.done()) return days * 86'400 * second_us;

  if (!in.take('T') && !in.take('t') && !in.take(' ')) return std::nullopt;
  const auto hour = in.digits_in(2, 0, 23);
  if (!hour || !in.take(':')) return std::nullopt;
  const auto minute = in.digits_in(2, 0, 59);
  if (!minute) return std::nullopt;
  std::int64_t seconds = 0;
  std::int64_t fraction = 0;
  if (in.take(':')) {
    const auto second = in.digits_in(2, 0, 60);  // 60: a leap second is the next minute's first
    if (!second) return std::nullopt;
    seconds = *second;
    if (in.take('.')) {
      if (!in.digit()) return std::nullopt;
      std::int64_t unit = second_us / 10;
      for (; in.digit(); unit /= 10)
        fraction += *in.digits(1) * unit;
    }
  }
  const auto offset = read_offset(in);
  if (!offset || !in.done()) return std::nullopt;
  seconds += (days * 1440 + *hour * 60 + *minute - *offset) * 60;
  return seconds * second_us + fraction;
}

std::string print_datetime(std::int64_t microseconds) {
  const std::chrono::sys_time<std::chrono::microseconds> when{
      std::chrono::microseconds(microseconds)};
  const auto days = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss time(when - days);
  std::array<char, 64> text{};
  const auto print = [&](std::size_t from, const char* format, auto... values) {
    const int wrote = std::snprintf(text.data() + from, text.size() - from, format, values...);
    return from + static_cast<std::size_t>(wrote);
  };
  std::size_t size =
      print(0, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
            static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
            static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
            static_cast<int>(time.seconds().count()));
  const auto fraction = static_cast<int>(time.subseconds().count());
  if (fraction % 1000 != 0) {
    size = print(size, ".%06d", fraction);
  } else if (fraction != 0) {
    size = print(size, ".%03d", fraction / 1000);
  }
  return std::string(text.data(), size) + "Z";
}

}  // namespace vexfs
