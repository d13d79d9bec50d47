// SPDX-License-Identifier: Apache-2.0
// ann-benchmarks' HDF5 files. The library converts the stored type to ours.
#include <algorithm>
#include <array>
#include <type_traits>

#include <fmt/format.h>
#include <hdf5.h>

#include "bench/vexbench/file_bytes.h"
#include "bench/vexbench/vector_file.h"

namespace vexfs::bench::detail {
namespace {

/// An HDF5 handle with the function that closes it.
class handle {
 public:
  handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  ~handle() {
    if (id_ >= 0) close_(id_);
  }
  [[nodiscard]] bool is_valid() const { return id_ >= 0; }
  [[nodiscard]] hid_t id() const { return id_; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

}  // namespace

template <class Value>
outcome<basic_matrix<Value>> file_family<Value>::read_hdf5(const std::string& path,
                                                           std::string_view dataset,
                                                           std::uint32_t rows_max) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // its own messages on stderr
  const handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!file.is_valid()) return bad_file(path, "cannot be opened as an HDF5 file");
  const std::string name(dataset);
  const handle set(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!set.is_valid()) return bad_file(path, fmt::format("has no data set '{}'", dataset));
  const handle type(H5Dget_type(set.id()), H5Tclose);
  const H5T_class_t stored = H5Tget_class(type.id());
  constexpr bool is_float = std::is_same_v<Value, float>;
  if (stored != (is_float ? H5T_FLOAT : H5T_INTEGER))
    return bad_file(path, fmt::format("data set '{}' does not hold {}", dataset,
                                      is_float ? "floats" : "integers"));
  const handle space(H5Dget_space(set.id()), H5Sclose);
  std::array<hsize_t, 2> sides{};
  if (H5Sget_simple_extent_ndims(space.id()) != 2 ||
      H5Sget_simple_extent_dims(space.id(), sides.data(), nullptr) != 2 || sides[1] == 0 ||
      sides[0] > UINT32_MAX || sides[1] > UINT32_MAX)
    return bad_file(path, fmt::format("data set '{}' has not two dimensions", dataset));

  sides[0] = std::min<hsize_t>(sides[0], rows_max);
  basic_matrix<Value> made(static_cast<std::uint32_t>(sides[0]),
                           static_cast<std::uint32_t>(sides[1]));
  const std::array<hsize_t, 2> from{0, 0};
  const handle memory(H5Screate_simple(2, sides.data(), nullptr), H5Sclose);
  if (H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, from.data(), nullptr, sides.data(), nullptr) <
          0 ||
      H5Dread(set.id(), is_float ? H5T_NATIVE_FLOAT : H5T_NATIVE_UINT32, memory.id(), space.id(),
              H5P_DEFAULT, made.values.data()) < 0)
    return bad_file(path, fmt::format("data set '{}' cannot be read", dataset));
  return made;
}

template outcome<matrix> file_family<float>::read_hdf5(const std::string&, std::string_view,
                                                       std::uint32_t);
template outcome<index_matrix> file_family<std::uint32_t>::read_hdf5(const std::string&,
                                                                     std::string_view,
                                                                     std::uint32_t);

}  // namespace vexfs::bench::detail
