// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/model/vector.h"
#include "ioctl/embedded/cpu.h"

extern "C" {
#include "kernel/engine/dot.h"
#include "kernel/engine/vector_file.h"
#include "kernel/engine/walk.h"
}

namespace vexfs {

/// The engine's kernels of one SIMD level: for scans and for graphs.
struct engine_kernels {
  const vexfs_kernels* scan;
  const vexfs_graph_kernels* graph;
};

[[nodiscard]] inline engine_kernels kernels_for(simd_level level) {
  switch (level) {
    case simd_level::avx512:
      return {&vexfs_kernels_avx512, &vexfs_graph_kernels_avx512};
    case simd_level::avx2:
      return {&vexfs_kernels_avx2, &vexfs_graph_kernels_avx2};
    case simd_level::scalar:
      break;
  }
  return {&vexfs_kernels_scalar, &vexfs_graph_kernels_scalar};
}

[[nodiscard]] inline vexfs_metric engine_metric(distance metric) {
  switch (metric) {
    case distance::euclid:
      return VEXFS_METRIC_EUCLID;
    case distance::manhattan:
      return VEXFS_METRIC_MANHATTAN;
    case distance::cosine:
    case distance::dot:
      break;
  }
  return VEXFS_METRIC_DOT;
}

}  // namespace vexfs
