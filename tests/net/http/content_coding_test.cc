// SPDX-License-Identifier: Apache-2.0
#include "net/http/content_coding.h"

#include <cstring>
#include <random>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "core/base/limits.h"

namespace vexfs::http {
namespace {

using enum content_coding;

TEST(content_coding_test, the_client_gets_the_coding_it_values_most) {
  EXPECT_EQ(negotiate(""), identity);
  EXPECT_EQ(negotiate("gzip, deflate"), gzip);
  EXPECT_EQ(negotiate("deflate, gzip, br, zstd"), br);
  EXPECT_EQ(negotiate("gzip;q=0.5, deflate;q=0.7"), deflate);
  EXPECT_EQ(negotiate("GZIP;Q=1.0"), gzip);
  EXPECT_EQ(negotiate("br;q=0, gzip"), gzip);
  EXPECT_EQ(negotiate("*"), br);
  EXPECT_EQ(negotiate("br;q=0, *;q=0.3"), zstd);
  EXPECT_EQ(negotiate("identity"), identity);
  EXPECT_EQ(negotiate("identity;q=1, gzip;q=0.5"), identity);
  EXPECT_EQ(negotiate("gzip;q=0"), identity);
  EXPECT_EQ(negotiate("compress, lzma"), identity);
  EXPECT_EQ(negotiate("gzip;q=x, ,;,=,q=1,zstd ; q=0.125"), zstd);
}

TEST(content_coding_test, names_are_understood_in_any_case_and_lists_are_not) {
  EXPECT_EQ(coding_of("GZip"), gzip);
  EXPECT_EQ(coding_of(" br "), br);
  EXPECT_EQ(coding_of("identity"), identity);
  EXPECT_EQ(coding_of(""), identity);
  EXPECT_EQ(coding_of("gzip, br"), std::nullopt);
  EXPECT_EQ(coding_of("compress"), std::nullopt);
}

std::string packed(content_coding coding, std::string_view content, std::size_t piece_bytes) {
  const auto packing = make_packer(coding);
  std::string out;
  do {
    const std::string_view piece = content.substr(0, piece_bytes);
    content.remove_prefix(piece.size());
    EXPECT_TRUE(packing->pack(piece, content.empty(), out));
  } while (!content.empty());
  return out;
}

/// Nothing where the content is broken or not whole.
std::optional<std::string> unpacked(content_coding coding, std::string_view content,
                                    std::size_t piece_bytes) {
  const auto unpacking = make_unpacker(coding);
  std::string out;
  while (true) {
    std::string_view piece = content.substr(0, piece_bytes);
    const std::size_t given = piece.size();
    const std::size_t before = out.size();
    const auto outcome = unpacking->unpack(piece, out);
    EXPECT_LE(out.size() - before, coding_piece_bytes);
    content.remove_prefix(given - piece.size());
    if (outcome == unpacker::outcome::complete) return out;
    if (outcome == unpacker::outcome::broken) return std::nullopt;
    if (content.empty() && out.size() == before) return std::nullopt;
  }
}

TEST(content_coding_test, every_coding_gives_back_what_was_packed_in_any_pieces) {
  const std::uint32_t seed = 5;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (const content_coding coding : {br, zstd, gzip, deflate}) {
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{1000}, coding_piece_bytes * 3 + 17}) {
      std::string repetitive;
      std::string noise;
      while (repetitive.size() < size) {
        repetitive += "{\"id\": " + std::to_string(random() % 100) + "},";
        noise += static_cast<char>(random());
      }
      while (noise.size() < size)
        noise += static_cast<char>(random());
      for (const std::string& content : {repetitive, noise}) {
        for (const std::size_t piece : {std::size_t{1'000}, coding_piece_bytes}) {
          const std::string small = packed(coding, content, piece);
          EXPECT_EQ(unpacked(coding, small, 1'000), content);
          EXPECT_EQ(unpacked(coding, small, small.size()), content);
        }
      }
    }
  }
}

TEST(content_coding_test, a_body_beyond_4_gib_is_unpacked_from_its_beginning) {
  for (const content_coding coding : {content_coding::gzip, content_coding::deflate}) {
    std::string packed;
    ASSERT_TRUE(make_packer(coding)->pack("hello", true, packed));
    // Pages that nobody touches cost nothing.
    const std::size_t size = (std::size_t{1} << 32) + packed.size() / 2;
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    std::memcpy(memory, packed.data(), packed.size());
    std::string_view rest(static_cast<const char*>(memory), size);
    std::string out;
    EXPECT_EQ(make_unpacker(coding)->unpack(rest, out), unpacker::outcome::complete);
    EXPECT_EQ(out, "hello");
    EXPECT_EQ(rest.size(), size - packed.size());
    ::munmap(memory, size);
  }
}

TEST(content_coding_test, a_cut_or_damaged_content_is_noticed) {
  const std::string content(10'000, 'x');
  for (const content_coding coding : {br, zstd, gzip, deflate}) {
    const std::string whole = packed(coding, content, 10'000);
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_NE(unpacked(coding, std::string_view(whole).substr(0, size), 100), content);
    EXPECT_EQ(unpacked(coding, "this was never packed by anyone", 100), std::nullopt);
  }
}

}  // namespace
}  // namespace vexfs::http
