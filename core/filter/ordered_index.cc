// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <string>

#include "core/filter/field_predicate.h"
#include "core/filter/geo.h"
#include "core/filter/index_types.h"
#include "core/filter/ordered_entries.h"
#include "core/filter/slot_set.h"
#include "core/payload/datetime.h"
#include "core/payload/walk.h"

namespace vexfs {
namespace {

bool only(const field_predicate& p) {
  return p.kind == field_predicate::form::values && p.alternatives() == 1;
}

/// Numbers between two edges in one of the index's orders.
template <class Key>
class ordered_index : public field_index {
 public:
  using field_index::field_index;
  using entries_type = ordered_entries<Key>;
  using entry = typename entries_type::entry;

  [[nodiscard]] std::size_t order(bool descending, order_position& position,
                                  std::span<order_entry> out) const override {
    if constexpr (std::is_same_v<Key, std::uint64_t>) {
      return 0;
    } else {
      const bool from_start = std::holds_alternative<std::monostate>(position.value);
      // Keys and a start of another kind are compared as floating numbers, as ranges are.
      const auto below = [&](Key key) {
        const auto* same = std::get_if<Key>(&position.value);
        if (same != nullptr) return key < *same ? -1 : *same < key ? 1 : 0;
        const double start = std::visit(
            [](auto value) {
              if constexpr (std::is_same_v<decltype(value), std::monostate>) {
                return 0.0;
              } else {
                return static_cast<double>(value);
              }
            },
            position.value);
        const auto number = static_cast<double>(key);
        return number < start ? -1 : start < number ? 1 : 0;
      };
      typename entries_type::place at;
      if (from_start) {
        at = entries_.first_not([&](const entry&) { return descending; });
      } else {
        at = entries_.first_not([&](const entry& e) {
          const int side = below(e.key);
          if (side != 0) return side < 0;
          if (!position.passed) return descending;
          return descending ? e.slot < position.slot : e.slot <= position.slot;
        });
      }
      std::size_t count = 0;
      while (count < out.size()) {
        if (descending ? !entries_.previous(at) : entries_.at_end(at)) break;
        out[count++] = {entries_[at].key, entries_[at].slot};
        if (!descending) entries_.next(at);
      }
      if (count > 0) {
        const order_entry& last = out[count - 1];
        std::visit([&](auto value) { position.value = value; }, last.value);
        position.slot = last.slot;
        position.passed = true;
      }
      return count;
    }
  }

  bool facet(std::span<const std::uint64_t> allowed, std::uint32_t budget_points,
             facet_position& position, std::vector<facet_value>& values) const override {
    if constexpr (!std::is_same_v<Key, std::int64_t>) {
      return true;
    } else {
      auto at = entries_.first_not([&](const entry& e) {
        return position.started && e.key <= std::bit_cast<std::int64_t>(position.next);
      });
      for (std::uint64_t used = 0; !entries_.at_end(at) && used < budget_points;) {
        const Key key = entries_[at].key;
        std::uint64_t count = 0;
        for (; !entries_.at_end(at) && entries_[at].key == key; entries_.next(at), ++used) {
          const std::uint32_t slot = entries_[at].slot;
          count += allowed.empty() ||
                   (slot >> 6 < allowed.size() && (allowed[slot >> 6] >> (slot & 63) & 1) != 0);
        }
        if (count > 0) values.push_back({key, count});
        position = {std::bit_cast<std::uint64_t>(key), true};
      }
      return entries_.at_end(at);
    }
  }

 protected:
  /// `before` is true below the range, `beyond` above it; both monotone in the key.
  template <class Before, class Beyond>
  bool select_range(Before&& before, Beyond&& beyond, selection_cursor& cursor, slot_bits bits,
                    std::uint64_t& budget) const {
    const auto last = std::bit_cast<Key>(cursor.key);
    auto at = entries_.first_not([&](const entry& e) {
      return cursor.inside ? !(entry{last, cursor.slot} < e) : before(e.key);
    });
    for (; !entries_.at_end(at); entries_.next(at)) {
      const entry& e = entries_[at];
      if (beyond(e.key)) break;
      if (budget == 0) return false;
      --budget;
      bits.set(e.slot);
      cursor.inside = true;
      cursor.key = std::bit_cast<std::uint64_t>(e.key);
      cursor.slot = e.slot;
    }
    cursor.inside = false;
    return true;
  }
  template <class Before, class Beyond>
  std::uint64_t count_range(Before&& before, Beyond&& beyond) const {
    const auto low = entries_.first_not([&](const entry& e) { return before(e.key); });
    const auto high = entries_.first_not([&](const entry& e) { return !beyond(e.key); });
    const std::uint64_t first = entries_.count_before(low);
    const std::uint64_t last = entries_.count_before(high);
    return last > first ? last - first : 0;
  }
  /// Entries are points where no point has two.
  [[nodiscard]] cardinality points_of(std::uint64_t entries, std::uint64_t undecided) const {
    const std::uint64_t most = std::min(entries, points_count());
    const bool single = entries_.size() == points_count();
    return {single ? most : std::min<std::uint64_t>(most, 1), most + undecided / 2,
            most + undecided};
  }

