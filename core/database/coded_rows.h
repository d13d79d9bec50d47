// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/device.h"

namespace vexfs {

/// What the device knows of a column: its vectors as they lie around a centre. Euclid's and
/// Manhattan's distances stay as they are when all vectors and all queries are moved by the same
/// amount, and codes are the finer the nearer vectors are to zero. A column whose vectors turn out
/// to lie elsewhere gets other coded rows (centring.h); searches that have begun keep those that
/// they began with.
class coded_rows {
 public:
  /// Around zero where the centre is empty, else around `centre`, a value a dimension, each below
  /// centre_value_max.
  [[nodiscard]] static result<std::shared_ptr<coded_rows>> create(device& machine,
                                                                  const vector_file_config& config,
                                                                  std::vector<float> centre);

  [[nodiscard]] vector_file& file() { return *file_; }
  [[nodiscard]] const vector_file& file() const { return *file_; }
  [[nodiscard]] std::span<const float> centre() const { return centre_; }

  /// Moves vectors of a file or of queries, one after another, to where the device has them.
  void move_to_centre(std::span<float> values) const;

 private:
  coded_rows(std::unique_ptr<vector_file> file, std::vector<float> centre)
      : file_(std::move(file)), centre_(std::move(centre)) {}

  const std::unique_ptr<vector_file> file_;
  const std::vector<float> centre_;
};

/// The bits of floats, as the device takes them.
[[nodiscard]] inline std::span<const std::uint32_t> bits_of(std::span<const float> values) {
  static_assert(sizeof(float) == sizeof(std::uint32_t));
  return {reinterpret_cast<const std::uint32_t*>(values.data()), values.size()};
}

}  // namespace vexfs
