// SPDX-License-Identifier: Apache-2.0
#include "core/database/update_check.h"

#include "core/base/limits.h"
#include "core/filter/field_index.h"

namespace vexfs {
namespace {

result<void> check_vectors(const collection& target, std::span<const named_vector> vectors) {
  for (const named_vector& given : vectors) {
    const auto column = target.find_column(given.name);
    if (!column) return std::unexpected(unknown_vector(given.name));
    VEXFS_CHECK(column->check(given.value));
  }
  return {};
}

struct checker {
  const collection& target;

  result<void> operator()(const upsert_points& operation) const {
    for (const point_struct& point : operation.points)
      VEXFS_CHECK(check_vectors(target, point.vectors));
    return {};
  }
  result<void> operator()(const update_vectors& operation) const {
    for (const point_vectors& point : operation.points)
      VEXFS_CHECK(check_vectors(target, point.vectors));
    return {};
  }
  result<void> operator()(const delete_vectors& operation) const {
    for (const std::string_view name : operation.names) {
      if (!target.find_column(name)) return std::unexpected(unknown_vector(name));
    }
    return {};
  }
  result<void> operator()(const create_vector_name& operation) const {
    if (target.find_column(operation.name))
      return fail(errc::bad_input,
                  "Vector with name '" + std::string(operation.name) + "' already exists");
    if (target.columns.size() >= vector_names_max) return std::unexpected(too_many_vectors());
    return {};
  }
  result<void> operator()(const delete_vector_name& operation) const {
    if (!target.find_column(operation.name)) return std::unexpected(unknown_vector(operation.name));
    return {};
  }
  // These depend on points alone.
  result<void> operator()(const delete_points&) const { return {}; }
  result<void> operator()(const set_payload&) const { return {}; }
  result<void> operator()(const overwrite_payload&) const { return {}; }
  result<void> operator()(const delete_payload&) const { return {}; }
  result<void> operator()(const clear_payload&) const { return {}; }
  result<void> operator()(const create_field_index& operation) const {
    // Parameters that are refused are refused here, before the log knows of them.
    if (auto made = field_index::create(operation.schema->params); !made)
      return std::unexpected(std::move(made).error());
    return {};
  }
  result<void> operator()(const delete_field_index&) const { return {}; }
};

}  // namespace

result<void> check_update(const collection& target, const update_operation& operation) {
  if (!target.failure.empty()) return fail(errc::service, target.failure);
  return std::visit(checker{target}, operation);
}

}  // namespace vexfs
