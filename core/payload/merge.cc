// SPDX-License-Identifier: Apache-2.0
#include <unordered_map>
#include <vector>

#include "core/payload/payload.h"
#include "core/payload/print.h"

// Keys in canonical text are escaped in one way only, so two keys are equal when their texts are.
namespace vexfs {
namespace {

struct member {
  std::string_view key;
  std::string_view value;
};

/// Writes an object member by member.
class object_writer {
 public:
  explicit object_writer(std::string& out) : out_(out) { out_.push_back('{'); }
  void key(std::string_view escaped) {
    separate();
    out_.push_back('"');
    out_ += escaped;
    out_ += "\":";
  }
  void plain_key(std::string_view text) {
    separate();
    append_json_string(out_, text);
    out_.push_back(':');
  }
  void put(std::string_view escaped, std::string_view value) {
    key(escaped);
    out_ += value;
  }
  void end() { out_.push_back('}'); }

 private:
  void separate() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }
  std::string& out_;
  bool first_ = true;
};

class array_writer {
 public:
  explicit array_writer(std::string& out) : out_(out) { out_.push_back('['); }
  std::string& next() {
    if (!first_) out_.push_back(',');
    first_ = false;
    return out_;
  }
  void end() { out_.push_back(']'); }

 private:
  std::string& out_;
  bool first_ = true;
};

bool is_object(std::string_view value) {
  return value.empty() || value.front() == '{';
}

/// Finds changes by key: most sets are small and are searched, large ones get a table.
class change_set {
 public:
  explicit change_set(std::string_view changes) {
    json_cursor cursor(changes);
    for (member one; cursor.next_member(one.key, one.value);)
      members_.push_back(one);
    used_.resize(members_.size());
    if (members_.size() > searched_max) {
      for (std::size_t i = 0; i < members_.size(); ++i)
        table_.emplace(members_[i].key, i);
    }
  }
  /// The new value of a key, null where it does not change; it then counts as used.
  const std::string_view* use(std::string_view key) {
    std::size_t i = 0;
    if (members_.size() > searched_max) {
      const auto found = table_.find(key);
      if (found == table_.end()) return nullptr;
      i = found->second;
    } else {
      while (i < members_.size() && members_[i].key != key)
        ++i;
      if (i == members_.size()) return nullptr;
    }
    used_[i] = true;
    return &members_[i].value;
  }
  template <class Take>
  void unused(Take&& take) const {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (!used_[i]) take(members_[i]);
    }
  }

 private:
  static constexpr std::size_t searched_max = 16;
  std::vector<member> members_;
  std::vector<bool> used_;
  std::unordered_map<std::string_view, std::size_t> table_;
};

void merge_object(std::string_view stored, std::string_view changes, std::string& out) {
  change_set set(changes);
  object_writer object(out);
  json_cursor cursor(stored);
  for (member one; cursor.next_member(one.key, one.value);) {
    const std::string_view* changed = set.use(one.key);
    if (changed == nullptr) {
      object.put(one.key, one.value);
    } else if (*changed != "null") {
      object.put(one.key, *changed);
    }
  }
  set.unused([&](const member& one) {
    if (one.value != "null") object.put(one.key, one.value);
  });
  object.end();
}

/// What a step needs and is not there is made, and takes the place of what stands in its way: an
/// object for a key, an empty list for an element. Elements are never made.
void merge_at(std::string_view value, std::span<const path_step> steps, std::string_view changes,
              std::string& out) {
  if (steps.empty()) {
    merge_object(is_object(value) ? value : "{}", changes, out);
    return;
  }
  const path_step& step = steps.front();
  const auto rest = steps.subspan(1);
  if (step.kind != path_step::form::key) {
    if (value.empty() || value.front() != '[') {
      out += "[]";
      return;
    }
    array_writer array(out);
    json_cursor cursor(value);
    std::uint64_t index = 0;
    for (std::string_view element; cursor.next_element(element); ++index) {
      std::string& to = array.next();
      if (step.kind == path_step::form::all || step.index == index) {
        merge_at(element, rest, changes, to);
      } else {
        to += element;
      }
    }
    array.end();
    return;
  }
  if (!is_object(value)) value = "{}";
  object_writer object(out);
  bool found = false;
  json_cursor cursor(value);
  for (member one; cursor.next_member(one.key, one.value);) {
    if (!found && json_string_equals(one.key, step.key)) {
      found = true;
      object.key(one.key);
      merge_at(one.value, rest, changes, out);
    } else {
      object.put(one.key, one.value);
    }
  }
  if (!found) {
    object.plain_key(step.key);
    merge_at("null", rest, changes, out);
  }
  object.end();
}

