// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/database/column.h"
#include "core/database/id_map.h"
#include "core/database/selection_cache.h"
#include "core/database/slot_table.h"
#include "core/device.h"
#include "core/filter/indexes.h"
#include "core/filter/point_source.h"
#include "core/io/epoch.h"
#include "core/io/mutex.h"
#include "core/io/read_guard.h"
#include "core/io/storage.h"
#include "core/model/collection_config.h"

namespace vexfs {

/// What a request for more vectors than a collection may have is answered.
[[nodiscard]] error too_many_vectors();

/// The coroutines that keep a collection's graphs, see linking.h. The owner core's.
struct background_linking {
  bool allowed = true;  // not before all logs were replayed, and not after the end
  bool runs_idle = false;
  bool runs_urgent = false;
  bool asked_again = false;  // while it ran
  std::string failure;       // why a graph could not be started; "" where it could
};

using column_map = std::map<std::string, std::shared_ptr<column>, std::less<>>;

/// One collection's truth. Its owner core writes it, under the exclusive side of `guard` wherever a
/// reader could see it; every core reads under the shared side. Vectors are read without the guard:
/// a slot that a search may hold is not reused before the search has left `readers`.
class collection final : public point_source, public std::enable_shared_from_this<collection> {
 public:
  /// `number` names the collection in logs and is never used again.
  [[nodiscard]] static result<std::unique_ptr<collection>> create(
      std::uint64_t number, std::string name, collection_config config, std::uint32_t owner_core,
      std::uint32_t core_count, device& machine, io::storage& disk);

  const std::uint64_t number;
  const std::string name;
  const std::uint32_t owner_core;
  device& machine;
  io::storage& disk;
  /// Older segments of the log hold nothing of this collection. Set before others see it.
  std::uint64_t first_segment = 0;

  mutable io::read_guard guard;  // of readers too
  io::epochs readers;
  mutable std::vector<selection_cache> selections;  // a core's own each

  // Under the guard.
  collection_config config;
  id_map id_to_slot;
  slot_table slots;
  column_map columns;
  field_indexes indexes;
  std::string failure;  // why the collection takes no writes any more; "" where it does

  // The owner's own.
  std::uint64_t last_sequence = 0;    // of the last operation put into the log
  io::mutex order;                    // operations get their sequence one after another
  std::uint64_t in_flight = 0;        // in the log, or on the way there, and not yet applied
  std::uint64_t slots_in_flight = 0;  // that these may take
  io::mutex apply_turn;               // and are applied in that order
  background_linking linking;         // of linking.h

  /// Changes whenever anything changes that `info` answers.
  std::atomic<std::uint64_t> info_version{1};
  /// Text of all payloads.
  std::atomic<std::uint64_t> payload_bytes{0};
  /// Sequence of the last operation that readers see.
  std::atomic<std::uint64_t> applied_sequence{0};
  /// Updates that wait or run.
  std::atomic<std::uint64_t> update_queue_length{0};

  /// The column of a dense or a multivector that is not there yet.
  [[nodiscard]] result<std::shared_ptr<column>> make_column(const std::string& vector_name,
                                                            const vector_params& params);

  /// Room on the disk for so many slots more, beside those in flight.
  [[nodiscard]] result<void> reserve(std::uint64_t slot_count);

  void touch_info() { info_version.fetch_add(1, std::memory_order_release); }

  /// Whether no column holds on to what it had in a retired slot.
  [[nodiscard]] bool is_free(slot_index slot) const;

  [[nodiscard]] std::shared_ptr<column> find_column(std::string_view vector_name) const {
    const auto found = columns.find(vector_name);
    return found == columns.end() ? nullptr : found->second;
  }

  // point_source
  [[nodiscard]] std::uint32_t slot_count() const override { return slots.limit(); }
  [[nodiscard]] bool live(std::uint32_t slot) const override { return slots.live(slot); }
  void live_words(std::uint32_t first_word, std::span<std::uint64_t> words) const override;
  void payloads(std::span<const std::uint32_t> wanted, std::string_view* texts) const override;
  void ids(std::span<const std::uint32_t> wanted, point_id* found) const override;
  [[nodiscard]] std::optional<std::uint32_t> find(const point_id& id) const override {
    return id_to_slot.find(id);
  }
  [[nodiscard]] bool has_vector(std::uint32_t slot, std::string_view vector_name) const override;

 private:
  collection(std::uint64_t given_number, std::string given_name, collection_config given_config,
             std::uint32_t owner, std::uint32_t core_count, device& given_machine,
             io::storage& given_disk);

  std::uint32_t row_files_made_ = 0;
};

}  // namespace vexfs
