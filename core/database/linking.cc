// SPDX-License-Identifier: Apache-2.0
#include "core/database/linking.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/limits.h"
#include "core/database/hnsw_settings.h"
#include "core/io/loop.h"
#include "core/io/slices.h"

namespace vexfs {
namespace {

using column_list = std::vector<std::shared_ptr<vector_column>>;

/// The columns that may have a graph, held while they are worked on.
column_list linkable_columns(const collection& target) {
  column_list found;
  for (const auto& [name, one] : target.columns) {
    if (one->kind() != vector_kind::dense) continue;
    found.push_back(std::static_pointer_cast<vector_column>(one));
  }
  return found;
}

bool wants_graph(const collection& target, const vector_column& dense) {
  const auto threshold = target.config.optimizers_config.indexing_threshold;
  if (threshold == 0 || hnsw_settings_of(target.config, dense.name()).m == 0) return false;
  return !is_scan_size(dense.count(), dense.dim(), threshold);
}

/// True where more than one in so many slots of the graph has died and no repair has begun to take
/// them out. A few are left where they are: taking them out reads the whole graph.
bool has_dead(const graph_state& state, std::uint64_t one_in) {
  const std::uint64_t dead = state.dead_count - state.dying_count;
  return dead * one_in > std::uint64_t{state.linked_count} + state.dead_count;
}

graph_config graph_config_of(const hnsw_settings& settings, std::uint32_t dim) {
  graph_config config;
  config.m = static_cast<std::uint32_t>(std::min<std::uint64_t>(settings.m, UINT32_MAX / 4));
  config.ef_construct =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(settings.ef_construct, search_ef_max));
  config.tail_max = tail_limit(dim);
  return config;
}

/// The one that vectors of before join.
std::optional<graph_state> newest_graph(const vector_file& file) {
  const auto next = file.next_graph();
  return next ? next : file.graph();
}
/// True while some of those have not.
bool is_being_joined(const vector_file& file) {
  const auto newest = newest_graph(file);
  return newest && !newest->complete;
}

/// What the settings ask for that is not begun.
enum class due : std::uint8_t { nothing, start, drop };
due due_of(const collection& target, const vector_column& dense) {
  const auto graph = dense.file().graph();
  const hnsw_settings settings = hnsw_settings_of(target.config, dense.name());
  if (graph && settings.m == 0) return due::drop;
  if (!wants_graph(target, dense)) return due::nothing;
  if (!graph) return due::start;
  const auto newest = newest_graph(dense.file());
  return newest && newest->config == graph_config_of(settings, dense.dim()) ? due::nothing
                                                                            : due::start;
}

/// Of both graphs, where one is made in the place of another.
std::uint32_t longest_tail(const vector_file& file) {
  const auto graph = file.graph();
  const auto next = file.next_graph();
  return std::max(graph ? graph->tail_count : 0, next ? next->tail_count : 0);
}
/// Where points would soon have to wait for slots, it is not put off until the usual part of the
/// graph has died.
bool wants_repair_first(const collection& target, const graph_state& graph) {
  return has_dead(graph, repair_one_in) && target.slots.is_short_by(graph.dead_count);
}
bool is_behind(const collection& target, const vector_column& dense) {
  if (due_of(target, dense) != due::nothing) return true;
  const auto graph = dense.file().graph();
  return graph &&
         (!graph->complete || dense.file().next_graph() || graph->tail_count > 0 ||
          graph->dying_count > 0 || has_dead(*graph, 16) || wants_repair_first(target, *graph));
}
bool is_far_behind(const vector_column& dense) {
  const auto graph = dense.file().graph();
  return longest_tail(dense.file()) > tail_limit(dense.dim()) / 2 || (graph && has_dead(*graph, 4));
}

/// Starts or drops a graph where that is due, and lets vectors of before it join. False: that is
/// still going on. Adds to `failure` why it does not.
bool advance_graph(collection& target, vector_column& dense, std::string& failure) {
  const due now = due_of(target, dense);
  if (now == due::drop) dense.file().drop_graph();
  if (now == due::start) {
    const hnsw_settings settings = hnsw_settings_of(target.config, dense.name());
    const auto started = dense.file().start_graph(graph_config_of(settings, dense.dim()));
    if (!started) failure = started.error().text;
  }
  return dense.file().adopt(adopt_step_rows, tail_limit(dense.dim()) / 2);
}

/// What a tail needs for points: as many vectors of before join with them.
std::uint64_t room_for(const vector_column& dense, std::uint64_t point_count) {
  static_assert(2 * apply_group_points <= tail_rows_min, "there is room at all");
  return is_being_joined(dense.file()) ? 2 * point_count : point_count;
}
void adopt_with(vector_file& file, std::uint32_t point_count) {
  if (!is_being_joined(file)) return;
  const std::uint32_t tail_count = newest_graph(file)->tail_count;
  [[maybe_unused]] const bool all = file.adopt(adopt_step_rows, tail_count + point_count);
}

/// Under the guard, since `info` tells it.
io::task<void> set_failure(collection& target, std::string failure) {
  if (failure == target.linking.failure) co_return;
  const auto section = co_await io::write(target.guard);
  target.linking.failure = std::move(failure);
  target.touch_info();
}

/// The last seconds count most.
void note_pace(vector_column::link_pace& pace, std::uint64_t vectors,
               io::clock_time::duration taken) {
  const auto micros = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(taken).count());
  const bool old = pace.micros.load(std::memory_order_relaxed) > link_pace_micros_max;
  const auto add = [&](std::atomic<std::uint64_t>& sum, std::uint64_t more) {
    const std::uint64_t kept = sum.load(std::memory_order_relaxed);
    sum.store((old ? kept / 2 : kept) + more, std::memory_order_relaxed);
  };
  add(pace.vectors, vectors);
  add(pace.micros, micros);
}

