// SPDX-License-Identifier: Apache-2.0
#include "core/database/database.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/database/config_merge.h"
#include "core/database/linking.h"
#include "core/database/log_record.h"
#include "core/database/row_file.h"
#include "core/database/update_apply.h"
#include "core/database/update_check.h"
#include "core/database/update_resolve.h"

namespace vexfs {
namespace {

constexpr std::uint64_t segment_read_bytes_max = 64ULL << 30;

std::unexpected<error> no_collection(std::string_view name) {
  return fail(errc::not_found, "Collection `" + std::string(name) + "` doesn't exist!");
}

/// Segment files by number, then core: within one number every collection is in one file.
struct segment_file {
  std::uint64_t number;
  std::uint32_t core;
  std::string path;
};

std::optional<segment_file> parse_segment_name(const std::string& name) {
  const auto dash = name.find('-');
  if (dash == std::string::npos || !name.ends_with(".log")) return std::nullopt;
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const std::string core = name.substr(0, dash);
  const std::string number = name.substr(dash + 1, name.size() - dash - 5);
  if (!digits(core) || !digits(number) || core.size() > 9 || number.size() > 20)
    return std::nullopt;
  return segment_file{std::stoull(number), static_cast<std::uint32_t>(std::stoul(core)),
                      "wal/" + name};
}

result<std::vector<segment_file>> list_segments(io::storage& disk) {
  std::vector<segment_file> segments;
  VEXFS_TRY(const auto names, disk.list("wal"));
  for (const std::string& name : names)
    if (auto parsed = parse_segment_name(name)) segments.push_back(std::move(*parsed));
  std::ranges::sort(segments, [](const segment_file& left, const segment_file& right) {
    return std::pair(left.number, left.core) < std::pair(right.number, right.core);
  });
  return segments;
}

/// How many cores the life had that wrote the segments of a number.
std::uint32_t core_count_of(std::span<const segment_file> segments, std::uint64_t number) {
  std::uint32_t count = 0;
  for (const segment_file& segment : segments)
    if (segment.number == number) count = std::max(count, segment.core + 1);
  return count;
}

/// So many slots an operation takes at most: a point whose vectors change moves.
std::uint64_t new_slots_of(const update_operation& operation) {
  if (const auto* upsert = std::get_if<upsert_points>(&operation)) return upsert->points.size();
  if (const auto* update = std::get_if<update_vectors>(&operation)) return update->points.size();
  return 0;
}

/// Counts an update as waiting or running for as long as it lives.
class queued_update {
 public:
  explicit queued_update(collection& target) : target_(target) {
    target_.update_queue_length.fetch_add(1, std::memory_order_relaxed);
    target_.touch_info();
  }
  queued_update(const queued_update&) = delete;
  ~queued_update() {
    target_.update_queue_length.fetch_sub(1, std::memory_order_relaxed);
    target_.touch_info();
  }

