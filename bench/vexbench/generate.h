// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bench/vexbench/matrix.h"

namespace vexfs::bench {

/// Made vectors. Uniform ones have no structure that an index could use and are like nothing that
/// people store, so they have to be asked for by name.
///
///   clustered    Gaussian clusters whose sizes fall off as one over their rank, in a space where
///                every cluster varies along a few directions of its own
///   anisotropic  one Gaussian whose variance falls off as a power of the direction's rank, turned
///                so that no axis is special: what text embeddings look like after centring
///   drifting     clustered, with centres that wander from the first row to the last: the data of
///                tomorrow is not that of today; queries come from the end
///   uniform      each value even in [-1, 1)
enum class shape : std::uint8_t { clustered, anisotropic, drifting, uniform };

[[nodiscard]] std::optional<shape> shape_named(std::string_view name);
[[nodiscard]] std::string_view name_of(shape which);

struct recipe {
  shape which = shape::clustered;
  std::uint32_t points = 10'000;
  std::uint32_t queries = 1'000;
  std::uint32_t dim = 128;
  std::uint32_t clusters = 100;
  double spread = 0.35;  // of a cluster, as a share of the distance between centres
  std::uint64_t seed = 1;
};

struct made_vectors {
  matrix base;
  matrix queries;  // from the same distribution, none of them in the base
};

/// The same numbers from the same recipe, with any compiler (and the same libm, to the last digit).
[[nodiscard]] made_vectors generate(const recipe& from);

}  // namespace vexfs::bench
