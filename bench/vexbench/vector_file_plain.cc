// SPDX-License-Identifier: Apache-2.0
// The formats that are values and counts alone: bin and vecs.
#include <algorithm>
#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "bench/vexbench/file_bytes.h"
#include "bench/vexbench/vector_file.h"

namespace vexfs::bench::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are copied as they are");

std::uint32_t word_at(std::string_view bytes, std::size_t offset) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof(word));
  return word;
}

void append_word(std::string& out, std::uint32_t word) {
  out.append(reinterpret_cast<const char*>(&word), sizeof(word));
}

template <class Value>
std::string_view bytes_of(std::span<const Value> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

template <class Value>
outcome<basic_matrix<Value>> file_family<Value>::read_bin(const std::string& path,
                                                          std::uint32_t rows_max) {
  auto opened = file_bytes::open(path);
  if (!opened) return std::unexpected(std::move(opened).error());
  const std::string_view bytes = opened->view();
  if (bytes.size() < 8) return bad_file(path, "too short for a header of two numbers");
  const std::uint32_t rows = word_at(bytes, 0);
  const std::uint32_t columns = word_at(bytes, 4);
  // Divided, not multiplied: the counts are whatever the file says.
  const std::uint64_t values_held = (bytes.size() - 8) / sizeof(Value);
  if (columns == 0 || rows > values_held / columns)
    return bad_file(path, fmt::format("the header says {} rows of {}, the file has {} bytes", rows,
                                      columns, bytes.size()));
  basic_matrix<Value> made(std::min(rows, rows_max), columns);
  std::memcpy(made.values.data(), bytes.data() + 8, made.values.size() * sizeof(Value));
  return made;
}

template <class Value>
outcome<basic_matrix<Value>> file_family<Value>::read_vecs(const std::string& path,
                                                           std::uint32_t rows_max) {
  auto opened = file_bytes::open(path);
  if (!opened) return std::unexpected(std::move(opened).error());
  const std::string_view bytes = opened->view();
  if (bytes.size() < 4) return bad_file(path, "too short for one row");
  const std::uint32_t columns = word_at(bytes, 0);
  const std::uint64_t row_bytes = 4 + std::uint64_t{columns} * sizeof(Value);
  if (columns == 0 || bytes.size() % row_bytes != 0)
    return bad_file(path, fmt::format("{} bytes are no whole rows of {}", bytes.size(), columns));
  const std::uint64_t rows = bytes.size() / row_bytes;
  if (rows > UINT32_MAX) return bad_file(path, "too many rows");
  basic_matrix<Value> made(std::min(static_cast<std::uint32_t>(rows), rows_max), columns);
  for (std::uint32_t row = 0; row < made.rows; ++row) {
    const std::size_t offset = row * row_bytes;
    if (word_at(bytes, offset) != columns)
      return bad_file(path, fmt::format("row {} has {} values, the first has {}", row,
                                        word_at(bytes, offset), columns));
    std::memcpy(made.row(row).data(), bytes.data() + offset + 4, columns * sizeof(Value));
  }
  return made;
}

template <class Value>
std::string file_family<Value>::write_bin(const basic_matrix<Value>& of) {
  std::string out;
  append_word(out, of.rows);
  append_word(out, of.columns);
  out.append(bytes_of(std::span<const Value>(of.values)));
  return out;
}

template <class Value>
std::string file_family<Value>::write_vecs(const basic_matrix<Value>& of) {
  std::string out;
  for (std::uint32_t row = 0; row < of.rows; ++row) {
    append_word(out, of.columns);
    out.append(bytes_of(of.row(row)));
  }
  return out;
}

template outcome<matrix> file_family<float>::read_bin(const std::string&, std::uint32_t);
template outcome<matrix> file_family<float>::read_vecs(const std::string&, std::uint32_t);
template std::string file_family<float>::write_bin(const matrix&);
template std::string file_family<float>::write_vecs(const matrix&);
template outcome<index_matrix> file_family<std::uint32_t>::read_bin(const std::string&,
                                                                    std::uint32_t);
template outcome<index_matrix> file_family<std::uint32_t>::read_vecs(const std::string&,
                                                                     std::uint32_t);
template std::string file_family<std::uint32_t>::write_bin(const index_matrix&);
template std::string file_family<std::uint32_t>::write_vecs(const index_matrix&);

}  // namespace vexfs::bench::detail