 private:
  collection& target_;
};

}  // namespace

database::database(io::storage& disk, device& vectors, const database_config& config,
                   std::uint32_t core_count)
    : disk_(disk), device_(vectors), config_(config), cores_(core_count) {}

database::~database() = default;

result<std::unique_ptr<database>> database::open(io::storage& disk, device& vectors,
                                                 const database_config& config,
                                                 std::uint32_t core_count) {
  auto opened = std::unique_ptr<database>(new database(disk, vectors, config, core_count));
  // Left by a process that was killed.
  VEXFS_CHECK(disk.remove_tree(row_file::directory));
  VEXFS_CHECK(disk.make_directories("wal"));
  VEXFS_CHECK(disk.sync_directory(""));
  VEXFS_TRY(auto stored, load_catalogue(disk));
  opened->next_number_ = stored.next_number;
  auto view = std::make_shared<catalogue_view>();
  for (catalogue_entry& entry : stored.collections) {
    const auto owner = static_cast<std::uint32_t>(entry.number % core_count);
    VEXFS_TRY(auto loaded, collection::create(entry.number, entry.name, std::move(entry.config),
                                              owner, core_count, vectors, disk));
    loaded->first_segment = entry.first_segment;
    loaded->linking.allowed = false;  // until its log has been replayed
    view->collections.emplace(entry.name, std::move(loaded));
  }
  view->aliases = std::move(stored.aliases);
  for (core_state& core : opened->cores_)
    core.view = view;

  VEXFS_TRY(const auto segments, list_segments(disk));
  const std::uint64_t number = segments.empty() ? 1 : segments.back().number + 1;
  opened->segment_number_ = number;
  for (const segment_file& segment : segments)
    if (segment.number + 1 == number)
      VEXFS_CHECK(seal_segment(disk, segment.path, segment_read_bytes_max));
  for (std::uint32_t core = 0; core < core_count; ++core) {
    VEXFS_TRY(auto log, wal::open(disk, core, number));
    opened->logs_.push_back(std::move(log));
  }
  return opened;
}

io::task<result<void>> database::recover() {
  const std::uint32_t here = io::loop::current().core_index();
  std::map<std::uint64_t, collection*> owned;
  for (const auto& [name, kept] : view().collections)
    if (kept->owner_core == here) owned.emplace(kept->number, kept.get());
  auto segments = list_segments(disk_);
  if (!segments) co_return std::unexpected(std::move(segments).error());
  arena memory;  // the records of one segment
  arena work;    // what applying one of them needs
  decoded_settings settings;
  for (std::size_t i = 0; i < segments->size(); ++i) {
    auto content = io::read_file(disk_, (*segments)[i].path, segment_read_bytes_max);
    if (!content) co_return std::unexpected(std::move(content).error());
    std::vector<logged> records;
    const auto state = read_segment(
        {reinterpret_cast<const char*>(content->data()), content->size()},
        [&](const logged& found) {
          if (owned.contains(found.collection))
            records.push_back({found.collection, found.sequence, memory.copy(found.bytes)});
        });
    for (const logged& found : records) {
      collection& target = *owned.at(found.collection);
      if (found.sequence <= target.last_sequence || !target.failure.empty()) continue;
      target.last_sequence = found.sequence;
      work.reset();
      const auto decoded = decode_update(found.bytes, settings, work);
      if (!decoded) {
        target.failure = "the log of this collection is damaged: " + decoded.error().text;
        continue;
      }
      auto applying = apply_update(target, *decoded, found.sequence, work);
      const auto applied = co_await applying;
      if (!applied) target.failure = "replay failed: " + applied.error().text;
      target.applied_sequence.store(found.sequence, std::memory_order_relaxed);
    }
    // Records that cannot be told apart any more may have been anybody's whom that core owned.
    if (state.damaged || state.torn) {
      const segment_file& damaged = (*segments)[i];
      const std::uint32_t cores = core_count_of(*segments, damaged.number);
      for (const auto& [number, target] : owned)
        if (number % cores == damaged.core && target->first_segment <= damaged.number)
          target->failure = "the log file " + damaged.path + " is damaged";
    }
    memory.reset();
  }
  for (const auto& [number, target] : owned) {
    target->linking.allowed = true;
    keep_linked(*target);
  }
  co_return result<void>{};
}

io::task<result<void>> database::close() {
  // Held: who deletes a collection now puts another view in the place of this one.
  const auto names = cores_[io::loop::current().core_index()].view;
  for (const auto& [name, kept] : names->collections) {
    if (kept->owner_core != io::loop::current().core_index()) continue;
    auto ending = end_linking(*kept);
    co_await ending;
  }
  auto closing = logs_[io::loop::current().core_index()]->close();
  co_return co_await closing;
}

const catalogue_view& database::view() const {
  return *cores_[io::loop::current().core_index()].view;
}

result<std::shared_ptr<collection>> database::find(std::string_view name) const {
  if (const auto* found = view().find(name)) return *found;
  return no_collection(name);
}

io::task<result<void>> database::store(const catalogue_view& names) {
  catalogue_file stored;
  stored.next_number = next_number_;
  stored.aliases = names.aliases;
  for (const auto& [name, kept] : names.collections) {
    const auto section = co_await io::read(kept->guard);
    stored.collections.push_back({kept->number, kept->first_segment, name, kept->config});
  }
  co_return save_catalogue(disk_, stored);
}

io::task<result<void>> database::publish(std::shared_ptr<const catalogue_view> changed) {
  auto storing = store(*changed);
  VEXFS_CHECK_CO(co_await storing);
  for (std::uint32_t core = 0; core < cores_.size(); ++core) {
    co_await io::call_on(core, [&] {
      cores_[core].view = changed;
      return true;
    });
  }
  co_return result<void>{};
}

io::task<result<void>> database::create_collection(std::string name, collection_config config) {
  co_return co_await io::call_on(0, [&] { return create_on_core_0(name, config); });
}

io::task<result<void>> database::create_on_core_0(std::string name, collection_config config) {
  const auto lock = co_await catalogue_order_.acquire();
  const catalogue_view& current = view();
  if (current.collections.contains(name))
    co_return fail(errc::already_exists, "Collection `" + name + "` already exists!");
  if (current.aliases.contains(name))
    co_return fail(errc::bad_input, "Can't create collection with name " + name +
                                        ". Alias with the same name already exists");
  if (current.collections.size() >= config_.max_collections)
    co_return fail(errc::bad_request, "Can't create more than " +
                                          std::to_string(config_.max_collections) + " collections");
  for (const auto& [vector_name, params] : config.vectors.params) {
    if (config.sparse_vectors.contains(vector_name))
      co_return fail(errc::bad_input,
                     "Dense and sparse vector names must be unique - duplicate found with '" +
                         vector_name + "'");
  }
  apply_defaults(config, config_.collection_defaults);
  const std::uint64_t number = next_number_++;
  auto made = collection::create(number, name, std::move(config),
                                 static_cast<std::uint32_t>(number % cores_.size()),
                                 static_cast<std::uint32_t>(cores_.size()), device_, disk_);
  if (!made) co_return std::unexpected(std::move(made).error());
  (*made)->first_segment = segment_number_;
  auto changed = std::make_shared<catalogue_view>(current);
  changed->collections.emplace(name, std::move(*made));
  auto publishing = publish(std::move(changed));
  co_return co_await publishing;
}

io::task<result<void>> database::change_collection(std::string name, collection_change change) {
  co_return co_await io::call_on(0, [&] { return change_on_core_0(name, change); });
}

io::task<result<void>> database::change_on_core_0(std::string name, collection_change change) {
  const auto lock = co_await catalogue_order_.acquire();
  auto found = find(name);
  if (!found) co_return std::unexpected(std::move(found).error());
  collection& target = **found;
  const auto merged = co_await io::call_on(target.owner_core, [&]() -> io::task<result<void>> {
    result<void> outcome;
    {
      const auto section = co_await io::write(target.guard);
      outcome = merge_change(target.config, change);
      target.touch_info();
    }
    keep_linked(target);
    co_return outcome;
  });
  if (!merged) co_return merged;
  auto storing = store(view());
  co_return co_await storing;
}

io::task<result<bool>> database::delete_collection(std::string name) {
  co_return co_await io::call_on(0, [&] { return delete_on_core_0(name); });
}

io::task<result<bool>> database::delete_on_core_0(std::string name) {
  const auto lock = co_await catalogue_order_.acquire();
  auto changed = std::make_shared<catalogue_view>(view());
  const auto found = changed->collections.find(name);
  if (found == changed->collections.end()) co_return false;
  const std::shared_ptr<collection> dropped = found->second;
  changed->collections.erase(found);
  std::erase_if(changed->aliases, [&](const auto& alias) { return alias.second == name; });
  // Those who still use the collection hold it until they have ended.
  auto publishing = publish(std::move(changed));
  VEXFS_CHECK_CO(co_await publishing);
  co_await io::call_on(dropped->owner_core, [&] { return end_linking(*dropped); });
  co_return true;
}

io::task<result<void>> database::change_aliases(std::vector<alias_action> actions) {
  co_return co_await io::call_on(0, [&] { return change_aliases_on_core_0(actions); });
}

io::task<result<void>> database::change_aliases_on_core_0(std::vector<alias_action> actions) {
  const auto lock = co_await catalogue_order_.acquire();
  auto changed = std::make_shared<catalogue_view>(view());
  // An error half-way leaves the earlier actions applied, as the contract has it.
  result<void> outcome;
  for (const alias_action& action : actions) {
    if (const auto* create = std::get_if<create_alias>(&action)) {
      if (!changed->collections.contains(create->collection))
        outcome = no_collection(create->collection);
      else if (changed->collections.contains(create->alias))
        outcome = fail(errc::already_exists, "Collection `" + create->alias + "` already exists!");
      else
        changed->aliases[create->alias] = create->collection;
    } else if (const auto* remove = std::get_if<delete_alias>(&action)) {
      changed->aliases.erase(remove->alias);
    } else {
      const auto& rename = std::get<rename_alias>(action);
      const auto found = changed->aliases.find(rename.from);
      if (found == changed->aliases.end()) {
        outcome = fail(errc::not_found, "Alias " + rename.from + " does not exists!");
      } else if (changed->collections.contains(rename.to)) {
        outcome = fail(errc::already_exists, "Collection `" + rename.to + "` already exists!");
      } else {
        std::string target = std::move(found->second);
        changed->aliases.erase(found);
        changed->aliases[rename.to] = std::move(target);
      }
    }
    if (!outcome) break;
  }
  auto publishing = publish(std::move(changed));
  VEXFS_CHECK_CO(co_await publishing);
  co_return outcome;
}

std::vector<std::string> database::collection_names() {
  std::vector<std::string> names;
  for (const auto& [name, kept] : view().collections)
    names.push_back(name);
  return names;
}

std::vector<alias_description> database::aliases() {
  std::vector<alias_description> listed;
  for (const auto& [alias, target] : view().aliases)
    listed.push_back({alias, target});
  return listed;
}

bool database::exists(std::string_view name) {
  return view().find(name) != nullptr;
}

std::optional<std::uint64_t> database::info_version(std::string_view name) {
  const auto* found = view().find(name);
  if (!found) return std::nullopt;
  // The number makes versions of a collection of the same name, made later, different.
  return (*found)->number << 40 ^ (*found)->info_version.load(std::memory_order_acquire);
}

io::task<result<collection_info>> database::info(std::string_view name) {
  auto found = find(name);
  if (!found) co_return std::unexpected(std::move(found).error());
  collection& source = **found;
  const auto section = co_await io::read(source.guard);
  collection_info info;
  info.config = source.config;
  info.points_count = source.id_to_slot.size();
  for (const auto& [vector_name, column] : source.columns) {
    vector_column_info& one = info.vectors.emplace_back();
    one.name = vector_name;
    one.count = column->count();
    one.bytes = column->count() * column->vector_bytes();
    if (column->kind() == vector_kind::sparse) info.indexed_vectors_count += column->count();
    if (column->kind() == vector_kind::dense) {
      const auto& dense = static_cast<const vector_column&>(*column);
      one.on_disk = !dense.in_memory();
      const auto progress = progress_of(source, dense);
      info.indexed_vectors_count += progress.linked;
      if (progress.pending) {
        info.status = collection_status::yellow;
        one.waiting = progress.waiting;
      }
    }
  }
  info.payload_bytes = source.payload_bytes.load(std::memory_order_relaxed);
  info.applied_sequence = source.applied_sequence.load(std::memory_order_relaxed);
  info.update_queue_length = source.update_queue_length.load(std::memory_order_relaxed);
  if (!source.failure.empty()) {
    info.status = collection_status::red;
    info.optimizer_error = source.failure;
  } else {
    info.optimizer_error = source.linking.failure;
  }
  for (const std::string_view field : source.indexes.fields())
    info.payload_schema.push_back(
        {std::string(field), *source.indexes.schema(field), source.indexes.points_count(field)});
  co_return info;
}

io::task<result<update_result>> database::update(std::string_view name,
                                                 const update_operation& operation,
                                                 write_options options, arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& target = **found;
  if (target.owner_core == io::loop::current().core_index()) {
    auto updating = update_on_owner(target, operation, options, memory);
    co_return co_await updating;
  }
  co_return co_await io::call_on(
      target.owner_core, [&] { return update_on_owner(target, operation, options, memory); });
}

io::task<result<update_result>> database::update_on_owner(collection& target,
                                                          const update_operation& operation,
                                                          write_options options, arena& memory) {
  const queued_update queued(target);
  wal& log = *logs_[target.owner_core];
  update_operation resolved = operation;
  std::uint64_t sequence = 0;
  std::uint64_t new_slots = 0;
  {
    // Checked, resolved and put into the log in one order; the write itself is shared by all that
    // are put in the same turn.
    const auto lock = co_await target.order.acquire();
    VEXFS_CHECK_CO(check_update(target, operation));
    if (depends_on_points(operation)) {
      while (target.in_flight != 0)
        co_await io::loop::current().yield();
      auto resolving = resolve_update(target, operation, memory);
      auto outcome = co_await resolving;
      if (!outcome) {
        // Without wait nobody is there to be told: the operation was taken, and has no effect.
        if (!options.wait && outcome.error().code == errc::not_found)
          co_return update_result{target.last_sequence, update_status::acknowledged};
        co_return std::unexpected(std::move(outcome).error());
      }
      resolved = *outcome;
    }
    new_slots = new_slots_of(resolved);
    VEXFS_CHECK_CO(target.reserve(new_slots));
    sequence = ++target.last_sequence;
    ++target.in_flight;
    target.slots_in_flight += new_slots;
    std::string record;
    encode_update(resolved, record);
    log.put({target.number, sequence, record});
  }
  auto writing = log.written();
  const auto written = co_await writing;
  if (!written) {
    --target.in_flight;
    target.slots_in_flight -= new_slots;
    co_return std::unexpected(written.error());
  }
  {
    const auto turn = co_await target.apply_turn.acquire();
    auto applying = apply_update(target, resolved, sequence, memory);
    const auto applied = co_await applying;
    --target.in_flight;
    target.slots_in_flight -= new_slots;
    target.applied_sequence.store(sequence, std::memory_order_relaxed);
    if (!applied) {
      const auto section = co_await io::write(target.guard);
      target.failure = applied.error().text;
      target.touch_info();
      co_return std::unexpected(applied.error());
    }
  }
  if (!options.wait) co_return update_result{sequence, update_status::acknowledged};
  auto syncing = log.sync();
  VEXFS_CHECK_CO(co_await syncing);
  co_return update_result{sequence, update_status::completed};
}

}  // namespace vexfs
