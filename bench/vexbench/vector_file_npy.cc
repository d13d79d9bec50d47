// SPDX-License-Identifier: Apache-2.0
// NumPy's format: a magic, a version, the length of a header, and the header as a Python dictionary
// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <type_traits>

#include <fmt/format.h>

#include "bench/vexbench/file_bytes.h"
#include "bench/vexbench/vector_file.h"

namespace vexfs::bench::detail {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

// What follows 'KEY': up to the end of its value.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::size_t at = header.find(fmt::format("'{}'", key));
  if (at == std::string_view::npos) return {};
  const std::size_t colon = header.find(':', at);
  if (colon == std::string_view::npos) return {};
  std::string_view rest = header.substr(colon + 1);
  while (rest.starts_with(' '))
    rest.remove_prefix(1);
  const char end = rest.starts_with('(') ? ')' : ',';
  return rest.substr(0, rest.find(end));
}

template <class Held, class Value>
void copy_as(std::string_view bytes, basic_matrix<Value>& to) {
  for (std::size_t index = 0; index < to.values.size(); ++index) {
    Held held;
    std::memcpy(&held, bytes.data() + index * sizeof(Held), sizeof(Held));
    to.values[index] = static_cast<Value>(held);
  }
}

}  // namespace

template <class Value>
outcome<basic_matrix<Value>> file_family<Value>::read_npy(const std::string& path,
                                                          std::uint32_t rows_max) {
  auto opened = file_bytes::open(path);
  if (!opened) return std::unexpected(std::move(opened).error());
  const std::string_view bytes = opened->view();
  if (!bytes.starts_with(magic) || bytes.size() < 12) return bad_file(path, "not a NumPy file");
  const bool has_long_header = bytes[6] > 1;
  const std::size_t header_at = has_long_header ? 12 : 10;
  std::uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data() + 8, has_long_header ? 4 : 2);
  if (header_bytes > bytes.size() - header_at) return bad_file(path, "its header is cut off");
  const std::string_view header = bytes.substr(header_at, header_bytes);
  const std::string_view type = value_of(header, "descr");
  if (value_of(header, "fortran_order") != "False")
    return bad_file(path, "it is in Fortran order: save np.ascontiguousarray(...)");

  std::string_view shape = value_of(header, "shape");
  std::uint64_t sides[2] = {0, 0};
  std::size_t side_count = 0;
  while (!shape.empty()) {
    if (shape.front() < '0' || shape.front() > '9') {
      shape.remove_prefix(1);
      continue;
    }
    std::uint64_t side = 0;
    const auto [end, bad] = std::from_chars(shape.begin(), shape.end(), side);
    if (bad != std::errc{} || side_count == 2) return bad_file(path, "it has not two dimensions");
    sides[side_count++] = side;
    shape.remove_prefix(static_cast<std::size_t>(end - shape.begin()));
  }
  const bool is_wide = type == "'<f8'" || type == "'<i8'" || type == "'<u8'";
  const std::uint64_t values_held = (bytes.size() - header_at - header_bytes) / (is_wide ? 8 : 4);
  if (side_count != 2 || sides[1] == 0 || sides[0] > UINT32_MAX || sides[1] > UINT32_MAX ||
      sides[0] > values_held / sides[1])
    return bad_file(path, fmt::format("a shape of {} does not fit {} bytes",
                                      value_of(header, "shape"), bytes.size()));
  basic_matrix<Value> made(std::min(static_cast<std::uint32_t>(sides[0]), rows_max),
                           static_cast<std::uint32_t>(sides[1]));
  const std::string_view values = bytes.substr(header_at + header_bytes);
  if constexpr (std::is_same_v<Value, float>) {
    if (type == "'<f4'") {
      copy_as<float>(values, made);
      return made;
    }
    if (type == "'<f8'") {
      copy_as<double>(values, made);
      return made;
    }
    return bad_file(path, fmt::format("its values are {}, not '<f4' or '<f8'", type));
  } else {
    if (type == "'<i4'" || type == "'<u4'") {
      copy_as<std::uint32_t>(values, made);
      return made;
    }
    if (type == "'<i8'" || type == "'<u8'") {
      copy_as<std::uint64_t>(values, made);
      return made;
    }
    return bad_file(path, fmt::format("its values are {}, not '<i4', '<u4' or '<i8'", type));
  }
}

template <class Value>
std::string file_family<Value>::write_npy(const basic_matrix<Value>& of) {
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}), }}",
                  std::is_same_v<Value, float> ? "<f4" : "<u4", of.rows, of.columns);
  // The values begin at a multiple of 64, after a newline.
  header.append(63 - (magic.size() + 4 + header.size()) % 64, ' ').append("\n");
  std::string out(magic);
  out.append("\x01\x00", 2);
  const auto header_bytes = static_cast<std::uint16_t>(header.size());
  out.append(reinterpret_cast<const char*>(&header_bytes), 2).append(header);
  out.append(reinterpret_cast<const char*>(of.values.data()), of.values.size() * sizeof(Value));
  return out;
}

template outcome<matrix> file_family<float>::read_npy(const std::string&, std::uint32_t);
template outcome<index_matrix> file_family<std::uint32_t>::read_npy(const std::string&,
                                                                    std::uint32_t);
template std::string file_family<float>::write_npy(const matrix&);
template std::string file_family<std::uint32_t>::write_npy(const index_matrix&);

}  // namespace vexfs::bench::detail
