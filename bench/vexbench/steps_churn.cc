// SPDX-License-Identifier: Apache-2.0
// The steps that write points again while they search: churn, update.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "bench/vexbench/random.h"
#include "bench/vexbench/run_context.h"
#include "bench/vexbench/search_stream.h"

namespace vexfs::bench {
namespace {

std::string resident(const run_context& run) {
  if (!run.server_pid) return cannot_tell;
  const auto bytes = cost_of(*run.server_pid, "").resident_bytes;
  return bytes ? fmt::format("{:.1f}", static_cast<double>(*bytes) / 1e6) : cannot_tell;
}

// The rows of one round, in the order in which they go.
std::vector<std::uint32_t> choose(run_context& run, churn_choice choice, std::uint32_t count,
                                  random_numbers& numbers) {
  const std::uint32_t present = run.present_count;
  std::vector<std::uint32_t> chosen;
  if (choice == churn_choice::random) {
    chosen = shuffled(present, numbers);
    chosen.resize(count);
    return chosen;
  }
  // A stretch of the order of places; around its end, where points stand that are not there yet.
  const locality& order = run.data->order();
  const std::uint32_t rows = run.data->base().rows;
  for (auto place = static_cast<std::uint32_t>(numbers.below(rows)); chosen.size() < count;
       place = (place + 1) % rows)
    if (const std::uint32_t row = order.row_at(place); row < present) chosen.push_back(row);
  return chosen;
}

template <class Encode>
outcome<request_set> encode(std::span<const std::uint32_t> rows, std::uint32_t batch,
                            const Encode& encode_rows) {
  request_set made;
  for (std::size_t begin = 0; begin < rows.size(); begin += batch) {
    const auto part = rows.subspan(begin, std::min<std::size_t>(batch, rows.size() - begin));
    made.add(encode_rows(part), static_cast<std::uint32_t>(part.size()));
    if (auto fits = check_size(made); !fits) return std::unexpected(std::move(fits).error());
  }
  return made;
}

/// One round of a churn: its own load, in which nothing else is written.
class churn_round {
 public:
  churn_round(run_context& run, const churn_step& how, const search_stream& searches,
              std::uint32_t number)
      : run_(run), how_(how), searches_(searches), number_(number) {}

  outcome<void> play(std::vector<std::uint32_t> rows, step_report& to) {
    rows_ = std::move(rows);
    auto deletes =
        encode(rows_, how_.batch, [&](auto part) { return run_.encoder->remove(part, how_.wait); });
    if (!deletes) return std::unexpected(std::move(deletes).error());
    auto inserts =
        encode(rows_, how_.batch, [&](auto part) { return run_.encoder->upsert(part, how_.wait); });
    if (!inserts) return std::unexpected(std::move(inserts).error());
    set_source going(*deletes, set_source::repeat::once);
    set_source coming(*inserts, set_source::repeat::once);
    auto writes = make_stream(run_, how_.how);
    if (!writes) return std::unexpected(std::move(writes).error());
    writes->operations = {{.name = "delete", .source = &going, .is_write = true}};
    stream back = *writes;
    back.operations = {{.name = "put back", .source = &coming, .is_write = true}};

    load running(run_.server, {searches_.sent, *writes, back}, run_.load_options());
    if (auto started = running.start(); !started) return started;
    running.set_active(0, true);
    running.set_active(1, true);
    drive_end end = drive(run_, running, named("delete", to), std::nullopt, 1);
    if (end == drive_end::exhausted) {
      running.set_active(2, true);
      end = drive(run_, running, named("put back", to), std::nullopt, 2);
    }
    const std::optional<failure> bad = running.failed();
    load_result measured = running.finish();
    take_rest(to, measured);
    auto reported = report(measured, *writes, to);
    if (bad) return std::unexpected(*bad);
    if (end == drive_end::interrupted) return fail_with(exit_code::interrupted, "interrupted");
    return reported;
  }

 private:
  std::string named(std::string_view what, const step_report& to) const {
    return fmt::format("{}, {}, round {}", to.name, what, number_);
  }

