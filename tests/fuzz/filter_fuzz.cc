// SPDX-License-Identifier: Apache-2.0
// A byte with the budget of a step, four bytes that say which indexes there are, then lines: a
// filter and payloads. A filter that decodes answers the same for every point by its payload and by
// a plan over indexes; and the same as the slow oracle, where that knows the conditions.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/filter/compiled_filter.h"
#include "core/filter/filter_plan.h"
#include "net/rest/decode/decode_filter.h"
#include "tests/core/filter/oracle.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/json_of_node.h"

namespace {

using namespace vexfs;
using fuzzing::require;
using testing_filter::oracle;
using testing_filter::point_table;

constexpr std::size_t points_max = 40;

/// What the fuzzer has to know about a filter: its keys, as indexes of them would be called, and
/// whether the oracle can judge it.
struct filter_facts {
  std::vector<std::string> keys;
  bool has_null_check = false;
  bool known_to_oracle = true;

  void look(const filter& what, const std::string& prefix) {
    for (const auto clause : {what.must, what.should, what.must_not})
      look(clause, prefix);
    if (what.at_least) look(what.at_least->conditions, prefix);
  }

 private:
  void look(std::span<const condition> conditions, const std::string& prefix) {
    for (const condition& one : conditions)
      std::visit([&](const auto& kind) { look(kind, prefix); }, one);
  }
  void add(const payload_path& path, const std::string& prefix) {
    keys.push_back(prefix + std::string(path.text));
    // It compares keys as texts: a quoted one has several.
    if (path.text.find('"') != std::string_view::npos) known_to_oracle = false;
  }
  void look(const field_condition& one, const std::string& prefix) {
    add(one.key, prefix);
    has_null_check = has_null_check || one.is_null;
    // A point that is on a border may be on either side of it.
    if (one.box || one.radius || one.polygon) known_to_oracle = false;
  }
  void look(const is_empty_condition& one, const std::string& prefix) { add(one.key, prefix); }
  void look(const is_null_condition& one, const std::string& prefix) {
    add(one.key, prefix);
    has_null_check = true;
  }
  void look(const has_id_condition&, const std::string&) {}
  void look(const has_vector_condition&, const std::string&) {}
  void look(const slice_condition&, const std::string&) { known_to_oracle = false; }
  void look(const filter_condition& one, const std::string& prefix) { look(*one.inner, prefix); }
  void look(const nested_condition& one, const std::string& prefix) {
    add(one.key, prefix);
    look(*one.inner, prefix + std::string(one.key.text) + "[].");
  }
};

constexpr std::array index_types{
    payload_type::keyword, payload_type::integer, payload_type::float_number, payload_type::geo,
    payload_type::text,    payload_type::boolean, payload_type::datetime,     payload_type::uuid};

struct points {
  point_table table;
  std::vector<testing_filter::json> trees;
  field_indexes indexes;

