// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>

#include "core/filter/field_predicate.h"
#include "core/filter/index_types.h"
#include "core/filter/text_analyzer.h"
#include "core/filter/value_table.h"
#include "core/payload/walk.h"

namespace vexfs {
namespace {

bool only_match(const field_predicate& p) {
  return p.kind == field_predicate::form::values && p.alternatives() == 1 &&
         p.match != match_form::none;
}

/// Selects the slots of whole values one after another; slots_of(item) may be null.
template <class SlotsOf>
bool select_items(std::uint64_t items, SlotsOf&& slots_of, selection_cursor& cursor, slot_bits bits,
                  std::uint64_t& budget) {
  for (; cursor.item < items; ++cursor.item) {
    if (budget == 0) return false;
    const slot_set* slots = slots_of(cursor.item);
    if (slots != nullptr &&
        !each_slot(*slots, cursor, budget, [&](std::uint32_t slot) { bits.set(slot); })) {
      return false;
    }
    cursor.inside = false;
    if (budget > 0) --budget;  // looking up costs, found or not
  }
  return true;
}

class bool_index final : public field_index {
 public:
  bool_index() : field_index(payload_type::boolean) {}
  [[nodiscard]] bool can_match() const override { return true; }

  [[nodiscard]] std::optional<cardinality> estimate(const field_predicate& p) const override {
    if (!only_match(p) || p.match != match_form::boolean) return std::nullopt;
    const std::uint64_t count = slots_[p.boolean].cardinality();
    return cardinality{count, count, count};
  }
  bool select(const field_predicate& p, selection_cursor& cursor, slot_bits bits,
              std::uint64_t& budget) const override {
    return select_items(1, [&](std::uint64_t) { return &slots_[p.boolean]; }, cursor, bits, budget);
  }
  [[nodiscard]] bool exact(const field_predicate&) const override { return true; }
  void select_undecided(const field_predicate&, slot_bits) const override {}
  bool facet(std::span<const std::uint64_t> allowed, std::uint32_t, facet_position& position,
             std::vector<facet_value>& values) const override {
    for (; position.next < 2; ++position.next) {
      const std::uint64_t count = count_among(slots_[position.next], allowed);
      if (count > 0) values.push_back({position.next == 1, count});
    }
    return true;
  }

 protected:
  bool add_value(std::uint32_t slot, std::string_view value) override {
    if (value.front() != 't' && value.front() != 'f') return false;
    slots_[value.front() == 't'].add(slot);
    return true;
  }
  bool remove_value(std::uint32_t slot, std::string_view value) override {
    if (value.front() != 't' && value.front() != 'f') return false;
    slots_[value.front() == 't'].remove(slot);
    return true;
  }

 private:
  std::array<slot_set, 2> slots_;  // of false, of true
};

/// Keywords, or UUIDs in their canonical spelling.
class keyword_index final : public field_index {
 public:
  explicit keyword_index(payload_type type) : field_index(type) {}
  [[nodiscard]] bool can_match() const override { return true; }

  [[nodiscard]] std::optional<cardinality> estimate(const field_predicate& p) const override {
    if (!only_match(p)) return std::nullopt;
    std::uint64_t count = 0;
    if (p.match == match_form::starts_with) {
      if (of_uuids()) return std::nullopt;
      return cardinality{0, points_count() / 10, points_count()};
    }
    if (p.match != match_form::one_of || p.of_integers) return std::nullopt;
    const std::uint64_t wanted = of_uuids() ? p.uuids.size() : p.strings.size();
    for (std::uint64_t i = 0; i < wanted; ++i) {
      if (const slot_set* slots = slots_of(p, i)) count += slots->cardinality();
    }
    const std::uint64_t undecided = looks_at_others(p) ? others_.cardinality() : 0;
    const std::uint64_t most = std::min(count, points_count());
    // A point with several values may be counted several times, and pass an exception anyway.
    if (p.except) {
      return cardinality{0, points_count() - most + undecided / 2, points_count() + undecided};
    }
    return cardinality{wanted <= 1 ? most : std::min<std::uint64_t>(most, 1), most + undecided / 2,
                       most + undecided};
  }

  bool select(const field_predicate& p, selection_cursor& cursor, slot_bits bits,
              std::uint64_t& budget) const override {
    if (p.match == match_form::one_of && !p.except) {
      return select_items(
          of_uuids() ? p.uuids.size() : p.strings.size(),
          [&](std::uint64_t i) { return slots_of(p, i); }, cursor, bits, budget);
    }
    return select_items(
        values_.number_count(),
        [&](std::uint64_t number) -> const slot_set* {
          const std::string* text = values_.text(number);
          return text != nullptr && passes(p, *text) ? &values_.slots(number) : nullptr;
        },
        cursor, bits, budget);
  }
  [[nodiscard]] bool exact(const field_predicate&) const override { return true; }
  void select_undecided(const field_predicate& p, slot_bits bits) const override {
    if (looks_at_others(p)) set_all(others_, bits);
  }

  bool facet(std::span<const std::uint64_t> allowed, std::uint32_t budget_points,
             facet_position& position, std::vector<facet_value>& values) const override {
    for (std::uint64_t used = 0; position.next < values_.number_count(); ++position.next) {
      if (used >= budget_points) return false;
      const slot_set& slots = values_.slots(position.next);
      const std::string* text = values_.text(position.next);
      ++used;
      if (text == nullptr) continue;
      used += slots.cardinality();
      const std::uint64_t count = count_among(slots, allowed);
      if (count > 0) values.push_back({std::string_view(*text), count});
    }
    return true;
  }

