// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_vector.h"

#include <algorithm>

#include "core/base/limits.h"

namespace vexfs::rest {
namespace {

std::span<const float> decode_floats(decoder& in, const node& value) {
  return in.each<float>(in.array(value), [&](const node& item) { return in.f32(item); });
}

vector_value decode_multi(decoder& in, const node& value, std::string_view path) {
  vector_value multi;
  multi.kind = vector_kind::multi;
  multi.row_count = static_cast<std::uint32_t>(value.items.size());
  const std::size_t dim = value.items.front().items.size();
  std::size_t total = 0;
  for (const node& row : value.items)
    total += in.array(row).size();
  if (in.failed()) return multi;
  const auto values = in.memory.array<float>(total);
  std::size_t count = 0;
  for (const node& row : value.items) {
    if (row.items.empty())
      in.invalid(std::string(path) + ".data", "all vectors must be non-empty");
    else if (row.items.size() != dim)
      in.invalid(std::string(path) + ".data",
                 "all vectors must have the same dimension, found vector with dimension " +
                     std::to_string(row.items.size()));
    for (const node& item : row.items)
      values[count++] = in.f32(item);
  }
  if (total >= multivector_floats_max)
    in.invalid(std::string(path) + ".data", "Total size of all vectors (" + std::to_string(total) +
                                                ") must be less than " +
                                                std::to_string(multivector_floats_max));
  multi.values = values;
  return multi;
}

vector_value decode_sparse(decoder& in, const node& value, std::string_view path) {
  vector_value sparse;
  sparse.kind = vector_kind::sparse;
  const node* indices = in.required(value, "indices");
  const node* values = in.required(value, "values");
  if (!indices || !values) return sparse;
  sparse.indices = in.each<std::uint32_t>(in.array(*indices), [&](const node& item) {
    const std::uint64_t index = in.u64(item);
    if (index > UINT32_MAX) in.malformed("invalid value: " + in.type_text(item) + ", expected u32");
    return static_cast<std::uint32_t>(index);
  });
  sparse.values = decode_floats(in, *values);
  if (in.failed()) return sparse;
  if (sparse.indices.size() != sparse.values.size())
    in.invalid(std::string(path) + ".values",
               "Validation error: must be the same length as indices [{}]");
  auto sorted = in.memory.copy(sparse.indices);
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end())
    in.invalid(std::string(path) + ".indices", "Validation error: must be unique [{}]");
  return sparse;
}

void check_not_empty(decoder& in, const vector_value& given, const std::string& path) {
  if (!in.failed() && given.kind == vector_kind::dense && given.values.empty())
    in.invalid(path + ".vector", "dense vector must not be empty");
}

/// A map of vectors may name one "text" or "image": an inference object names its model.
bool is_inference(const node& value) {
  const node* model = value.find("model");
  return model && model->is(node::form::string);
}

}  // namespace

vector_value decode_vector(decoder& in, const node& value, std::string_view path) {
  if (in.failed()) return {};
  if (value.is(node::form::array)) {
    if (!value.items.empty() && value.items.front().is(node::form::array))
      return decode_multi(in, value, path);
    vector_value dense;
    dense.values = decode_floats(in, value);
    return dense;
  }
  if (value.is(node::form::object)) {
    if (value.find("indices") || value.find("values")) return decode_sparse(in, value, path);
    if (is_inference(value)) {
      in.refuse(errc::service,
                "InferenceService is not initialized. Please check if it was properly configured "
                "and initialized during startup.");
      return {};
    }
  }
  in.malformed("data did not match any variant of untagged enum Vector");
  return {};
}

std::span<const named_vector> decode_point_vectors(decoder& in, const node& value,
                                                   std::string_view path) {
  if (in.failed()) return {};
  if (value.is(node::form::array) || (value.is(node::form::object) && is_inference(value))) {
    const auto vectors = in.memory.array<named_vector>(1);
    vectors[0].value = decode_vector(in, value, path);
    check_not_empty(in, vectors[0].value, std::string(path));
    return vectors;
  }
  if (!value.is(node::form::object)) {
    in.malformed("data did not match any variant of untagged enum VectorStruct");
    return {};
  }
  const auto vectors = in.memory.array<named_vector>(value.members.size());
  for (std::size_t i = 0; i < vectors.size() && !in.failed(); ++i) {
    vectors[i].name = value.members[i].name;
    vectors[i].value = decode_vector(in, *value.members[i].value, std::string(path) + ".?");
    check_not_empty(in, vectors[i].value, std::string(path) + ".?");
  }
  return vectors;
}

}  // namespace vexfs::rest
