// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/dataset.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bench/vexbench/json_text.h"
#include "bench/vexbench/random.h"
#include "bench/vexbench/vector_file.h"

namespace vexfs::bench {
namespace {

std::string_view bytes_of(const matrix& of) {
  return {reinterpret_cast<const char*>(of.values.data()), of.values.size() * sizeof(float)};
}

// Beside the data; made data have no place of their own.
std::string default_cache_folder(const data_spec& from) {
  namespace fs = std::filesystem;
  const fs::path beside = from.made
                              ? fs::temp_directory_path()
                              : fs::path(from.base.substr(0, from.base.rfind(':'))).parent_path();
  return beside / "vexbench-cache";
}

// Words that compress and tokenise like text, not like noise.
void append_text(std::uint32_t row, std::uint32_t bytes, std::string& out) {
  static constexpr std::string_view words[] = {"vector", "search", "point", "storage", "payload",
                                               "filter", "index",  "query", "nearest", "graph"};
  random_numbers numbers(row, 77);
  const std::size_t end = out.size() + bytes;
  while (out.size() < end) {
    out.append(words[numbers.below(std::size(words))]);
    out.append(std::to_string(numbers.below(1000))).push_back(' ');
  }
  out.resize(end);
}

std::string range_json(std::string_view field, std::string_view bounds) {
  return fmt::format(R"({{"must":[{{"key":{},"range":{{{}}}}}]}})", quoted_json(field), bounds);
}

}  // namespace

row_filter::row_filter(std::string json, std::vector<bool> passing)
    : json_{std::move(json)},
      passing_(std::move(passing)),
      pass_count_(static_cast<std::uint32_t>(std::ranges::count(passing_, true))) {}

row_filter::row_filter(const std::string& field, const locality& places,
                       std::vector<stretch> by_query)
    : places_(&places),
      by_query_(std::move(by_query)),
      pass_count_(by_query_.front().end - by_query_.front().begin) {
  for (const stretch& each : by_query_)
    json_.push_back(range_json(field, fmt::format(R"("gte":{},"lt":{})", each.begin, each.end)));
}

outcome<std::unique_ptr<dataset>> dataset::load(const data_spec& from, std::uint64_t seed,
                                                std::uint32_t threads,
                                                const std::string& cache_folder) {
  auto made = std::unique_ptr<dataset>(new dataset);
  made->spec_ = from;
  made->threads_ = threads;
  made->cache_folder_ = cache_folder.empty() ? default_cache_folder(from) : cache_folder;
  if (from.made) {
    recipe drawn = *from.made;
    drawn.points = std::min(drawn.points, from.points_max);
    drawn.queries = std::min(drawn.queries, from.queries_max);
    made_vectors vectors = generate(drawn);
    made->base_ = std::move(vectors.base);
    made->queries_ = std::move(vectors.queries);
  } else {
    auto base = read_vectors(from.base, from.points_max);
    if (!base) return std::unexpected(std::move(base).error());
    auto queries = read_vectors(from.queries, from.queries_max);
    if (!queries) return std::unexpected(std::move(queries).error());
    made->base_ = std::move(*base);
    made->queries_ = std::move(*queries);
  }
  if (made->base_.rows == 0 || made->queries_.rows == 0)
    return fail_with(exit_code::too_few_points,
                     fmt::format("too few points: {} points and {} queries", made->base_.rows,
                                 made->queries_.rows));
  if (made->base_.columns != made->queries_.columns)
    return bad_file(from.queries,
                    fmt::format("its vectors have {} values, those of {} have {}",
                                made->queries_.columns, from.base, made->base_.columns));
  for (const matrix* each : {&made->base_, &made->queries_})
    if (!std::ranges::all_of(each->values, [](float value) { return std::isfinite(value); }))
      return bad_file(each == &made->base_ ? from.base : from.queries,
                      "has values that are not finite numbers");
  made->search_ = std::make_unique<exact_search>(made->base_, from.distance);
  made->payload_bytes_ = from.payload_bytes;
  if (!from.payload.empty())
    if (auto loaded = made->load_payload(from.payload); !loaded)
      return std::unexpected(std::move(loaded).error());
  made->seed_ = seed;
  if (from.filter_fields) made->make_filter_fields();
  made->description_ = fmt::format(
      "{} points x {}, {} queries, {}, {} (hash {:016x})", made->base_.rows, made->base_.columns,
      made->queries_.rows, name_of(from.distance),
      from.made ? fmt::format("made: {}, seed {}", name_of(from.made->which), from.made->seed)
                : from.base,
      content_hash(bytes_of(made->base_)));
  return made;
}

outcome<void> dataset::load_payload(const std::string& file) {
  auto opened = file_bytes::open(file);
  if (!opened) return std::unexpected(std::move(opened).error());
  payload_file_ = std::make_unique<file_bytes>(std::move(*opened));
  std::string_view rest = payload_file_->view();
  while (!rest.empty() && lines_.size() < base_.rows) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines_.push_back(line);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  if (lines_.size() < base_.rows)
    return bad_file(file, fmt::format("has {} lines for {} points", lines_.size(), base_.rows));
  for (std::size_t row = 0; row < lines_.size(); ++row) {
    boost::system::error_code bad;
    if (!boost::json::parse(lines_[row], bad).is_object() || bad)
      return fail_with(exit_code::failed,
                       fmt::format("{}:{}: is not a JSON object", file, row + 1));
  }
  return {};
}

void dataset::make_filter_fields() {
  has_fields_ = true;
  random_numbers numbers(seed_, 5);
  const std::vector<std::uint32_t> order = shuffled(base_.rows, numbers);
  uniform_.resize(base_.rows);
  for (std::uint32_t place = 0; place < base_.rows; ++place)
    uniform_[order[place]] = place;
  (void)this->order();
}

const locality& dataset::order() {
  if (!order_) order_ = std::make_unique<locality>(base_, random_numbers(seed_, 6));
  return *order_;
}

void dataset::append_payload(std::uint32_t row, std::string& out) const {
  // The line's own fields first; all pieces are objects, so that their braces come off.
  out.push_back('{');
  bool is_first = true;
  const auto separate = [&] {
    if (!is_first) out.push_back(',');
    is_first = false;
  };
  if (!lines_.empty()) {
    std::string_view line = lines_[row];
    line = line.substr(line.find('{') + 1);
    line = line.substr(0, line.rfind('}'));
    if (line.find_first_not_of(" \t") != std::string_view::npos) {
      separate();
      out.append(line);
    }
  }
  if (payload_bytes_ > 0) {
    separate();
    out.append("\"text\":\"");
    append_text(row, payload_bytes_, out);
    out.push_back('"');
  }
  if (has_fields_) {
    separate();
    fmt::format_to(std::back_inserter(out), "\"uniform\":{},\"correlated\":{}", uniform_[row],
                   order_->place_of(row));
  }
  out.push_back('}');
}

outcome<row_filter> dataset::compile(const filter_spec& filter) const {
  if (filter.pass) {
    const auto count = static_cast<std::uint32_t>(std::lround(*filter.pass * base_.rows));
    if (filter.field == "correlated") return compile_stretches(filter.where, count);
    std::vector<bool> passing(base_.rows);
    for (std::uint32_t row = 0; row < base_.rows; ++row)
      passing[row] = uniform_[row] < count;
    return row_filter(range_json(filter.field, fmt::format(R"("lt":{})", count)),
                      std::move(passing));
  }
  if (lines_.empty())
    return fail_with(exit_code::usage,
                     fmt::format("the filter on '{}' needs data.payload", filter.field));
  // As the API has it: a condition holds for an array where it holds for one of its values.
  const auto holds = [&](const boost::json::value& value) {
    if (filter.below) {
      return value.is_number() && value.to_number<double>() < static_cast<double>(*filter.below);
    }
    return value.is_string() && std::string_view(value.get_string()) == *filter.equals;
  };
  std::vector<bool> passing(base_.rows);
  for (std::uint32_t row = 0; row < base_.rows; ++row) {
    const boost::json::value line = boost::json::parse(lines_[row]);
    const boost::json::value* value = line.get_object().if_contains(filter.field);
    if (!value) continue;
    passing[row] =
        value->is_array() ? std::ranges::any_of(value->get_array(), holds) : holds(*value);
  }
  return row_filter(filter.below
                        ? range_json(filter.field, fmt::format(R"("lt":{})", *filter.below))
                        : fmt::format(R"({{"must":[{{"key":{},"match":{{"value":{}}}}}]}})",
                                      quoted_json(filter.field), quoted_json(*filter.equals)),
                    std::move(passing));
}

row_filter dataset::compile_stretches(filter_place where, std::uint32_t count) const {
  std::vector<row_filter::stretch> by_query;
  for (std::uint32_t query = 0; query < queries_.rows; ++query) {
    std::uint32_t begin = 0;
    if (where != filter_place::fixed) {
      const std::uint32_t place = order_->place_near(queries_.row(query));
      const std::uint32_t last = base_.rows - count;  // where the last stretch begins
      begin = where == filter_place::near ? std::min(place - std::min(place, count / 2), last)
              : place < base_.rows / 2    ? last
                                          : 0;
    }
    by_query.push_back({begin, begin + count});
  }
  return row_filter("correlated", *order_, std::move(by_query));
}

outcome<const index_matrix*> dataset::neighbours(std::uint32_t count) {
  if (truth_.columns >= count) return &truth_;
  // The data set's own truth is for all of its points.
  if (!spec_.truth.empty() && spec_.points_max == UINT32_MAX && truth_source_.empty()) {
    auto given = read_indices(spec_.truth, queries_.rows);
    if (!given) return std::unexpected(std::move(given).error());
    if (given->rows < queries_.rows)
      return bad_file(spec_.truth,
                      fmt::format("has {} rows for {} queries", given->rows, queries_.rows));
    if (std::ranges::any_of(given->values, [&](std::uint32_t row) { return row >= base_.rows; }))
      return bad_file(spec_.truth, "names points that are not in the base");
    truth_ = std::move(*given);
    truth_source_ = spec_.truth;
    if (truth_.columns >= count) return &truth_;
  }
  truth computed =
      compute_truth(*search_, queries_, std::max(count, 100U), threads_, cache_folder_);
  truth_ = std::move(computed.rows);
  truth_source_ = computed.file.empty() ? "computed; no folder to keep it in"
                  : computed.was_cached ? "computed before, in " + computed.file
                                        : "computed, kept in " + computed.file;
  return &truth_;
}

}  // namespace vexfs::bench
