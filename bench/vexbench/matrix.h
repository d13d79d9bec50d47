// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vexfs::bench {

/// Rows of equal length, one after the other.
template <class Value>
struct basic_matrix {
  std::uint32_t rows = 0;
  std::uint32_t columns = 0;
  std::vector<Value> values;

  basic_matrix() = default;
  basic_matrix(std::uint32_t row_count, std::uint32_t column_count)
      : rows(row_count), columns(column_count), values(std::size_t{row_count} * column_count) {}
  [[nodiscard]] std::span<const Value> row(std::uint32_t index) const {
    return {values.data() + std::size_t{index} * columns, columns};
  }
  [[nodiscard]] std::span<Value> row(std::uint32_t index) {
    return {values.data() + std::size_t{index} * columns, columns};
  }
};

using matrix = basic_matrix<float>;                // vectors
using index_matrix = basic_matrix<std::uint32_t>;  // neighbours: numbers of rows

}  // namespace vexfs::bench
