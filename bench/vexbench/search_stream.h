// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bench/vexbench/run_context.h"

namespace vexfs::bench {

/// The searches that go on while a step writes: the first stream of its load.
struct search_stream {
  std::optional<row_filter> filter;
  request_set requests;
  std::unique_ptr<set_source> source;
  stream sent;
};

[[nodiscard]] outcome<std::unique_ptr<search_stream>> make_search_stream(run_context& run,
                                                                         const search_step& how);

/// Appends the searches of one phase, with their recall against what was visible at the time;
/// `lives`: nullptr where all points were there all the time.
[[nodiscard]] outcome<void> report_searches(run_context& run, const search_step& how,
                                            const search_stream& searches, load_result& measured,
                                            const point_lives* lives, std::uint32_t phase,
                                            const std::string& name, step_report& to);

}  // namespace vexfs::bench
