// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/vexbench/exit_code.h"
#include "bench/vexbench/matrix.h"

namespace vexfs::bench {

/// Vectors and neighbours from the files that the field exchanges, told apart by their ending:
///
///   .fbin .ibin     uint32 rows, uint32 columns, then the values, little endian
///   .fvecs .ivecs   before each row its length as int32
///   .npy            NumPy, two dimensions in C order, versions 1 to 3
///   .hdf5 .h5       ann-benchmarks: FILE.hdf5:DATASET (train, test, neighbors)
///
/// Float files may hold float32 or float64 (npy, hdf5), which is rounded; index files int32, uint32
/// or int64. At most `rows_max` rows are read. Every count is checked against the file's size.
[[nodiscard]] outcome<matrix> read_vectors(const std::string& path,
                                           std::uint32_t rows_max = UINT32_MAX);
[[nodiscard]] outcome<index_matrix> read_indices(const std::string& path,
                                                 std::uint32_t rows_max = UINT32_MAX);

/// The ending says how: .fbin .fvecs .npy; .ibin .ivecs .npy. Written whole and then renamed.
[[nodiscard]] outcome<void> write_vectors(const std::string& path, const matrix& of);
[[nodiscard]] outcome<void> write_indices(const std::string& path, const index_matrix& of);

namespace detail {

// What each family of formats implements, for float and std::uint32_t.
template <class Value>
struct file_family {
  static outcome<basic_matrix<Value>> read_bin(const std::string& path, std::uint32_t rows_max);
  static outcome<basic_matrix<Value>> read_vecs(const std::string& path, std::uint32_t rows_max);
  static outcome<basic_matrix<Value>> read_npy(const std::string& path, std::uint32_t rows_max);
  static outcome<basic_matrix<Value>> read_hdf5(const std::string& path, std::string_view dataset,
                                                std::uint32_t rows_max);
  static std::string write_bin(const basic_matrix<Value>& of);
  static std::string write_vecs(const basic_matrix<Value>& of);
  static std::string write_npy(const basic_matrix<Value>& of);
};

}  // namespace detail
}  // namespace vexfs::bench
