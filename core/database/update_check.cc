// SPDX-License-Identifier: Apache-2.0
#include "core/database/update_check.h"

#include <cmath>

namespace vexfs {
namespace {

result<void> check_vectors(const collection& target, std::span<const named_vector> vectors) {
  for (const named_vector& given : vectors) {
    if (target.config.sparse_vectors.contains(std::string(given.name))) {
      if (given.value.kind != vector_kind::sparse)
        return fail(errc::bad_input, "Expected a sparse vector for '" + std::string(given.name) + "'");
      return fail(errc::unsupported, "sparse vectors are not supported");
    }
    const auto column = target.column(given.name);
    if (!column) return std::unexpected(unknown_vector(given.name));
    if (given.value.kind == vector_kind::sparse)
      return fail(errc::bad_input,
                  "Expected a dense vector for '" + std::string(given.name) + "'");
    if (given.value.kind == vector_kind::multi)
      return fail(errc::unsupported, "multivectors are not supported");
    if (given.value.values.size() != column->dim())
      return fail(errc::bad_input, "Vector dimension error: expected dim: " +
                                       std::to_string(column->dim()) + ", got " +
                                       std::to_string(given.value.values.size()));
    for (const float value : given.value.values)
      if (!std::isfinite(value))
        return fail(errc::bad_input, "a vector holds a value that is not a finite number");
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
      if (!target.column(name) && !target.config.sparse_vectors.contains(std::string(name)))
        return std::unexpected(unknown_vector(name));
    }
    return {};
  }
  result<void> operator()(const create_vector_name& operation) const {
    const std::string name(operation.name);
    if (target.columns.contains(operation.name) || target.config.sparse_vectors.contains(name))
      return fail(errc::bad_input, "Vector with name '" + name + "' already exists");
    return {};
  }
  result<void> operator()(const delete_vector_name& operation) const {
    const std::string name(operation.name);
    if (!target.columns.contains(operation.name) && !target.config.sparse_vectors.contains(name))
      return std::unexpected(unknown_vector(operation.name));
    return {};
  }
  // These depend on points alone.
  result<void> operator()(const delete_points&) const { return {}; }
  result<void> operator()(const set_payload&) const { return {}; }
  result<void> operator()(const overwrite_payload&) const { return {}; }
  result<void> operator()(const delete_payload&) const { return {}; }
  result<void> operator()(const clear_payload&) const { return {}; }
  result<void> operator()(const create_field_index&) const { return {}; }
  result<void> operator()(const delete_field_index&) const { return {}; }
};

}  // namespace

error unknown_vector(std::string_view name) {
  return {errc::bad_input, "Not existing vector name error: " + std::string(name)};
}

result<void> check_update(const collection& target, const update_operation& operation) {
  if (!target.failure.empty()) return fail(errc::service, target.failure);
  return std::visit(checker{target}, operation);
}

}  // namespace vexfs
