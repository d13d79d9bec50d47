// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/database/collection.h"
#include "core/io/task.h"

namespace vexfs {

/// Another centre for the codes of such rows, where it makes their mean square `gain_min` times
/// less; an empty one is zero, which is enough for rows that do not lie far from it. `rows` is a
/// sample, dim values each; `current` is the centre that they have.
[[nodiscard]] std::optional<std::vector<float>> better_centre(std::span<const float> rows,
                                                              std::uint32_t dim,
                                                              std::span<const float> current,
                                                              double gain_min);

/// Looks where the vectors of each column under Euclid's or Manhattan's distance lie, when most of
/// them are new since the last time, and codes them anew around another centre where they lie far
/// from the one that they have. On the owner core, in the turn of an update, while no slot
/// is taken and not yet published. Where there is no memory, or an original cannot be read, codes
/// stay as they are.
[[nodiscard]] io::task<void> centre_codes(collection& target);

}  // namespace vexfs
