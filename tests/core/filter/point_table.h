// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/filter/indexes.h"
#include "core/filter/point_source.h"

namespace vexfs::testing_filter {

/// Points in memory, with everything that a filter can ask.
class point_table final : public point_source {
 public:
  struct point {
    bool lives = false;
    point_id id;
    std::string payload;
    std::vector<std::string> vectors;
  };

  std::uint32_t slot_count() const override { return static_cast<std::uint32_t>(points.size()); }
  bool live(std::uint32_t slot) const override { return points[slot].lives; }
  void live_words(std::uint32_t first_word, std::span<std::uint64_t> words) const override {
    for (auto& word : words)
      word = 0;
    for (std::size_t i = 0; i < words.size() * 64; ++i) {
      const std::size_t slot = std::size_t{first_word} * 64 + i;
      if (slot < points.size() && points[slot].lives) words[i / 64] |= 1ULL << (i % 64);
    }
  }
  void payloads(std::span<const std::uint32_t> slots, std::string_view* texts) const override {
    for (const auto slot : slots)
      *texts++ = points[slot].payload;
  }
  void ids(std::span<const std::uint32_t> slots, point_id* out) const override {
    for (const auto slot : slots)
      *out++ = points[slot].id;
  }
  std::optional<std::uint32_t> find(const point_id& id) const override {
    const auto found = slots_.find(id);
    if (found == slots_.end()) return std::nullopt;
    return found->second;
  }
  bool has_vector(std::uint32_t slot, std::string_view name) const override {
    for (const auto& one : points[slot].vectors) {
      if (one == name) return true;
    }
    return false;
  }

  void insert(std::uint32_t slot, point_id id, std::string payload,
              std::vector<std::string> vectors = {}) {
    if (slot >= points.size()) points.resize(slot + 1);
    points[slot] = {true, id, std::move(payload), std::move(vectors)};
    slots_[id] = slot;
  }
  void remove(std::uint32_t slot) {
    slots_.erase(points[slot].id);
    points[slot].lives = false;
  }

  std::vector<point> points;

 private:
  std::map<point_id, std::uint32_t> slots_;
};

inline payload_field_schema schema_of(payload_type type) {
  payload_field_schema schema;
  schema.params.type = type;
  return schema;
}

}  // namespace vexfs::testing_filter