/// Items that take about as long as a slice may.
std::uint32_t slice_items(const vector_column& dense) {
  std::uint64_t ef_construct = 1;
  for (const auto& graph : {dense.file().graph(), dense.file().next_graph()})
    if (graph) ef_construct = std::max<std::uint64_t>(ef_construct, graph->config.ef_construct);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      link_slice_work / (ef_construct * (dense.dim() + 256)), 1, link_slice_items_max));
}

/// One round of slices on one column. How many items they did.
io::task<std::uint32_t> link_round(vector_column& dense, io::urgency when, link_order order) {
  std::atomic<std::uint32_t> done{0};
  const std::uint32_t items = slice_items(dense);
  // Held: the column may get others meanwhile.
  const std::shared_ptr<coded_rows> codes = dense.codes();
  auto slice = [&](std::uint32_t) {
    done.fetch_add(codes->file().link(items, order), std::memory_order_relaxed);
  };
  const auto linked_count = [&] {
    const auto graph = codes->file().graph();  // may be dropped meanwhile, or replaced
    return graph ? graph->linked_count : 0;
  };
  const std::uint32_t before = linked_count();
  const io::clock_time started = io::loop::current().now();
  auto linking = io::run_slices(io::loop::current().core_count() * link_round_slices, slice, when);
  co_await linking;
  const std::uint32_t after = linked_count();
  // What a round links shows when a batch ends, perhaps in a later one.
  if (done > 0)
    note_pace(dense.pace, after - std::min(before, after), io::loop::current().now() - started);
  co_return done.load(std::memory_order_relaxed);
}

/// A round on each column. True while there is more to do.
io::task<bool> link_columns(collection& target, std::uint32_t& done) {
  bool behind = false;
  std::string failure;
  const column_list columns = linkable_columns(target);
  for (const auto& dense : columns) {
    const bool adopted = advance_graph(target, *dense, failure);
    if (const auto graph = dense->file().graph()) {
      auto linking = link_round(
          *dense, io::urgency::when_idle,
          wants_repair_first(target, *graph) ? link_order::repair_first : link_order::usual);
      done += co_await linking;
    }
    behind = behind || !adopted || is_behind(target, *dense);
  }
  auto telling = set_failure(target, std::move(failure));
  co_await telling;
  co_return behind;
}

io::detached link_when_idle(std::shared_ptr<collection> target) {
  background_linking& state = target->linking;
  state.runs_idle = true;
  std::uint32_t rounds_in_vain = 0;
  for (bool behind = true; (behind || state.asked_again) && state.allowed;) {
    state.asked_again = false;
    std::uint32_t done = 0;
    auto linking = link_columns(*target, done);
    behind = co_await linking;
    if (done > 0) {
      rounds_in_vain = 0;
      target->touch_info();
      continue;
    }
    // Others do the last of a phase, before which the next cannot begin; or there is no memory, and
    // then the next write asks again.
    if (++rounds_in_vain > link_rounds_in_vain_max) break;
    if (behind)
      co_await io::loop::current().sleep_until(io::loop::current().now() +
                                               std::chrono::milliseconds(1));
  }
  state.runs_idle = false;
}

io::detached link_at_once(std::shared_ptr<collection> target) {
  background_linking& state = target->linking;
  state.runs_urgent = true;
  for (bool working = true; working && state.allowed;) {
    working = false;
    const column_list columns = linkable_columns(*target);
    for (const auto& dense : columns) {
      if (!is_far_behind(*dense)) continue;
      auto linking = link_round(*dense, io::urgency::somebody_waits, link_order::usual);
      working = co_await linking > 0 || working;
      target->touch_info();
    }
    // Requests of this core that came meanwhile.
    co_await io::loop::current().yield();
  }
  state.runs_urgent = false;
}

