// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/search_stream.h"

#include <vector>

namespace vexfs::bench {

outcome<std::unique_ptr<search_stream>> make_search_stream(run_context& run,
                                                           const search_step& how) {
  auto made = std::make_unique<search_stream>();
  if (how.search.filter) {
    auto compiled = run.data->compile(*how.search.filter);
    if (!compiled) return std::unexpected(std::move(compiled).error());
    made->filter = std::move(*compiled);
  }
  auto requests = encode_searches(run, how.search, made->filter ? &*made->filter : nullptr);
  if (!requests) return std::unexpected(std::move(requests).error());
  made->requests = std::move(*requests);
  made->source = std::make_unique<set_source>(made->requests, set_source::repeat::forever);
  auto sent = make_stream(run, how.how);
  if (!sent) return std::unexpected(std::move(sent).error());
  made->sent = std::move(*sent);
  made->sent.operations = {{.name = "search", .source = made->source.get()}};
  made->sent.samples_per_second = how.samples_per_second;
  return made;
}

outcome<void> report_searches(run_context& run, const search_step& how,
                              const search_stream& searches, load_result& measured,
                              const point_lives* lives, std::uint32_t phase,
                              const std::string& name, step_report& to) {
  operation_report made =
      report_of(measured, phase, 0, name, query_units(how.search), searches.sent);
  std::vector<const sample*> answers;
  for (const sample& each : measured.samples)
    if (each.kind == 0 && each.phase == phase) answers.push_back(&each);
  auto judged = judge_answers(run, how.search, searches.filter ? &*searches.filter : nullptr,
                              std::move(answers), lives);
  if (judged) made.recall = *judged;
  if (!made.recall) made.recall_note = "no answers were kept";
  to.operations.push_back(std::move(made));
  if (!judged) return std::unexpected(std::move(judged).error());
  return {};
}

}  // namespace vexfs::bench
