// SPDX-License-Identifier: Apache-2.0
#include "core/database/coded_rows.h"

#include "core/base/assert.h"

namespace vexfs {

result<std::shared_ptr<coded_rows>> coded_rows::create(device& machine,
                                                       const vector_file_config& config,
                                                       std::vector<float> centre) {
  VEXFS_ASSERT(centre.empty() || centre.size() == config.dim);
  VEXFS_TRY(auto file, machine.create(config));
  return std::shared_ptr<coded_rows>(new coded_rows(std::move(file), std::move(centre)));
}

// A difference is rounded once, by 2^-24 of itself. The device's bounds for the rounding of exact
// scores by Euclid (kernel/engine/code.h, scan.h) have room for it: in units of 2^-24 and with x, q
// the lengths of a row and of a query as they are moved, a rank is off by
//
//   (dim + 2) / 2 * (x + q)^2   by the exact score's own rounding
//   (x + q)^2                   by the two differences
//
// and the bounds are dim * (4 x^2 + 4 q^2 + 2 x q), which is as much for dim = 1, and more for
// more.
void coded_rows::move_to_centre(std::span<float> values) const {
  const std::size_t dim = centre_.size();
  if (dim == 0) return;
  for (std::size_t first = 0; first < values.size(); first += dim)
    for (std::size_t d = 0; d < dim; ++d)
      values[first + d] -= centre_[d];
}

}  // namespace vexfs
