// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/vector_file.h"

#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include "bench/vexbench/file_bytes.h"

namespace vexfs::bench {
namespace {

template <class Value>
struct endings {
  static constexpr bool is_float = std::is_same_v<Value, float>;
  static constexpr std::string_view bin = is_float ? ".fbin" : ".ibin";
  static constexpr std::string_view vecs = is_float ? ".fvecs" : ".ivecs";
};

template <class Value>
outcome<basic_matrix<Value>> read(const std::string& path, std::uint32_t rows_max) {
  using family = detail::file_family<Value>;
  using ending = endings<Value>;
  // A data set's name follows the last colon.
  const std::size_t colon = path.rfind(':');
  const std::string file = path.substr(0, colon);
  if (file.ends_with(".hdf5") || file.ends_with(".h5")) {
    if (colon == std::string::npos)
      return bad_file(path, "name the data set as in FILE.hdf5:train");
    return family::read_hdf5(file, std::string_view(path).substr(colon + 1), rows_max);
  }
  if (path.ends_with(ending::bin)) return family::read_bin(path, rows_max);
  if (path.ends_with(ending::vecs)) return family::read_vecs(path, rows_max);
  if (path.ends_with(".npy")) return family::read_npy(path, rows_max);
  return bad_file(path, fmt::format("cannot tell the format from the ending: {} {} .npy .hdf5:NAME "
                                    "are known here",
                                    ending::bin, ending::vecs));
}

template <class Value>
outcome<void> write(const std::string& path, const basic_matrix<Value>& of) {
  using family = detail::file_family<Value>;
  using ending = endings<Value>;
  if (path.ends_with(ending::bin)) return write_whole(path, family::write_bin(of));
  if (path.ends_with(ending::vecs)) return write_whole(path, family::write_vecs(of));
  if (path.ends_with(".npy")) return write_whole(path, family::write_npy(of));
  return bad_file(path,
                  fmt::format("can write {} {} .npy, by the ending", ending::bin, ending::vecs));
}

}  // namespace

outcome<matrix> read_vectors(const std::string& path, std::uint32_t rows_max) {
  return read<float>(path, rows_max);
}
outcome<index_matrix> read_indices(const std::string& path, std::uint32_t rows_max) {
  return read<std::uint32_t>(path, rows_max);
}
outcome<void> write_vectors(const std::string& path, const matrix& of) {
  return write(path, of);
}
outcome<void> write_indices(const std::string& path, const index_matrix& of) {
  return write(path, of);
}

}  // namespace vexfs::bench
