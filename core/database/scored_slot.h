// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/device.h"

namespace vexfs {

/// A slot with its similarity: larger is better. Exact, but for searches by codes.
struct scored_slot {
  float similarity;
  slot_index slot;
};

[[nodiscard]] inline bool is_better(const scored_slot& left, const scored_slot& right) {
  if (left.similarity != right.similarity) return left.similarity > right.similarity;
  return left.slot < right.slot;
}

}  // namespace vexfs
