// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/device.h"

namespace vexfs {

/// How a dense vector of a collection is really kept and searched, whatever its settings call it.
struct vector_report {
  std::string name;
  std::uint64_t vectors = 0;
  std::uint32_t original_bytes = 0;  // of one vector
  bool on_disk = false;              // where originals are
  vector_storage storage;
  std::uint64_t device_bytes = 0;          // memory of codes and graph, room for more included
  std::optional<double> centre_from_zero;  // where codes are taken around a centre
  std::optional<graph_state> graph;
  std::optional<double> linked_per_second;  // where some have been linked
  std::optional<double> sampled_recall;     // @10 of points searched for by graph and by scan
};

}  // namespace vexfs
