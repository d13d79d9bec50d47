// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/fast_points.h"

#include <string>
#include <utility>
#include <vector>

#include "core/base/limits.h"
#include "net/rest/decode/decode_update.h"

namespace vexfs::rest {
namespace {

/// What a core keeps of these between requests.
constexpr std::size_t scratches_kept_max = 4;
constexpr std::size_t points_kept_max = 4096;
constexpr std::size_t payload_kept_bytes_max = 64 * 1024;

}  // namespace

/// Grows while something of unknown length is read. Vectors are bounded by the contract.
struct upsert_reader::scratch {
  std::vector<point_struct> points;
  std::vector<float> floats;
  std::string payload;

  static std::vector<std::unique_ptr<scratch>>& kept() {
    static thread_local std::vector<std::unique_ptr<scratch>> of_core;
    return of_core;
  }
  static std::unique_ptr<scratch> take() {
    if (kept().empty()) return std::make_unique<scratch>();
    auto taken = std::move(kept().back());
    kept().pop_back();
    return taken;
  }
  static void give(std::unique_ptr<scratch> used) {
    if (kept().size() == scratches_kept_max) return;
    if (used->points.capacity() > points_kept_max) std::vector<point_struct>().swap(used->points);
    if (used->payload.capacity() > payload_kept_bytes_max) std::string().swap(used->payload);
    used->points.clear();
    kept().push_back(std::move(used));
  }
};

upsert_reader::upsert_reader(std::string_view body, arena& memory)
    : in_(body), memory_(memory), scratch_(scratch::take()) {}

upsert_reader::~upsert_reader() {
  scratch::give(std::move(scratch_));
}

upsert_reader::progress upsert_reader::advance(std::size_t bytes) {
  const char* const start = in_.place();
  if (!std::exchange(opened_, true) && !open_list()) return progress::declined;
  do {
    point_struct& point = scratch_->points.emplace_back();
    const json::cursor before = in_;
    if (!read_point(point)) {
      in_ = before;
      point = {};
      if (!read_unusual_point(point)) return progress::declined;
    }
    if (!in_.take(',')) return close_list() ? progress::done : progress::declined;
  } while (static_cast<std::size_t>(in_.place() - start) < bytes);
  return progress::more;
}

bool upsert_reader::open_list() {
  std::string_view name;
  return in_.take('{') && in_.plain_string(name) && name == "points" && in_.take(':') &&
         in_.take('[');
}

bool upsert_reader::close_list() {
  if (!in_.take(']') || !in_.take('}') || !in_.finished()) return false;
  operation_.points = memory_.copy(std::span<const point_struct>(scratch_->points));
  return true;
}

bool upsert_reader::read_unusual_point(point_struct& point) {
  (void)in_.peek();
  const char* const start = in_.place();
  if (!in_.skip_value()) return false;
  const auto read = decode_listed_point({start, in_.place()}, memory_);
  if (read) point = *read;
  return read.has_value();
}

bool upsert_reader::read_point(point_struct& point) {
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

bool upsert_reader::read_id(point_id& id) {
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

bool upsert_reader::read_vectors(point_struct& point) {
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

// Points name their vectors alike: one copy of a name serves them all.
std::string_view upsert_reader::name_of(std::string_view name, std::size_t index) {
  if (names_[index].data() == nullptr || names_[index] != name) names_[index] = memory_.copy(name);
  return names_[index];
}

bool upsert_reader::read_floats(vector_value& out) {
  if (!in_.floats(scratch_->floats, vector_dim_max)) return false;
  out.values = memory_.copy(std::span<const float>(scratch_->floats));
  return true;
}

bool upsert_reader::read_payload(std::string_view& out) {
  if (in_.peek() == 'n') return in_.null();
  if (in_.peek() != '{') return false;
  scratch_->payload.clear();
  if (!in_.canonical_value(scratch_->payload)) return false;
  if (scratch_->payload != "{}") out = memory_.copy(std::string_view(scratch_->payload));
  return true;
}

}  // namespace vexfs::rest