 protected:
  bool add_value(std::uint32_t slot, std::string_view value) override {
    std::string buffer;
    const auto text = read(value, buffer);
    if (text) {
      values_.add(*text, slot);
    } else {
      others_.add(slot);
    }
    return text.has_value();
  }
  bool remove_value(std::uint32_t slot, std::string_view value) override {
    std::string buffer;
    const auto text = read(value, buffer);
    if (text) values_.remove(*text, slot);
    return text.has_value();
  }
  void forget(std::uint32_t slot) override { others_.remove(slot); }

 private:
  [[nodiscard]] bool of_uuids() const { return type() == payload_type::uuid; }

  std::optional<std::string_view> read(std::string_view value, std::string& buffer) const {
    if (value.front() != '"') return std::nullopt;
    const std::string_view text = json_string_text(value, buffer);
    if (!of_uuids()) return text;
    const auto id = point_id::from_uuid(text);
    if (!id) return std::nullopt;
    buffer = id->text();
    return buffer;
  }
  [[nodiscard]] const slot_set* slots_of(const field_predicate& p, std::uint64_t item) const {
    return of_uuids() ? values_.find(p.uuids[item].text()) : values_.find(p.strings[item]);
  }
  /// For the forms that are decided value by value.
  [[nodiscard]] bool passes(const field_predicate& p, std::string_view text) const {
    if (p.match == match_form::starts_with) return text.starts_with(p.strings[0]);
    if (!of_uuids()) return !std::ranges::binary_search(p.strings, text);
    return !std::ranges::binary_search(p.uuids, *point_id::from_uuid(text));
  }
  /// Values that are not in the table: an exception lets them pass, and among those of a uuid
  /// index are strings that a condition may name.
  [[nodiscard]] bool looks_at_others(const field_predicate& p) const {
    return p.except || (of_uuids() && p.uuids.size() < p.strings.size());
  }

  value_table values_;
  slot_set others_;
};

class text_index final : public field_index {
 public:
  explicit text_index(std::unique_ptr<const text_analyzer> analyzer)
      : field_index(payload_type::text), analyzer_(std::move(analyzer)) {}

  [[nodiscard]] const text_analyzer* analyzer() const override { return analyzer_.get(); }

  [[nodiscard]] std::optional<cardinality> estimate(const field_predicate& p) const override {
    if (!only_match(p) || p.tokens.empty()) return std::nullopt;
    std::uint64_t least = UINT64_MAX;
    std::uint64_t sum = 0;
    for (const std::string_view token : p.tokens) {
      const slot_set* slots = tokens_.find(token);
      const std::uint64_t count = slots != nullptr ? slots->cardinality() : 0;
      least = std::min(least, count);
      sum += count;
    }
    if (p.match == match_form::any_token) {
      const std::uint64_t most = std::min(sum, points_count());
      return cardinality{p.tokens.size() == 1 ? most : 0, most, most};
    }
    return cardinality{exact(p) && p.tokens.size() == 1 ? least : 0,
                       p.tokens.size() == 1 ? least : least / 2, least};
  }

  bool select(const field_predicate& p, selection_cursor& cursor, slot_bits bits,
              std::uint64_t& budget) const override {
    if (p.match == match_form::any_token) {
      return select_items(
          p.tokens.size(), [&](std::uint64_t i) { return tokens_.find(p.tokens[i]); }, cursor, bits,
          budget);
    }
    std::vector<const slot_set*> sets;
    for (const std::string_view token : p.tokens) {
      sets.push_back(tokens_.find(token));
      if (sets.back() == nullptr) return true;
    }
    std::ranges::sort(sets, {}, [](const slot_set* set) { return set->cardinality(); });
    return each_slot(*sets.front(), cursor, budget, [&](std::uint32_t slot) {
      if (std::all_of(sets.begin() + 1, sets.end(),
                      [&](const slot_set* set) { return set->contains(slot); })) {
        bits.set(slot);
      }
    });
  }
  /// Tokens of one point may stand in different values, and are known without their order.
  [[nodiscard]] bool exact(const field_predicate& p) const override {
    if (p.match == match_form::phrase) return false;
    return p.match == match_form::any_token || p.tokens.size() == 1 || several_.isEmpty();
  }
  void select_undecided(const field_predicate&, slot_bits) const override {}

 protected:
  bool add_value(std::uint32_t slot, std::string_view value) override {
    if (value.front() != '"') return false;
    if (!present_.addChecked(slot)) several_.add(slot);
    each_token(value, [&](std::string_view token) { tokens_.add(token, slot); });
    return true;
  }
  bool remove_value(std::uint32_t slot, std::string_view value) override {
    if (value.front() != '"') return false;
    each_token(value, [&](std::string_view token) { tokens_.remove(token, slot); });
    return true;
  }
  void forget(std::uint32_t slot) override {
    present_.remove(slot);
    several_.remove(slot);
  }

 private:
  template <class Take>
  void each_token(std::string_view value, Take&& take) {
    std::string buffer;
    analyzer_->index_tokens(json_string_text(value, buffer), list_);
    for (std::size_t i = 0; i < list_.size(); ++i)
      take(list_[i]);
  }

  std::unique_ptr<const text_analyzer> analyzer_;
  value_table tokens_;
  slot_set present_;
  slot_set several_;  // more than one text
  token_list list_;   // scratch of the writer
};

}  // namespace

std::unique_ptr<field_index> make_bool_index() {
  return std::make_unique<bool_index>();
}
std::unique_ptr<field_index> make_keyword_index() {
  return std::make_unique<keyword_index>(payload_type::keyword);
}
std::unique_ptr<field_index> make_uuid_index() {
  return std::make_unique<keyword_index>(payload_type::uuid);
}
std::unique_ptr<field_index> make_text_index(std::unique_ptr<const text_analyzer> analyzer) {
  return std::make_unique<text_index>(std::move(analyzer));
}

}  // namespace vexfs