using path_steps = std::span<const path_step>;

/// Writes `value` without what the paths name; the value itself stays.
void remove_from(std::string_view value, std::span<const path_steps> paths, std::string& out) {
  const bool object = is_object(value);
  if (paths.empty() || (!object && value.front() != '[')) {
    out += value.empty() ? "{}" : value;
    return;
  }
  std::vector<path_steps> below;
  // Narrows the paths to a member or element; true where one of them names it.
  const auto enter = [&](auto&& agrees) {
    below.clear();
    for (const path_steps path : paths) {
      if (!agrees(path.front())) continue;
      if (path.size() == 1) return true;
      below.push_back(path.subspan(1));
    }
    return false;
  };
  json_cursor cursor(value);
  if (object) {
    object_writer writer(out);
    for (member one; cursor.next_member(one.key, one.value);) {
      if (enter([&](const path_step& step) {
            return step.kind == path_step::form::key && json_string_equals(one.key, step.key);
          })) {
        continue;
      }
      writer.key(one.key);
      remove_from(one.value, below, out);
    }
    writer.end();
    return;
  }
  array_writer writer(out);
  std::uint64_t index = 0;
  for (std::string_view element; cursor.next_element(element); ++index) {
    if (enter([&](const path_step& step) {
          return step.kind == path_step::form::all ||
                 (step.kind == path_step::form::index && step.index == index);
        })) {
      continue;
    }
    remove_from(element, below, writer.next());
  }
  writer.end();
}

/// include: keeps a node that agrees with a path on their common length, so everything under a
/// path's end; exclude: drops a node that a path ends at. Elements are walked as [].
template <bool Include>
void select(std::string_view value, std::span<const path_steps> paths, std::string& out) {
  const bool object = is_object(value);
  if (paths.empty() || (!object && value.front() != '[')) {
    out += value.empty() ? "{}" : value;
    return;
  }
  std::vector<path_steps> below;
  enum class fate : std::uint8_t { keep_whole, look_inside, drop };
  const auto enter = [&](auto&& agrees) {
    below.clear();
    for (const path_steps path : paths) {
      if (!agrees(path.front())) continue;
      if (path.size() == 1) return Include ? fate::keep_whole : fate::drop;
      below.push_back(path.subspan(1));
    }
    if (!below.empty()) return fate::look_inside;
    return Include ? fate::drop : fate::keep_whole;
  };
  json_cursor cursor(value);
  if (object) {
    object_writer writer(out);
    for (member one; cursor.next_member(one.key, one.value);) {
      const fate its = enter([&](const path_step& step) {
        return step.kind == path_step::form::key && json_string_equals(one.key, step.key);
      });
      if (its == fate::drop) continue;
      writer.key(one.key);
      if (its == fate::keep_whole) {
        out += one.value;
      } else {
        select<Include>(one.value, below, out);
      }
    }
    writer.end();
    return;
  }
  array_writer writer(out);
  const fate its = enter([](const path_step& step) { return step.kind == path_step::form::all; });
  for (std::string_view element; its != fate::drop && cursor.next_element(element);) {
    if (its == fate::keep_whole) {
      writer.next() += element;
    } else {
      select<Include>(element, below, writer.next());
    }
  }
  writer.end();
}

std::vector<path_steps> steps_of(std::span<const payload_path> paths) {
  std::vector<path_steps> steps;
  for (const payload_path& path : paths) {
    if (!path.steps.empty()) steps.push_back(path.steps);
  }
  return steps;
}

}  // namespace

std::string merge_payload(std::string_view stored, std::string_view changes,
                          const payload_path* key) {
  std::string out;
  out.reserve(stored.size() + changes.size() + 2);
  merge_at(stored, key != nullptr ? key->steps : path_steps{}, changes, out);
  return out;
}

std::string remove_payload_keys(std::string_view stored, std::span<const payload_path> keys) {
  std::string out;
  out.reserve(stored.size() + 2);
  remove_from(stored, steps_of(keys), out);
  return out;
}

std::string include_payload(std::string_view stored, std::span<const payload_path> paths) {
  if (paths.empty()) return "{}";
  std::string out;
  select<true>(stored, steps_of(paths), out);
  return out;
}

std::string exclude_payload(std::string_view stored, std::span<const payload_path> paths) {
  std::string out;
  out.reserve(stored.size() + 2);
  select<false>(stored, steps_of(paths), out);
  return out;
}

}  // namespace vexfs