/// Ends some seconds after the last item of work.
class link_patience {
 public:
  [[nodiscard]] bool lasts(std::uint32_t items_done) {
    const io::clock_time now = io::loop::current().now();
    if (items_done > 0) end_ = now + std::chrono::seconds(link_patience_seconds);
    return now <= end_;
  }

 private:
  io::clock_time end_ = io::loop::current().now() + std::chrono::seconds(link_patience_seconds);
};

error no_memory_for_linking() {
  return {errc::insufficient_storage, "out of memory for linking vectors"};
}

/// Of both graphs: linking or repair may give slots back.
bool holds_slots(const vector_file& file) {
  const auto holds = [](const std::optional<graph_state>& graph) {
    return graph && (graph->tail_count > 0 || graph->dead_count > 0);
  };
  return holds(file.graph()) || holds(file.next_graph());
}

/// What gives slots back soonest: those that died in the tail come back by linking, too.
link_order order_for_slots(const vector_file& file) {
  const auto pays = [](const std::optional<graph_state>& graph) {
    return graph && (has_dead(*graph, repair_one_in) || graph->tail_count == 0);
  };
  return pays(file.graph()) || pays(file.next_graph()) ? link_order::repair_first
                                                       : link_order::usual;
}

}  // namespace

std::uint32_t tail_limit(std::uint32_t dim) {
  return static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(tail_code_bytes_max / dim, tail_rows_min, tail_rows_max));
}

void keep_linked(collection& target) {
  background_linking& state = target.linking;
  if (!state.allowed) return;
  bool behind = false;
  bool far_behind = false;
  for (const auto& [name, one] : target.columns) {
    if (one->kind() != vector_kind::dense) continue;
    const auto& dense = static_cast<const vector_column&>(*one);
    behind = behind || is_behind(target, dense);
    far_behind = far_behind || is_far_behind(dense);
  }
  state.asked_again = behind;
  if (behind && !state.runs_idle) link_when_idle(target.shared_from_this());
  if (far_behind && !state.runs_urgent) link_at_once(target.shared_from_this());
}

io::task<result<void>> make_room(collection& target, std::size_t point_count) {
  if (!target.linking.allowed) co_return result<void>{};
  const column_list columns = linkable_columns(target);
  const auto is_free = [&](slot_index slot) { return target.is_free(slot); };
  link_patience patience;
  // Writes are applied one after another, so nothing takes the room of this one meanwhile.
  for (const auto& dense : columns) {
    const std::uint64_t limit = tail_limit(dense->dim());
    while (longest_tail(dense->file()) + room_for(*dense, point_count) > limit) {
      auto linking = link_round(*dense, io::urgency::somebody_waits, link_order::usual);
      if (!patience.lasts(co_await linking)) co_return std::unexpected(no_memory_for_linking());
      co_await io::loop::current().yield();
    }
    adopt_with(dense->file(), static_cast<std::uint32_t>(point_count));
  }
  // What readers hold back is not waited for: one of them may stay for long, and a repair for each
  // group of points would give back nothing.
  while (target.linking.allowed && !target.slots.has_room(point_count, is_free) &&
         target.slots.has_held()) {
    bool some_held = false;
    std::uint32_t done = 0;
    for (const auto& dense : columns) {
      if (!holds_slots(dense->file())) continue;
      some_held = true;
      auto linking =
          link_round(*dense, io::urgency::somebody_waits, order_for_slots(dense->file()));
      done += co_await linking;
    }
    if (!some_held) break;
    if (!patience.lasts(done)) co_return std::unexpected(no_memory_for_linking());
    co_await io::loop::current().yield();
  }
  co_return result<void>{};
}

io::task<void> end_linking(collection& target) {
  background_linking& state = target.linking;
  state.allowed = false;
  // Not by yields: a core that yields is never idle, and would wait for slices that are for idle
  // ones.
  while (state.runs_idle || state.runs_urgent)
    co_await io::loop::current().sleep_until(io::loop::current().now() +
                                             std::chrono::milliseconds(1));
}

linking_progress progress_of(const collection& source, const vector_column& dense) {
  linking_progress progress;
  const auto graph = dense.file().graph();
  progress.wanted = graph || wants_graph(source, dense);
  progress.linked = graph ? std::min<std::uint64_t>(graph->linked_count, dense.count()) : 0;
  progress.waiting = progress.wanted ? dense.count() - progress.linked : 0;
  progress.pending = due_of(source, dense) != due::nothing ||
                     (graph && (!graph->complete || graph->tail_count > 0)) ||
                     dense.file().next_graph();
  return progress;
}

}  // namespace vexfs
