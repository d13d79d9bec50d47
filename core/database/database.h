// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/catalogue.h"
#include "core/database/collection_report.h"
#include "core/database/wal.h"
#include "core/device.h"
#include "core/io/loop.h"
#include "core/io/mutex.h"
#include "core/io/storage.h"
#include "core/io/task.h"
#include "core/model/collection_config.h"
#include "core/model/query.h"
#include "core/model/update.h"

// The database as the front end sees it. One `database` per process; every call is made on any core
// and continues there; requests and results live in the arena that is passed, which must live until
// the task has ended. Requests have been validated by themselves (ranges, shapes); what depends on
// the data (does the collection exist, does the dimension fit) is checked here.
namespace vexfs {

enum class collection_status : std::uint8_t { green, yellow, grey, red };

struct payload_index_info {
  std::string field;
  payload_field_schema schema;
  std::uint64_t points = 0;
};

struct vector_column_info {
  std::string name;
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;    // of dense originals
  bool on_disk = false;       // where these are
  std::uint64_t waiting = 0;  // vectors that are to be linked
};

/// What GET /collections/{name} is printed from, and what telemetry says of it.
struct collection_info {
  collection_status status = collection_status::green;
  std::string optimizer_error;  // "" is "ok"
  std::uint64_t points_count = 0;
  std::uint64_t indexed_vectors_count = 0;
  std::uint64_t segments_count = 1;
  std::uint64_t update_queue_length = 0;
  collection_config config;
  std::vector<payload_index_info> payload_schema;
  std::vector<vector_column_info> vectors;
  std::uint64_t payload_bytes = 0;
  std::uint64_t applied_sequence = 0;
};

struct alias_description {
  std::string alias;
  std::string collection;
};

struct create_alias {
  std::string collection, alias;
};
struct delete_alias {
  std::string alias;
};
struct rename_alias {
  std::string from, to;
};
using alias_action = std::variant<create_alias, delete_alias, rename_alias>;

struct write_options {
  bool wait = false;
};

struct database_config {
  std::uint64_t max_collections = UINT64_MAX;
  collection_config collection_defaults;  // storage.* keys: merged under every collection's config
};

class database {
 public:
  /// Reads the catalogue and starts new log segments; blocks. Called before the loops run.
  [[nodiscard]] static result<std::unique_ptr<database>> open(io::storage& disk, device& vectors,
                                                              const database_config& config,
                                                              std::uint32_t core_count);
  ~database();

  /// On every core, before any request: replays the logs of the collections that the core owns.
  [[nodiscard]] io::task<result<void>> recover();

  /// On every core, after the last request: makes the core's log durable.
  [[nodiscard]] io::task<result<void>> close();

  // Collections. Answered after every core sees the change.
  [[nodiscard]] io::task<result<void>> create_collection(std::string name,
                                                         collection_config config);
  [[nodiscard]] io::task<result<void>> change_collection(std::string name,
                                                         collection_change change);
  /// false: there was none of that name (aliases are not resolved).
  [[nodiscard]] io::task<result<bool>> delete_collection(std::string name);
  [[nodiscard]] io::task<result<void>> change_aliases(std::vector<alias_action> actions);
  [[nodiscard]] std::vector<std::string> collection_names();
  [[nodiscard]] std::vector<alias_description> aliases();
  /// Resolves aliases, as everything below does.
  [[nodiscard]] bool exists(std::string_view name);
  [[nodiscard]] io::task<result<collection_info>> info(std::string_view name);
  /// Changes whenever anything that `info` answers may have changed; nothing where there is no such
  /// collection. What a front end caches is valid while this stays equal. Cheap; any core.
  [[nodiscard]] std::optional<std::uint64_t> info_version(std::string_view name);

  // Points.
  [[nodiscard]] io::task<result<update_result>> update(std::string_view collection,
                                                       const update_operation& operation,
                                                       write_options options, arena& memory);
  [[nodiscard]] io::task<result<std::span<const record>>> retrieve(std::string_view collection,
                                                                   const retrieve_request& request,
                                                                   arena& memory);
  [[nodiscard]] io::task<result<scroll_result>> scroll(std::string_view collection,
                                                       const scroll_request& request,
                                                       arena& memory);
  [[nodiscard]] io::task<result<std::uint64_t>> count(std::string_view collection,
                                                      const count_request& request, arena& memory);
  /// One result list per request, in order; one failing request fails all.
  [[nodiscard]] io::task<result<std::span<const std::span<const record>>>> query(
      std::string_view collection, std::span<const query_request> requests, arena& memory);
  [[nodiscard]] io::task<result<std::span<const point_group>>> query_groups(
      std::string_view collection, const group_request& request, arena& memory);
  [[nodiscard]] io::task<result<matrix_result>> distance_matrix(std::string_view collection,
                                                                const matrix_request& request,
                                                                arena& memory);
  /// What is behind the API's words for each dense vector. Searches a sample of points, by scans
  /// too.
  [[nodiscard]] io::task<result<std::vector<vector_report>>> report(std::string_view collection,
                                                                    arena& memory);
  [[nodiscard]] io::task<result<std::span<const facet_hit>>> facet(std::string_view collection,
                                                                   const facet_request& request,
                                                                   arena& memory);

 private:
  database(io::storage& disk, device& vectors, const database_config& config,
           std::uint32_t core_count);

  /// This core's view; changes only between turns.
  [[nodiscard]] const catalogue_view& view() const;
  [[nodiscard]] result<std::shared_ptr<collection>> find(std::string_view name) const;
  /// On core 0, under catalogue_order_: writes the catalogue file. The settings of a collection are
  /// its owner's, who may be changing them.
  [[nodiscard]] io::task<result<void>> store(const catalogue_view& names);
  /// The same, and hands the changed catalogue to every core.
  [[nodiscard]] io::task<result<void>> publish(std::shared_ptr<const catalogue_view> changed);

  [[nodiscard]] io::task<result<void>> create_on_core_0(std::string name, collection_config config);
  [[nodiscard]] io::task<result<void>> change_on_core_0(std::string name, collection_change change);
  [[nodiscard]] io::task<result<bool>> delete_on_core_0(std::string name);
  [[nodiscard]] io::task<result<void>> change_aliases_on_core_0(std::vector<alias_action> actions);
  [[nodiscard]] io::task<result<update_result>> update_on_owner(collection& target,
                                                                const update_operation& operation,
                                                                write_options options,
                                                                arena& memory);

  io::storage& disk_;
  device& device_;
  const database_config config_;
  std::uint64_t next_number_ = 1;
  std::uint64_t segment_number_ = 1;        // of the logs of this life
  io::mutex catalogue_order_;               // of core 0
  std::vector<std::unique_ptr<wal>> logs_;  // per core
  struct alignas(64) core_state {
    std::shared_ptr<const catalogue_view> view;
  };
  std::vector<core_state> cores_;
};

}  // namespace vexfs