  entries_type entries_;
};

/// The edges of a range over keys that are compared in the range's own number type.
template <class Range, class Number>
struct edges {
  const Range& range;

  template <class Key>
  bool before(Key key) const {
    const auto number = static_cast<Number>(key);
    return (range.gt && !(number > *range.gt)) || (range.gte && !(number >= *range.gte));
  }
  template <class Key>
  bool beyond(Key key) const {
    const auto number = static_cast<Number>(key);
    return (range.lt && !(number < *range.lt)) || (range.lte && !(number <= *range.lte));
  }
};

bool is_number(std::string_view value) {
  return value.front() == '-' || (value.front() >= '0' && value.front() <= '9');
}

class integer_index final : public ordered_index<std::int64_t> {
 public:
  explicit integer_index(const payload_field_params& params)
      : ordered_index(payload_type::integer),
        lookup_(params.lookup.value_or(true)),
        range_(params.range.value_or(true)) {}

  [[nodiscard]] bool can_order() const override { return range_; }
  [[nodiscard]] bool can_match() const override { return lookup_; }

  [[nodiscard]] std::optional<cardinality> estimate(const field_predicate& p) const override {
    if (!serves(p)) return std::nullopt;
    std::uint64_t entries = 0;
    if (p.range) {
      const edges<number_range, double> in{*p.range};
      entries = count_range([&](std::int64_t k) { return in.before(k); },
                            [&](std::int64_t k) { return in.beyond(k); });
    } else {
      for (const std::int64_t wanted : p.integers) {
        entries += count_range([&](std::int64_t k) { return k < wanted; },
                               [&](std::int64_t k) { return k > wanted; });
      }
      if (p.except) entries = entries_.size() - entries;
    }
    return points_of(entries, undecided(p) != nullptr ? undecided(p)->cardinality() : 0);
  }

  bool select(const field_predicate& p, selection_cursor& cursor, slot_bits bits,
              std::uint64_t& budget) const override {
    if (p.range) {
      const edges<number_range, double> in{*p.range};
      return select_range([&](std::int64_t k) { return in.before(k); },
                          [&](std::int64_t k) { return in.beyond(k); }, cursor, bits, budget);
    }
    // An exception's items are the gaps between its numbers.
    const std::size_t items = p.integers.size() + (p.except ? 1 : 0);
    for (; cursor.item < items; ++cursor.item) {
      const std::size_t i = cursor.item;
      const auto before = [&](std::int64_t k) {
        return p.except ? i > 0 && k <= p.integers[i - 1] : k < p.integers[i];
      };
      const auto beyond = [&](std::int64_t k) {
        return p.except ? i < p.integers.size() && k >= p.integers[i] : k > p.integers[i];
      };
      if (!select_range(before, beyond, cursor, bits, budget)) return false;
      if (budget > 0) --budget;  // looking up costs, found or not
    }
    return true;
  }

  [[nodiscard]] bool exact(const field_predicate&) const override { return true; }
  void select_undecided(const field_predicate& p, slot_bits bits) const override {
    if (const slot_set* others = undecided(p)) set_all(*others, bits);
  }

 protected:
  bool add_value(std::uint32_t slot, std::string_view value) override {
    const bool number = is_number(value);
    if (number) {
      if (const auto read = read_json_number(value); read.kind == json_number::form::integer) {
        entries_.insert({read.integer, slot});
        return true;
      }
      numbers_.add(slot);
    }
    others_.add(slot);
    return false;
  }
  bool remove_value(std::uint32_t slot, std::string_view value) override {
    if (!is_number(value)) return false;
    const auto read = read_json_number(value);
    if (read.kind != json_number::form::integer) return false;
    entries_.erase({read.integer, slot});
    return true;
  }
  void forget(std::uint32_t slot) override {
    numbers_.remove(slot);
    others_.remove(slot);
  }

 private:
  static bool serves(const field_predicate& p) {
    return only(p) && (p.range || (p.match == match_form::one_of && p.of_integers));
  }
  [[nodiscard]] const slot_set* undecided(const field_predicate& p) const {
    if (p.range) return &numbers_;
    return p.except ? &others_ : nullptr;
  }

  bool lookup_, range_;
  slot_set numbers_;  // a number that is no int64: in ranges
  slot_set others_;   // anything that is no int64: an exception lets it pass
};

class float_index final : public ordered_index<double> {
 public:
  float_index() : ordered_index(payload_type::float_number) {}
  [[nodiscard]] bool can_order() const override { return true; }

