// SPDX-License-Identifier: Apache-2.0
#include "core/database/selection.h"

#include "core/base/limits.h"
#include "core/filter/filter_key.h"
#include "core/filter/filter_plan.h"

namespace vexfs {

io::task<selection> select_points(const collection& source, const filter* what, arena& memory) {
  const auto key = what ? filter_key(*what) : std::nullopt;
  auto selecting = select_points(source, what, key, memory);
  co_return co_await selecting;
}

io::task<selection> select_points(const collection& source, const filter* what,
                                  std::optional<std::string_view> key, arena& memory) {
  selection_cache& cache = source.selections[io::loop::current().core_index()];
  known_bits known;
  if (key) known = cache.find(*key);
  if (!known.words.empty()) known.words = memory.copy(known.words);  // others may keep()
  filter_plan plan =
      known.words.empty() ? filter_plan(what, memory) : filter_plan(what, known, memory);
  for (;;) {
    {
      const auto section = co_await io::read(source.guard);
      if (plan.advance(source.indexes, source, filter_step_points)) break;
    }
    co_await io::loop::current().yield();
  }
  if (key && plan.known().changes_seen != known.changes_seen) cache.keep(*key, plan.known());
  co_return selection{plan.allowed(), plan.count()};
}

}  // namespace vexfs
