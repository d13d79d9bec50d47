// SPDX-License-Identifier: Apache-2.0
#include "core/io/simulated_storage.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <random>

#include "core/base/assert.h"
#include "core/io/loop.h"

namespace vexfs::io {
namespace {

constexpr std::size_t sector_bytes = 512;

using bytes_vector = std::vector<std::byte>;
using random_source = std::mt19937_64;

std::uint64_t below(random_source& random, std::uint64_t bound) {
  return random() % bound;
}

/// One change of a file's bytes since its last sync.
struct file_change {
  std::uint64_t number;  // counts all changes of the disk, upwards
  std::uint64_t offset;  // of a write; the new size of a truncation
  bytes_vector bytes;
  bool truncates = false;
};

void put(bytes_vector& content, std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  std::memcpy(content.data() + offset, bytes.data(), bytes.size());
}

void apply(bytes_vector& content, const file_change& change) {
  if (change.truncates)
    content.resize(change.offset);
  else
    put(content, change.offset, change.bytes);
}

/// What a power cut leaves of a write: some of its sectors, one of them perhaps in part.
void apply_torn(bytes_vector& content, const file_change& change, std::uint64_t kept_of_8,
                random_source& random) {
  std::size_t begin = 0;
  while (begin < change.bytes.size()) {
    const std::size_t to_boundary = sector_bytes - (change.offset + begin) % sector_bytes;
    const std::size_t end = std::min(begin + to_boundary, change.bytes.size());
    std::size_t length = end - begin;
    if (below(random, 8) == 0) length = below(random, length + 1);
    if (below(random, 8) < kept_of_8)
      put(content, change.offset + begin, std::span(change.bytes).subspan(begin, length));
    begin = end;
  }
}

std::pair<std::string_view, std::string_view> split_last(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {{}, path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::unexpected<error> failure(errc code, std::string_view what, std::string_view path) {
  return fail(code, "simulated disk: " + std::string(what) + " '" + std::string(path) + "'");
}

}  // namespace

/// A file or a directory, twice: as a program sees it, and as it is on the medium.
struct simulated_storage::node {
  using entries = std::map<std::string, std::shared_ptr<node>, std::less<>>;
  struct entry_change {
    std::string name;
    std::shared_ptr<node> target;  // nullptr: removed
  };

  bool directory = false;

  bytes_vector content;
  bytes_vector synced;
  std::vector<file_change> unsynced;

  entries names;
  entries synced_names;
  // Changes that reach the medium together (a rename has two), oldest first.
  std::vector<std::vector<entry_change>> unsynced_names;

  static void apply_names(entries& to, const std::vector<entry_change>& changes) {
    for (const entry_change& change : changes) {
      if (change.target)
        to[change.name] = change.target;
      else
        to.erase(change.name);
    }
  }
  void change_names(std::vector<entry_change> changes) {
    apply_names(names, changes);
    unsynced_names.push_back(std::move(changes));
  }
};

struct simulated_storage::state {
  mutable std::mutex lock;  // protects everything here and in the nodes
  random_source random;
  std::shared_ptr<node> root = std::make_shared<node>();
  std::uint64_t change_count = 0;
  std::uint64_t call_count = 0;
  std::uint64_t sync_count = 0;
  std::uint64_t failing_call = 0;  // 0: none
  errc failing_code = errc::service;
  std::uint64_t capacity_bytes = UINT64_MAX;
  std::uint64_t generation = 0;  // of the process that opened files

  explicit state(std::uint64_t seed) : random(seed) { root->directory = true; }

  std::optional<errc> next_call() {
    if (++call_count != failing_call) return std::nullopt;
    return failing_code;
  }

  std::shared_ptr<node> find(std::string_view path) const {
    std::shared_ptr<node> at = root;
    while (!path.empty()) {
      const auto slash = path.find('/');
      const std::string_view name = path.substr(0, slash);
      path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
      if (name.empty() || name == ".") continue;
      if (!at->directory) return nullptr;
      const auto found = at->names.find(name);
      if (found == at->names.end()) return nullptr;
      at = found->second;
    }
    return at;
  }
  std::shared_ptr<node> find_directory(std::string_view path) const {
    auto found = find(path);
    return found && found->directory ? found : nullptr;
  }

  static std::uint64_t used_bytes(const node& at) {
    std::uint64_t sum = at.content.size();
    for (const auto& [name, child] : at.names)
      sum += used_bytes(*child);
    return sum;
  }
  std::uint64_t free_bytes() const {
    const std::uint64_t used = used_bytes(*root);
    return used < capacity_bytes ? capacity_bytes - used : 0;
  }

  void write(node& to, std::uint64_t offset, std::span<const std::byte> bytes) {
    put(to.content, offset, bytes);
    to.unsynced.push_back({++change_count, offset, {bytes.begin(), bytes.end()}});
  }

  static void remove_names(node& from) {
    while (!from.names.empty()) {
      const auto child = *from.names.begin();
      if (child.second->directory) remove_names(*child.second);
      from.change_names({{child.first, nullptr}});
    }
  }

  void cut_power(node& at, std::uint64_t kept_of_8) {
    if (at.directory) {
      const std::uint64_t kept = below(random, at.unsynced_names.size() + 1);
      for (std::uint64_t i = 0; i < kept; ++i)
        node::apply_names(at.synced_names, at.unsynced_names[i]);
      at.names = at.synced_names;
      at.unsynced_names.clear();
      for (const auto& [name, child] : at.names)
        cut_power(*child, kept_of_8);
      return;
    }
    for (const file_change& change : at.unsynced) {
      if (below(random, 8) >= kept_of_8) continue;
      if (change.truncates)
        apply(at.synced, change);
      else
        apply_torn(at.synced, change, kept_of_8, random);
    }
    at.content = at.synced;
    at.unsynced.clear();
  }
};

class simulated_storage::open_file final : public file {
 public:
  open_file(state& disk, std::shared_ptr<node> opened, std::string path, bool writable)
      : disk_(disk),
        node_(std::move(opened)),
        path_(std::move(path)),
        writable_(writable),
        generation_(disk.generation) {}

  result<std::uint64_t> size_bytes() override {
    const std::lock_guard held(disk_.lock);
    VEXFS_CHECK(begin_call("size of"));
    return node_->content.size();
  }

  result<std::size_t> read(std::uint64_t offset, std::span<std::byte> buffer) override {
    const std::lock_guard held(disk_.lock);
    VEXFS_CHECK(begin_call("read"));
    if (offset >= node_->content.size()) return 0;
    const std::size_t count = std::min<std::size_t>(buffer.size(), node_->content.size() - offset);
    std::memcpy(buffer.data(), node_->content.data() + offset, count);
    return count;
  }

  task<result<void>> read_parts(std::span<const read_part> parts) override {
    for (const read_part& part : parts) {
      std::uint64_t turns = 0;
      {
        const std::lock_guard held(disk_.lock);
        turns = below(disk_.random, 4);
      }
      if (loop* here = loop::current_or_null())
        for (; turns > 0; --turns)
          co_await here->yield();
      const auto count = read(part.offset, part.into);
      if (!count) co_return std::unexpected(count.error());
      if (*count < part.into.size()) co_return failure(errc::service, "too short:", path_);
    }
    co_return result<void>{};
  }

  result<void> write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const std::lock_guard held(disk_.lock);
    if (!writable_) return failure(errc::service, "opened for reading only:", path_);
    if (auto begun = begin_call("write"); !begun) {
      if (generation_ == disk_.generation)
        disk_.write(*node_, offset, bytes.first(below(disk_.random, bytes.size() + 1)));
      return begun;
    }
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t size = node_->content.size();
    if (end > size && end - size > disk_.free_bytes()) {
      const std::uint64_t end_possible = size + disk_.free_bytes();
      if (end_possible > offset) disk_.write(*node_, offset, bytes.first(end_possible - offset));
      return failure(errc::insufficient_storage, "no space left to write", path_);
    }
    disk_.write(*node_, offset, bytes);
    return {};
  }

  task<result<void>> sync() override {
    std::uint64_t covered = 0;
    std::uint64_t turns = 0;
    {
      const std::lock_guard held(disk_.lock);
      covered = disk_.change_count;
      turns = below(disk_.random, 4);
      if (auto begun = begin_sync(covered); !begun) co_return begun;
    }
    if (loop* here = loop::current_or_null())
      for (; turns > 0; --turns)
        co_await here->yield();
    co_return end_sync(covered);
  }

  result<void> sync_now() override {
    std::uint64_t covered = 0;
    {
      const std::lock_guard held(disk_.lock);
      covered = disk_.change_count;
      VEXFS_CHECK(begin_sync(covered));
    }
    return end_sync(covered);
  }

  result<void> truncate(std::uint64_t size_bytes) override {
    const std::lock_guard held(disk_.lock);
    return resize("truncate", size_bytes);
  }

  result<void> reserve(std::uint64_t size_bytes) override {
    const std::lock_guard held(disk_.lock);
    return resize("reserve room in", std::max<std::uint64_t>(size_bytes, node_->content.size()));
  }

 private:
  result<void> resize(std::string_view what, std::uint64_t size_bytes) {
    if (!writable_) return failure(errc::service, "opened for reading only:", path_);
    VEXFS_CHECK(begin_call(what));
    if (size_bytes > node_->content.size() &&
        size_bytes - node_->content.size() > disk_.free_bytes())
      return failure(errc::insufficient_storage, "no space left to grow", path_);
    node_->content.resize(size_bytes);
    node_->unsynced.push_back({++disk_.change_count, size_bytes, {}, true});
    return {};
  }

  result<void> begin_call(std::string_view what) {
    if (generation_ != disk_.generation) return failure(errc::service, "its process ended:", path_);
    if (const auto code = disk_.next_call()) return failure(*code, what, path_);
    return {};
  }

  // What a failed sync should have saved counts as clean afterwards and is never written.
  result<void> begin_sync(std::uint64_t covered) {
    auto begun = begin_call("sync");
    if (!begun && generation_ == disk_.generation)
      std::erase_if(node_->unsynced,
                    [&](const file_change& change) { return change.number <= covered; });
    return begun;
  }

  result<void> end_sync(std::uint64_t covered) {
    const std::lock_guard held(disk_.lock);
    if (generation_ != disk_.generation) return failure(errc::service, "its process ended:", path_);
    for (const file_change& change : node_->unsynced)
      if (change.number <= covered) apply(node_->synced, change);
    std::erase_if(node_->unsynced,
                  [&](const file_change& change) { return change.number <= covered; });
    ++disk_.sync_count;
    return {};
  }

  state& disk_;
  const std::shared_ptr<node> node_;
  const std::string path_;
  const bool writable_;
  const std::uint64_t generation_;
};

simulated_storage::simulated_storage(std::uint64_t seed) : state_(std::make_unique<state>(seed)) {}
simulated_storage::~simulated_storage() = default;

void simulated_storage::crash(std::uint64_t seed) {
  const std::lock_guard held(state_->lock);
  state_->random.seed(seed);
  ++state_->generation;
  // All, nothing, or a share of the unsynced bytes: extremes find what an even mixture never does.
  constexpr std::array<std::uint64_t, 5> shares_of_8{0, 1, 4, 7, 8};
  state_->cut_power(*state_->root, shares_of_8[below(state_->random, shares_of_8.size())]);
}

void simulated_storage::kill() {
  const std::lock_guard held(state_->lock);
  ++state_->generation;
}

void simulated_storage::fail_call(std::uint64_t n, errc code) {
  const std::lock_guard held(state_->lock);
  VEXFS_ASSERT(n > 0);
  state_->failing_call = state_->call_count + n;
  state_->failing_code = code;
}

void simulated_storage::set_capacity_bytes(std::uint64_t capacity) {
  const std::lock_guard held(state_->lock);
  state_->capacity_bytes = capacity;
}

result<void> simulated_storage::flip_bit(std::string_view path, std::uint64_t bit_offset) {
  const std::lock_guard held(state_->lock);
  const auto found = state_->find(path);
  const std::uint64_t offset = bit_offset / 8;
  if (!found || offset >= found->content.size())
    return failure(errc::not_found, "no such bit in", path);
  const auto bit = static_cast<std::byte>(1U << (bit_offset % 8));
  found->content[offset] ^= bit;
  if (offset < found->synced.size()) found->synced[offset] ^= bit;
  return {};
}

std::uint64_t simulated_storage::call_count() const {
  const std::lock_guard held(state_->lock);
  return state_->call_count;
}

std::uint64_t simulated_storage::sync_count() const {
  const std::lock_guard held(state_->lock);
  return state_->sync_count;
}

result<std::unique_ptr<file>> simulated_storage::open(std::string_view path, open_mode mode) {
  const std::lock_guard held(state_->lock);
  if (const auto code = state_->next_call()) return failure(*code, "open", path);
  auto found = state_->find(path);
  if (found && mode == open_mode::create) return failure(errc::already_exists, "exists", path);
  if (found && found->directory) return failure(errc::service, "a directory:", path);
  if (!found) {
    const auto [parent_path, name] = split_last(path);
    const auto parent = state_->find_directory(parent_path);
    const bool creates = mode == open_mode::create || mode == open_mode::create_or_open;
    if (!creates || !parent || name.empty()) return failure(errc::not_found, "no file", path);
    found = std::make_shared<node>();
    parent->change_names({{std::string(name), found}});
  }
  return std::make_unique<open_file>(*state_, std::move(found), std::string(path),
                                     mode != open_mode::read);
}

result<bool> simulated_storage::exists(std::string_view path) {
  const std::lock_guard held(state_->lock);
  if (const auto code = state_->next_call()) return failure(*code, "access", path);
  return state_->find(path) != nullptr;
}

result<std::vector<std::string>> simulated_storage::list(std::string_view directory) {
  const std::lock_guard held(state_->lock);
  if (const auto code = state_->next_call()) return failure(*code, "list", directory);
  std::vector<std::string> names;
  if (const auto found = state_->find_directory(directory))
    for (const auto& [name, child] : found->names)
      names.push_back(name);
  return names;
}

result<void> simulated_storage::make_directories(std::string_view directory) {
  const std::lock_guard held(state_->lock);
  if (const auto code = state_->next_call()) return failure(*code, "create", directory);
  std::shared_ptr<node> at = state_->root;
  while (!directory.empty()) {
    const auto slash = directory.find('/');
    const std::string_view name = directory.substr(0, slash);
    directory = slash == std::string_view::npos ? std::string_view{} : directory.substr(slash + 1);
    if (name.empty()) continue;
    auto next = at->names.find(name);
    if (next == at->names.end()) {
      auto made = std::make_shared<node>();
      made->directory = true;
      at->change_names({{std::string(name), made}});
      next = at->names.find(name);
    }
    if (!next->second->directory) return failure(errc::service, "a file is in the way:", name);
    at = next->second;
  }
  return {};
}

result<void> simulated_storage::rename(std::string_view from, std::string_view to) {
  const std::lock_guard held(state_->lock);
  if (const auto code = state_->next_call()) return failure(*code, "rename", from);
  const auto [from_parent_path, from_name] = split_last(from);
  const auto [to_parent_path, to_name] = split_last(to);
  const auto moved = state_->find(from);
  const auto from_parent = state_->find_directory(from_parent_path);
  const auto to_parent = state_->find_directory(to_parent_path);
  if (!moved || !to_parent) return failure(errc::not_found, "rename", from);
  if (const auto there = state_->find(to); there && there->directory && !there->names.empty())
    return failure(errc::service, "a directory is in the way:", to);
  if (from_parent == to_parent) {
    to_parent->change_names({{std::string(from_name), nullptr}, {std::string(to_name), moved}});
  } else {
    to_parent->change_names({{std::string(to_name), moved}});
    from_parent->change_names({{std::string(from_name), nullptr}});
  }
  return {};
}

result<void> simulated_storage::remove(std::string_view path) {
  const std::lock_guard held(state_->lock);
  if (const auto code = state_->next_call()) return failure(*code, "remove", path);
  const auto found = state_->find(path);
  if (!found) return failure(errc::not_found, "remove", path);
  if (found->directory) return failure(errc::service, "a directory:", path);
  const auto [parent_path, name] = split_last(path);
  state_->find_directory(parent_path)->change_names({{std::string(name), nullptr}});
  return {};
}

result<void> simulated_storage::remove_tree(std::string_view directory) {
  const std::lock_guard held(state_->lock);
  if (const auto code = state_->next_call()) return failure(*code, "remove", directory);
  const auto found = state_->find(directory);
  if (!found || found == state_->root) return {};
  if (found->directory) state::remove_names(*found);
  const auto [parent_path, name] = split_last(directory);
  state_->find_directory(parent_path)->change_names({{std::string(name), nullptr}});
  return {};
}

result<void> simulated_storage::sync_directory(std::string_view directory) {
  const std::lock_guard held(state_->lock);
  if (const auto code = state_->next_call()) return failure(*code, "sync", directory);
  const auto found = state_->find_directory(directory);
  if (!found) return failure(errc::not_found, "no directory", directory);
  for (const auto& changes : found->unsynced_names)
    node::apply_names(found->synced_names, changes);
  found->unsynced_names.clear();
  return {};
}

result<std::uint64_t> simulated_storage::free_bytes() {
  const std::lock_guard held(state_->lock);
  return state_->free_bytes();
}

}  // namespace vexfs::io