  [[nodiscard]] std::optional<cardinality> estimate(const field_predicate& p) const override {
    if (!only(p) || !p.range) return std::nullopt;
    const edges<number_range, double> in{*p.range};
    return points_of(
        count_range([&](double k) { return in.before(k); }, [&](double k) { return in.beyond(k); }),
        0);
  }
  bool select(const field_predicate& p, selection_cursor& cursor, slot_bits bits,
              std::uint64_t& budget) const override {
    const edges<number_range, double> in{*p.range};
    return select_range([&](double k) { return in.before(k); },
                        [&](double k) { return in.beyond(k); }, cursor, bits, budget);
  }
  [[nodiscard]] bool exact(const field_predicate&) const override { return true; }
  void select_undecided(const field_predicate&, slot_bits) const override {}

 protected:
  bool add_value(std::uint32_t slot, std::string_view value) override {
    if (!is_number(value)) return false;
    entries_.insert({read_json_number(value).floating, slot});
    return true;
  }
  bool remove_value(std::uint32_t slot, std::string_view value) override {
    if (!is_number(value)) return false;
    entries_.erase({read_json_number(value).floating, slot});
    return true;
  }
};

class datetime_index final : public ordered_index<std::int64_t> {
 public:
  datetime_index() : ordered_index(payload_type::datetime) {}
  [[nodiscard]] bool can_order() const override { return true; }

  [[nodiscard]] std::optional<cardinality> estimate(const field_predicate& p) const override {
    if (!only(p) || !p.datetimes) return std::nullopt;
    const edges<datetime_range, std::int64_t> in{*p.datetimes};
    return points_of(count_range([&](std::int64_t k) { return in.before(k); },
                                 [&](std::int64_t k) { return in.beyond(k); }),
                     0);
  }
  bool select(const field_predicate& p, selection_cursor& cursor, slot_bits bits,
              std::uint64_t& budget) const override {
    const edges<datetime_range, std::int64_t> in{*p.datetimes};
    return select_range([&](std::int64_t k) { return in.before(k); },
                        [&](std::int64_t k) { return in.beyond(k); }, cursor, bits, budget);
  }
  [[nodiscard]] bool exact(const field_predicate&) const override { return true; }
  void select_undecided(const field_predicate&, slot_bits) const override {}

 protected:
  bool add_value(std::uint32_t slot, std::string_view value) override {
    const auto when = read(value);
    if (when) entries_.insert({*when, slot});
    return when.has_value();
  }
  bool remove_value(std::uint32_t slot, std::string_view value) override {
    const auto when = read(value);
    if (when) entries_.erase({*when, slot});
    return when.has_value();
  }

 private:
  static std::optional<std::int64_t> read(std::string_view value) {
    if (value.front() != '"') return std::nullopt;
    std::string buffer;
    return parse_datetime(json_string_text(value, buffer));
  }
};

/// Cells of a quad tree give candidates; the condition itself looks at them.
class geo_index final : public ordered_index<std::uint64_t> {
 public:
  geo_index() : ordered_index(payload_type::geo) {}

  [[nodiscard]] std::optional<cardinality> estimate(const field_predicate& p) const override {
    if (!serves(p)) return std::nullopt;
    std::uint64_t entries = 0;
    for (const auto& range : cover(bounds(p))) {
      entries += count_range([&](std::uint64_t k) { return k < range.first; },
                             [&](std::uint64_t k) { return k > range.last; });
    }
    const std::uint64_t most = std::min(entries, points_count());
    return cardinality{0, most / 2, most};
  }
  bool select(const field_predicate& p, selection_cursor& cursor, slot_bits bits,
              std::uint64_t& budget) const override {
    const auto ranges = cover(bounds(p));
    for (; cursor.item < ranges.size(); ++cursor.item) {
      const auto& range = ranges[cursor.item];
      if (!select_range([&](std::uint64_t k) { return k < range.first; },
                        [&](std::uint64_t k) { return k > range.last; }, cursor, bits, budget)) {
        return false;
      }
    }
    return true;
  }
  [[nodiscard]] bool exact(const field_predicate&) const override { return false; }
  void select_undecided(const field_predicate&, slot_bits) const override {}

 protected:
  bool add_value(std::uint32_t slot, std::string_view value) override {
    const auto point = read_geo_point(value);
    if (point) entries_.insert({geo_code(*point), slot});
    return point.has_value();
  }
  bool remove_value(std::uint32_t slot, std::string_view value) override {
    const auto point = read_geo_point(value);
    if (point) entries_.erase({geo_code(*point), slot});
    return point.has_value();
  }

 private:
  static bool serves(const field_predicate& p) {
    return only(p) && (p.box || p.radius || p.polygon != nullptr);
  }
  static geo_bounds bounds(const field_predicate& p) {
    if (p.box) return bounds_of(*p.box);
    return p.radius ? bounds_of(*p.radius) : bounds_of(*p.polygon);
  }
};

}  // namespace

std::unique_ptr<field_index> make_integer_index(const payload_field_params& params) {
  return std::make_unique<integer_index>(params);
}
std::unique_ptr<field_index> make_float_index() {
  return std::make_unique<float_index>();
}
std::unique_ptr<field_index> make_datetime_index() {
  return std::make_unique<datetime_index>();
}
std::unique_ptr<field_index> make_geo_index() {
  return std::make_unique<geo_index>();
}

}  // namespace vexfs
