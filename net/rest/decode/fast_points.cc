// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/fast_points.h"

#include <string>
#include <utility>
#include <vector>

#include "core/base/limits.h"
#include "net/json/cursor.h"

namespace vexfs::rest {
namespace {

/// Named vectors of one point; more are for the tree.
constexpr std::size_t names_max = 16;
/// What a core keeps of these between requests.
constexpr std::size_t points_kept_max = 4096;
constexpr std::size_t payload_kept_bytes_max = 64 * 1024;

class point_reader {
 public:
  point_reader(std::string_view body, arena& memory) : in_(body), memory_(memory) {}

  [[nodiscard]] std::optional<upsert_points> read() {
    points_.clear();
    std::string_view name;
    if (!in_.take('{') || !in_.plain_string(name) || name != "points" || !in_.take(':') ||
        !in_.take('['))
      return std::nullopt;
    do {
      if (!read_point(points_.emplace_back())) return std::nullopt;
    } while (in_.take(','));
    if (!in_.take(']') || !in_.take('}') || !in_.finished()) return std::nullopt;
    upsert_points operation;
    operation.points = memory_.copy(std::span<const point_struct>(points_));
    return operation;
  }

  static void trim() {
    if (points_.capacity() > points_kept_max) std::vector<point_struct>().swap(points_);
    if (payload_.capacity() > payload_kept_bytes_max) std::string().swap(payload_);
  }

 private:
  [[nodiscard]] bool read_point(point_struct& point) {
    bool has_id = false;
    bool has_vector = false;
    bool has_payload = false;
    if (!in_.take('{')) return false;
    do {
      std::string_view name;
      if (!in_.plain_string(name) || !in_.take(':')) return false;
      if (name == "id") {
        if (std::exchange(has_id, true) || !read_id(point.id)) return false;
      } else if (name == "vector" || name == "vectors") {
        if (std::exchange(has_vector, true) || !read_vectors(point)) return false;
      } else if (name == "payload") {
        if (std::exchange(has_payload, true) || !read_payload(point.payload)) return false;
      } else {
        return false;
      }
    } while (in_.take(','));
    return has_id && has_vector && in_.take('}');
  }

  [[nodiscard]] bool read_id(point_id& id) {
    if (in_.peek() != '"') {
      std::uint64_t number = 0;
      if (!in_.whole_number(number)) return false;
      id = point_id::from_number(number);
      return true;
    }
    std::string_view text;
    if (!in_.plain_string(text)) return false;
    const auto uuid = point_id::from_uuid(text);
    if (uuid) id = *uuid;
    return uuid.has_value();
  }

  [[nodiscard]] bool read_vectors(point_struct& point) {
    if (in_.peek() == '[') {
      const auto vectors = memory_.array<named_vector>(1);
      point.vectors = vectors;
      return read_floats(vectors[0].value);
    }
    if (!in_.take('{')) return false;
    named_vector vectors[names_max];
    std::size_t count = 0;
    do {
      std::string_view name;
      if (count == names_max || !in_.plain_string(name) || !in_.take(':')) return false;
      for (std::size_t i = 0; i < count; ++i)
        if (vectors[i].name == name) return false;
      vectors[count].name = name_of(name, count);
      if (!read_floats(vectors[count].value)) return false;
      ++count;
    } while (in_.take(','));
    point.vectors = memory_.copy(std::span<const named_vector>(vectors, count));
    return in_.take('}');
  }

  /// Points name their vectors alike: one copy of a name serves them all.
  [[nodiscard]] std::string_view name_of(std::string_view name, std::size_t index) {
    if (names_[index].data() == nullptr || names_[index] != name)
      names_[index] = memory_.copy(name);
    return names_[index];
  }

  [[nodiscard]] bool read_floats(vector_value& out) {
    if (!in_.floats(floats_, vector_dim_max)) return false;
    out.values = memory_.copy(std::span<const float>(floats_));
    return true;
  }

  [[nodiscard]] bool read_payload(std::string_view& out) {
    if (in_.peek() == 'n') return in_.null();
    if (in_.peek() != '{') return false;
    payload_.clear();
    if (!in_.canonical_value(payload_)) return false;
    if (payload_ != "{}") out = memory_.copy(std::string_view(payload_));
    return true;
  }

  json::cursor in_;
  arena& memory_;
  std::string_view names_[names_max];

  // Grow while something of unknown length is read; each core keeps its own. Vectors are bounded by
  // the contract, the others by trim().
  static inline thread_local std::vector<point_struct> points_;
  static inline thread_local std::vector<float> floats_;
  static inline thread_local std::string payload_;
};

}  // namespace

std::optional<upsert_points> fast_upsert(std::string_view body, arena& memory) {
  auto operation = point_reader(body, memory).read();
  point_reader::trim();
  return operation;
}

}  // namespace vexfs::rest
