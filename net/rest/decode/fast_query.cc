// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/fast_query.h"

#include <string>
#include <utility>
#include <vector>

#include "core/base/limits.h"
#include "net/json/cursor.h"

namespace vexfs::rest {
namespace {

/// What a core keeps of these between requests.
constexpr std::size_t short_body_kept_bytes_max = 64 * 1024;
constexpr std::size_t vectors_kept_max = 4096;

struct cut_state {
  std::string body;
  std::vector<std::span<const float>> vectors;  // one a search; empty where it has no plain one
  std::vector<float> floats;

  void clear() {
    body.clear();
    vectors.clear();
    if (body.capacity() > short_body_kept_bytes_max) std::string().swap(body);
    if (vectors.capacity() > vectors_kept_max) std::vector<std::span<const float>>().swap(vectors);
  }
};
thread_local cut_state state;

class body_walk {
 public:
  body_walk(std::string_view body, arena& memory)
      : in_(body), memory_(memory), copied_(body.data()), end_(body.data() + body.size()) {}

  [[nodiscard]] bool search(vector_place where) {
    auto& vector = state.vectors.emplace_back();
    bool seen = false;
    return members([&](std::string_view name) {
      if (name != where.outer) return in_.skip_value();
      if (std::exchange(seen, true)) return false;
      if (in_.peek() == '[') return cut(vector);
      if (in_.peek() != '{') return in_.skip_value();
      bool seen_inner = false;
      return members([&](std::string_view inner) {
        if (inner != where.inner || in_.peek() != '[') return in_.skip_value();
        return !std::exchange(seen_inner, true) && cut(vector);
      });
    });
  }

  [[nodiscard]] bool batch(vector_place where) {
    bool seen = false;
    return members([&](std::string_view name) {
      if (name != "searches") return in_.skip_value();
      if (std::exchange(seen, true) || !in_.take('[')) return false;
      do {
        if (!search(where)) return false;
      } while (in_.take(','));
      return in_.take(']');
    });
  }

  /// Copies what is left behind the last vector.
  [[nodiscard]] bool finish() {
    if (!in_.finished()) return false;
    state.body.append(copied_, end_);
    return true;
  }

 private:
  /// An object without repeated or unusual names of interest; `read` takes each value.
  template <class Read>
  [[nodiscard]] bool members(Read&& read) {
    if (!in_.take('{')) return false;
    do {
      std::string_view name;
      if (!in_.plain_string(name) || !in_.take(':') || !read(name)) return false;
    } while (in_.take(','));
    return in_.take('}');
  }

  /// What stands in the array's place has one number, as that is what the array is: not empty.
  [[nodiscard]] bool cut(std::span<const float>& vector) {
    const char* const first = in_.place();
    if (!in_.floats(state.floats, vector_dim_max)) return false;
    vector = memory_.copy(std::span<const float>(state.floats));
    state.body.append(copied_, first);
    state.body += "[0]";
    copied_ = in_.place();
    return true;
  }

  json::cursor in_;
  arena& memory_;
  const char* copied_;  // up to here the body is in the short one
  const char* end_;
};

}  // namespace

std::optional<std::string_view> cut_search(std::string_view body, arena& memory,
                                           vector_place where) {
  state.clear();
  body_walk walk(body, memory);
  if (!walk.search(where) || state.vectors.front().empty() || !walk.finish()) return std::nullopt;
  return state.body;
}

std::optional<std::string_view> cut_batch(std::string_view body, arena& memory,
                                          vector_place where) {
  state.clear();
  body_walk walk(body, memory);
  if (!walk.batch(where) || !walk.finish()) return std::nullopt;
  return state.body;
}

bool put_back_vectors(std::span<query_request> requests) {
  if (requests.size() != state.vectors.size()) return false;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (state.vectors[i].empty()) continue;
    auto* const nearest = std::get_if<nearest_query>(&requests[i].what);
    auto* const vector = nearest ? std::get_if<vector_value>(&nearest->target) : nullptr;
    if (!vector || vector->kind != vector_kind::dense || vector->values.size() != 1) return false;
    vector->values = state.vectors[i];
  }
  return true;
}

}  // namespace vexfs::rest
