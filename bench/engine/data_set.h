// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "core/io/huge_pages.h"
#include "core/model/vector.h"

namespace vexfs::bench {

inline constexpr std::uint32_t truth_rank = 10;
inline constexpr std::uint32_t truth_depth = 100;  // that are known

/// Memory as the server has it for its originals.
template <class T>
struct huge_page_allocator {
  using value_type = T;
  huge_page_allocator() = default;
  template <class Other>
  huge_page_allocator(const huge_page_allocator<Other>&) {}  // NOLINT(*-explicit-*)

  T* allocate(std::size_t count) {
    void* memory = io::take_huge(count * sizeof(T));
    if (!memory) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) { io::give_back_huge(memory, count * sizeof(T)); }
  friend bool operator==(huge_page_allocator, huge_page_allocator) { return true; }
};

using floats = std::vector<float, huge_page_allocator<float>>;

/// Vectors to search, queries, and the true nearest of each.
struct data_set {
  std::string name;
  distance metric = distance::dot;
  std::uint32_t dim = 0;
  std::uint32_t row_count = 0;
  std::uint32_t query_count = 0;
  floats rows;
  floats queries;
  std::vector<std::uint32_t> truth;     // query_count x truth_depth
  std::vector<std::uint32_t> clusters;  // of each row, where it was made so

  [[nodiscard]] const float* row(std::uint32_t index) const {
    return rows.data() + std::size_t{index} * dim;
  }
  [[nodiscard]] const std::uint32_t* nearest(std::uint32_t query) const {
    return truth.data() + std::size_t{query} * truth_depth;
  }
  [[nodiscard]] const float* query(std::uint32_t index) const {
    return queries.data() + std::size_t{index} * dim;
  }
};

/// Files of u32 rows, u32 dim, then the floats, little endian. Exits with a message where they are
/// no such files.
[[nodiscard]] data_set read_data_set(const std::string& base, const std::string& queries,
                                     distance metric);

/// Gaussian clusters whose centres are Gaussian too; queries come from the same clusters.
[[nodiscard]] data_set make_clusters(std::uint32_t row_count, std::uint32_t query_count,
                                     std::uint32_t dim, std::uint32_t cluster_count,
                                     distance metric, std::uint64_t seed);

/// Writes base and queries in the format that read_data_set() takes.
void write_data_set(const data_set& data, const std::string& folder);

}  // namespace vexfs::bench