  void add(const json::node& payload) {
    const auto slot = table.slot_count();
    std::string text;
    json::append_canonical(text, payload);
    table.insert(slot, point_id::from_number(slot), text,
                 slot % 2 == 0 ? std::vector<std::string>{""} : std::vector<std::string>{"", "v"});
    indexes.on_insert(slot, table.points[slot].payload);
    trees.push_back(fuzzing::tree_of(payload));
  }
  void change(std::uint32_t slot, const json::node& payload) {
    const std::string old = table.points[slot].payload;
    table.points[slot].payload.clear();
    json::append_canonical(table.points[slot].payload, payload);
    indexes.on_payload_change(slot, old, table.points[slot].payload);
    trees[slot] = fuzzing::tree_of(payload);
  }
  void remove(std::uint32_t slot) {
    const std::string old = table.points[slot].payload;
    table.remove(slot);
    indexes.on_remove(slot, old);
  }
};

std::vector<bool> planned(const filter& what, const points& all, const field_indexes& indexes,
                          std::uint32_t budget, arena& memory) {
  filter_plan plan(&what, memory);
  for (int steps = 0; !plan.advance(indexes, all.table, budget); ++steps)
    require(steps < 100'000, "a plan has no end");
  std::vector<bool> passes;
  std::uint64_t count = 0;
  for (std::uint32_t slot = 0; slot < all.table.slot_count(); ++slot) {
    passes.push_back((plan.allowed()[slot / 64] >> (slot % 64) & 1) != 0);
    count += passes.back();
  }
  require(plan.count() == count, "a plan miscounts");
  const auto estimate = estimate_cardinality(&what, indexes, all.table.slot_count(), memory);
  require(estimate.min <= estimate.expected && estimate.expected <= estimate.max &&
              count <= estimate.max,
          "an estimate is out of order");
  return passes;
}

std::vector<bool> compiled(const filter& what, const points& all, const field_indexes* indexes,
                           arena& memory) {
  const compiled_filter fast(what, indexes, memory);
  std::vector<bool> passes;
  for (std::uint32_t slot = 0; slot < all.table.slot_count(); ++slot)
    passes.push_back(fast.matches(all.table, slot));
  return passes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzzing::fuzz_input input(bytes, count);
  const std::uint32_t budget = 1U + input.byte();
  std::array<std::uint8_t, 4> choices{};
  for (auto& one : choices)
    one = input.byte();
  const bool is_ascii = std::ranges::all_of(
      input.rest(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  const std::string_view text = input.line();
  arena memory;
  rest::decoder decoding(text, memory);
  const json::node* root = decoding.parse();
  const filter* what = root ? rest::decode_filter(decoding, *root, "filter") : nullptr;
  if (decoding.finish() || !what) return 0;

  std::vector<const json::node*> payloads;
  while (!input.empty() && payloads.size() < points_max) {
    const auto read = json::parse_document(input.line(), memory);
    if (read && (*read)->is(json::node::form::object)) payloads.push_back(*read);
  }
  points all;
  const std::size_t early = payloads.size() / 2;
  for (std::size_t i = 0; i < early; ++i)
    all.add(*payloads[i]);
  filter_facts facts;
  facts.look(*what, "");
  oracle::keys keys;
  for (std::size_t i = 0; i < facts.keys.size(); ++i) {
    const std::size_t choice = choices[i % choices.size()] % (index_types.size() + 1);
    if (choice == index_types.size() || keys.any.contains(facts.keys[i])) continue;
    const payload_type type = index_types[choice];
    auto schema = testing_filter::schema_of(type);
    if (type == payload_type::text) schema.params.phrase_matching = true;
    if (!all.indexes.create(facts.keys[i], schema)) continue;
    keys.any.insert(facts.keys[i]);
    if (type == payload_type::text) keys.text.insert(facts.keys[i]);
    if (type == payload_type::uuid) keys.uuid.insert(facts.keys[i]);
  }
  for (int steps = 0; !all.indexes.build(all.table, budget); ++steps)
    require(steps < 100'000, "a build has no end");
  for (std::size_t i = early; i < payloads.size(); ++i)
    all.add(*payloads[i]);
  if (payloads.size() > 2) {
    all.change(0, *payloads.back());
    all.remove(1);
  }

  const field_indexes none;
  const auto by_payload = compiled(*what, all, nullptr, memory);
  const auto by_indexes = compiled(*what, all, &all.indexes, memory);
  require(planned(*what, all, none, budget, memory) == by_payload, "a plan without indexes");
  require(planned(*what, all, all.indexes, budget, memory) == by_indexes, "a plan over indexes");
  if (keys.text.empty() && keys.uuid.empty() && !facts.has_null_check)
    require(by_payload == by_indexes, "an index that changes no rule changes the answer");
  if (!facts.known_to_oracle || !is_ascii) return 0;
  const oracle slow(all.table, keys);
  for (std::uint32_t slot = 0; slot < all.table.slot_count(); ++slot) {
    const bool expected = all.table.live(slot) && slow.passes(*what, all.trees[slot], slot);
    require(by_indexes[slot] == expected, "the oracle says otherwise");
  }
  return 0;
}