  outcome<void> report(load_result& measured, const stream& writes, step_report& to) {
    point_lives lives(run_.data->base().rows, run_.present_count);
    for (const write_event& each : measured.writes) {
      const std::size_t begin = std::size_t{each.tag} * how_.batch;
      for (std::size_t index = begin; index < std::min(rows_.size(), begin + how_.batch); ++index)
        lives.add(rows_[index],
                  each.kind == 1 ? point_lives::write::remove : point_lives::write::insert,
                  each.sent_ns, how_.wait ? each.answered_ns : INT64_MAX);
    }
    auto reported = report_searches(run_, how_.search, searches_, measured, &lives, 0,
                                    fmt::format("search, round {}", number_), to);
    const std::string units = fmt::format("points, {} a request, wait={}", how_.batch, how_.wait);
    for (const std::uint32_t kind : {1U, 2U})
      to.operations.push_back(report_of(
          measured, 0, kind,
          fmt::format("{}, round {}", kind == 1 ? "delete" : "put back", number_), units, writes));
    return reported;
  }

  run_context& run_;
  const churn_step& how_;
  const search_stream& searches_;
  const std::uint32_t number_;
  std::vector<std::uint32_t> rows_;
};

/// How many of the points that are there a share of them is.
outcome<std::uint32_t> taking_part(const run_context& run, double share) {
  const auto count = static_cast<std::uint32_t>(std::lround(share * run.present_count));
  if (count == 0)
    return fail_with(
        exit_code::too_few_points,
        fmt::format("too few points: {} are there, none of them take part", run.present_count));
  return count;
}

}  // namespace

outcome<void> run_step(run_context& run, const churn_step& how, step_report& to) {
  const auto count = taking_part(run, how.share);
  if (!count) return std::unexpected(count.error());
  auto searches = make_search_stream(run, how.search);
  if (!searches) return std::unexpected(std::move(searches).error());
  random_numbers numbers(run.plan.seed, 9);
  to.facts.emplace_back("resident MB, before", resident(run));
  step_meter meter(run);
  outcome<void> ended;
  for (std::uint32_t number = 1; number <= how.rounds && ended; ++number) {
    ended = churn_round(run, how, **searches, number)
                .play(choose(run, how.choice, *count, numbers), to);
    if (ended) ended = await_points(run, how.wait, to);
    to.facts.emplace_back(fmt::format("resident MB, after round {}", number), resident(run));
  }
  meter.end(to);
  return ended;
}

outcome<void> run_step(run_context& run, const update_step& how, step_report& to) {
  const auto count = taking_part(run, how.share);
  if (!count) return std::unexpected(count.error());
  auto searches = make_search_stream(run, how.search);
  if (!searches) return std::unexpected(std::move(searches).error());
  random_numbers numbers(run.plan.seed, 10);
  std::vector<std::uint32_t> rows = shuffled(run.present_count, numbers);
  rows.resize(*count);
  // Not powers of two: a server that brings vectors to unit length gets other digits, too.
  static constexpr std::array factors{1.25F, 1.5F, 1.75F};
  request_set requests;
  for (const float factor : factors) {
    auto part = encode(rows, how.batch,
                       [&](auto some) { return run.encoder->upsert(some, how.wait, factor); });
    if (!part) return std::unexpected(std::move(part).error());
    for (std::uint32_t index = 0; index < part->count(); ++index)
      requests.add(part->at(index).bytes, part->at(index).unit_count);
  }
  set_source source(requests, set_source::repeat::forever);
  auto writes = make_stream(run, how.how);
  if (!writes) return std::unexpected(std::move(writes).error());
  writes->operations = {{.name = "update", .source = &source, .is_write = true}};

  to.facts.emplace_back("resident MB, before", resident(run));
  step_meter meter(run);
  load running(run.server, {(*searches)->sent, *writes}, run.load_options());
  if (auto started = running.start(); !started) return started;
  running.set_active(0, true);
  running.set_active(1, true);
  (void)drive(run, running, to.name, how.seconds, std::nullopt);
  const std::optional<failure> bad = running.failed();
  load_result measured = running.finish();
  take_rest(to, measured);
  meter.end(to);
  to.facts.emplace_back("resident MB, after", resident(run));

  const point_lives some(run.data->base().rows, run.present_count);
  const bool all_there = run.present_count == run.data->base().rows;
  auto reported = report_searches(run, how.search, **searches, measured,
                                  all_there ? nullptr : &some, 0, "search", to);
  to.operations.push_back(
      report_of(measured, 0, 1, "update",
                fmt::format("points, {} a request, wait={}", how.batch, how.wait), *writes));
  if (bad) return std::unexpected(*bad);
  if (!reported) return reported;
  return await_points(run, how.wait, to);
}

}  // namespace vexfs::bench
