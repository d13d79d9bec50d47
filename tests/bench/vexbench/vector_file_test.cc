// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/vector_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bench/vexbench/file_bytes.h"
#include "bench/vexbench/random.h"
#include "tests/bench/vexbench/seed.h"

namespace vexfs::bench {
namespace {

class vector_files : public ::testing::Test {
 protected:
  vector_files()
      : folder_(std::filesystem::temp_directory_path() /
                ("vexbench-files-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~vector_files() override { std::filesystem::remove_all(folder_); }
  std::string path(std::string_view name) const { return folder_ / name; }
  std::string write(std::string_view name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }
  std::filesystem::path folder_;
};

template <class Value>
basic_matrix<Value> drawn(std::uint32_t rows, std::uint32_t columns) {
  random_numbers numbers(testing::test_seed());
  basic_matrix<Value> made(rows, columns);
  for (Value& value : made.values)
    value = static_cast<Value>(numbers.uniform() * 1e6);
  return made;
}

TEST_F(vector_files, every_format_gives_back_what_was_written) {
  for (const std::uint32_t columns : {1U, 3U, 128U})
    for (const char* ending : {".fbin", ".fvecs", ".npy"}) {
      const matrix written = drawn<float>(17, columns);
      ASSERT_TRUE(write_vectors(path(std::string("v") + ending), written));
      const auto read = read_vectors(path(std::string("v") + ending));
      ASSERT_TRUE(read) << read.error().text;
      EXPECT_EQ(read->rows, 17U);
      EXPECT_EQ(read->columns, columns);
      EXPECT_EQ(read->values, written.values) << ending;
      const auto first = read_vectors(path(std::string("v") + ending), 5);
      ASSERT_TRUE(first);
      EXPECT_EQ(first->rows, 5U);
      EXPECT_TRUE(std::ranges::equal(first->row(4), written.row(4)));
    }
  for (const char* ending : {".ibin", ".ivecs", ".npy"}) {
    const index_matrix written = drawn<std::uint32_t>(9, 10);
    ASSERT_TRUE(write_indices(path(std::string("i") + ending), written));
    const auto read = read_indices(path(std::string("i") + ending));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->values, written.values) << ending;
  }
}

TEST_F(vector_files, every_cut_of_a_file_is_refused) {
  for (const char* ending : {".fbin", ".fvecs", ".npy"}) {
    const std::string whole = path(std::string("whole") + ending);
    ASSERT_TRUE(write_vectors(whole, drawn<float>(4, 3)));
    const auto opened = file_bytes::open(whole);
    ASSERT_TRUE(opened);
    const std::string bytes(opened->view());
    for (std::size_t kept = 0; kept < bytes.size(); ++kept) {
      // Rows of their own have no header that could miss one.
      if (std::string_view(ending) == ".fvecs" && kept % 16 == 0 && kept > 0) continue;
      EXPECT_FALSE(read_vectors(write(std::string("cut") + ending, bytes.substr(0, kept))))
          << ending << " cut to " << kept << " bytes";
    }
  }
}

TEST_F(vector_files, counts_that_overflow_are_refused) {
  const std::string huge("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  const auto read = read_vectors(write("huge.fbin", huge + std::string(64, '\0')));
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().text.find("4294967295 rows"), std::string::npos) << read.error().text;
  EXPECT_FALSE(read_vectors(write("huge.fvecs", huge + std::string(64, '\0'))));
}

TEST_F(vector_files, failures_name_the_file_and_the_reason) {
  for (const auto& [name, why] : {std::pair{"missing.fbin", "No such file"},
                                  {"v.txt", "cannot tell the format"},
                                  {"v.hdf5", "name the data set"},
                                  {"missing.hdf5:train", "cannot be opened"}}) {
    const auto read = read_vectors(path(name));
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().text.find(why), std::string::npos) << read.error().text;
  }
  EXPECT_FALSE(read_vectors(folder_.string() + "/").has_value());
}

TEST_F(vector_files, other_layouts_of_numpy_are_refused_by_name) {
  const auto numpy = [&](std::string header) {
    header.append(118 - header.size() - 1, ' ').append("\n");
    return write("odd.npy",
                 std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + std::string(64, '\0'));
  };
  const auto text_of = [&](const std::string& header) {
    const auto read = read_vectors(numpy(header));
    return read ? std::string("was read") : read.error().text;
  };
  EXPECT_NE(text_of("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 4), }").find("Fortran"),
            std::string::npos);
  EXPECT_NE(text_of("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 4), }").find(">f4"),
            std::string::npos);
  EXPECT_NE(text_of("{'descr': '<f4', 'fortran_order': False, 'shape': (8,), }").find("shape"),
            std::string::npos);
  EXPECT_NE(text_of("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 2), }")
                .find("two dimensions"),
            std::string::npos);
}

}  // namespace
}  // namespace vexfs::bench
