// SPDX-License-Identifier: Apache-2.0
#include "core/database/collection_report.h"

#include <algorithm>
#include <cmath>

#include "core/base/limits.h"
#include "core/database/database.h"
#include "core/database/scroll.h"
#include "core/database/selection.h"
#include "core/database/slot_reading.h"
#include "core/database/vector_column.h"

namespace vexfs {
namespace {

/// Points that have the vector.
io::task<result<std::span<const record>>> sample(collection& source, std::string_view vector_name,
                                                 arena& memory) {
  const slot_reading held(source.readers);
  has_vector_condition has;
  has.name = vector_name;
  const auto conditions = memory.array<condition>(1);
  conditions[0] = has;
  filter with_vector;
  with_vector.must = conditions;
  auto selecting = select_points(source, &with_vector, memory);
  const selection selected = co_await selecting;
  const payload_selector no_payload;
  const vector_selector no_vector;
  auto sampling =
      sample_points(source, recall_sample_points, selected, no_payload, no_vector, memory);
  co_return co_await sampling;
}

/// The share of what scans find near some points that ordinary searches find too.
io::task<result<std::optional<double>>> sample_recall(database& data, std::string_view collection,
                                                      std::string_view vector_name,
                                                      std::span<const record> points,
                                                      arena& memory) {
  const auto requests = memory.array<query_request>(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    requests[i].what = nearest_query{points[i].id, {}};
    requests[i].using_vector = vector_name;
  }
  auto searching = data.query(collection, requests, memory);
  const auto found = co_await searching;
  if (!found) co_return std::unexpected(found.error());
  for (query_request& request : requests)
    request.params.exact = true;
  auto scanning = data.query(collection, requests, memory);
  const auto truth = co_await scanning;
  if (!truth) co_return std::unexpected(truth.error());
  std::size_t hits = 0;
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    wanted += (*truth)[i].size();
    for (const record& one : (*truth)[i])
      hits += static_cast<std::size_t>(std::ranges::count((*found)[i], one.id, &record::id));
  }
  if (wanted == 0) co_return std::optional<double>();
  co_return std::optional<double>(static_cast<double>(hits) / static_cast<double>(wanted));
}

}  // namespace

io::task<result<std::vector<vector_report>>> database::report(std::string_view name,
                                                              arena& memory) {
  const auto found = find(name);
  if (!found) co_return std::unexpected(found.error());
  collection& source = **found;
  std::vector<vector_report> reports;
  {
    const auto section = co_await io::read(source.guard);
    for (const auto& [vector_name, one] : source.columns) {
      if (one->kind() != vector_kind::dense) continue;
      const auto& dense = static_cast<const vector_column&>(*one);
      vector_report& made = reports.emplace_back();
      made.name = vector_name;
      made.vectors = dense.count();
      made.original_bytes = static_cast<std::uint32_t>(dense.vector_bytes());
      made.on_disk = !dense.in_memory();
      made.storage = dense.file().storage();
      made.device_bytes = dense.file().memory_bytes();
      if (const auto centre = dense.codes()->centre(); !centre.empty()) {
        double square = 0;
        for (const float value : centre)
          square += double{value} * value;
        made.centre_from_zero = std::sqrt(square);
      }
      made.graph = dense.file().graph();
      if (const std::uint64_t micros = dense.pace.micros.load(std::memory_order_relaxed))
        made.linked_per_second =
            static_cast<double>(dense.pace.vectors.load(std::memory_order_relaxed)) * 1e6 /
            static_cast<double>(micros);
    }
  }
  for (vector_report& made : reports) {
    if (!made.graph) continue;
    auto sampling = sample(source, made.name, memory);
    const auto points = co_await sampling;
    if (!points) co_return std::unexpected(points.error());
    auto comparing = sample_recall(*this, name, made.name, *points, memory);
    auto recall = co_await comparing;
    // A point or a vector that went meanwhile leaves nothing to say.
    if (recall) made.sampled_recall = *recall;
  }
  co_return reports;
}

}  // namespace vexfs
