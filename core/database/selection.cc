// SPDX-License-Identifier: Apache-2.0
#include "core/database/selection.h"

#include "core/base/limits.h"
#include "core/filter/filter_plan.h"

namespace vexfs {

io::task<selection> select_points(const collection& source, const filter* what, arena& memory) {
  filter_plan plan(what, memory);
  for (;;) {
    {
      const auto section = co_await io::read(source.guard);
      if (plan.advance(source.indexes, source, filter_step_points)) break;
    }
    co_await io::loop::current().yield();
  }
  co_return selection{plan.allowed(), plan.count()};
}

}  // namespace vexfs
