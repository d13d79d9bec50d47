// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "core/base/arena.h"
#include "core/base/result.h"
#include "core/database/catalogue.h"
#include "core/database/searcher.h"
#include "core/io/task.h"
#include "core/model/query.h"

namespace vexfs {

/// Turns queries by example into searches: ids into the vectors of their points (of this collection
/// or of another one), vector names into columns, examples into what the column compares with.
class query_resolver {
 public:
  query_resolver(std::shared_ptr<const catalogue_view> names, std::shared_ptr<collection> source,
                 arena& memory)
      : names_(std::move(names)), source_(std::move(source)), memory_(memory) {}

  /// The points that a query and its prefetches take vectors from: no answers to it. Points of
  /// another collection are not among them.
  [[nodiscard]] std::span<const point_id> references(const query_request& request) const;

  /// The search of one stage, by example; its selectors and limits are the request's.
  [[nodiscard]] io::task<result<nearest_search>> resolve(const query_request& request,
                                                         std::span<const point_id> excluded);

 private:
  struct origin;
  /// The collection that the query's points are in.
  [[nodiscard]] result<std::shared_ptr<collection>> origin_of(const query_request& request) const;
  /// The vectors of all inputs of a query, in the order that they are visited in.
  [[nodiscard]] io::task<result<std::span<const vector_value>>> find_inputs(
      const query_request& request, const column& compared) const;
  [[nodiscard]] result<vector_value> find(const vector_input& given, const origin& from,
                                          row_reads& reads) const;
  [[nodiscard]] result<void> take_examples(const query_kind& what,
                                           std::span<const vector_value> inputs,
                                           nearest_search& search) const;
  [[nodiscard]] result<void> prepare(nearest_search& search) const;
  [[nodiscard]] io::task<result<void>> weigh(const query_request& request, nearest_search& search);

  const std::shared_ptr<const catalogue_view> names_;
  const std::shared_ptr<collection> source_;
  arena& memory_;
};

/// By example and in one stage: what search_nearest() answers whole.
[[nodiscard]] bool is_one_search(const query_request& request);
/// By example, in however many stages.
[[nodiscard]] bool is_by_example(const query_kind& what);

}  // namespace vexfs
