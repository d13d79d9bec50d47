// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_config.h"

#include <gtest/gtest.h>

namespace vexfs::rest {
namespace {

std::string error_of_create(std::string_view body) {
  arena memory;
  const auto config = decode_create_collection(body, memory);
  return config ? "" : config.error().text;
}

TEST(decode_create_collection, reads_every_kind_of_vectors) {
  arena memory;
  const auto single = decode_create_collection(
      R"({"vectors":{"size":4,"distance":"Dot"},"optimizer_config":{"indexing_threshold_kb":7}})",
      memory);
  ASSERT_TRUE(single) << single.error().text;
  EXPECT_TRUE(single->vectors.single);
  EXPECT_EQ(single->vectors.params.at("").size, 4U);
  const auto named = decode_create_collection(
      R"({"vectors":{"a":{"size":4,"distance":"Dot"},"size":{"size":2,"distance":"Euclid"}},"sparse_vectors":{"s":{}}})",
      memory);
  ASSERT_TRUE(named) << named.error().text;
  EXPECT_FALSE(named->vectors.single);
  EXPECT_EQ(named->vectors.params.size(), 2U);
  EXPECT_EQ(named->sparse_vectors.size(), 1U);
  EXPECT_TRUE(decode_create_collection("{}", memory));
}

TEST(decode_create_collection, tells_what_is_wrong) {
  EXPECT_EQ(
      error_of_create(R"({"vectors":{"size":0,"distance":"Dot"}})"),
      "Validation error in JSON body: [vectors.size: value 0 invalid, must be from 1 to 65536]");
  EXPECT_EQ(error_of_create(R"({"vectors":{"a":{"size":70000,"distance":"Dot"}}})"),
            "Validation error in JSON body: [vectors.?.size: value 70000 invalid, must be from 1 "
            "to 65536]");
  EXPECT_EQ(error_of_create(
                R"({"vectors":{"size":4,"distance":"Dot"},"hnsw_config":{"ef_construct":3}})"),
            "Validation error in JSON body: [hnsw_config.ef_construct: value 3 invalid, must be 4 "
            "or larger]");
  EXPECT_TRUE(
      error_of_create(R"({"vectors":{"size":4,"distance":"Dots"}})")
          .starts_with(
              "Format error in JSON body: unknown variant `Dots`, expected one of `Cosine`"));
  EXPECT_TRUE(error_of_create(R"({"vectors":{"a":{"size":4}}})")
                  .starts_with("Format error in JSON body: missing field `distance`"));
}

TEST(decode_create_collection, tells_a_large_number_as_it_was_given) {
  EXPECT_EQ(
      error_of_create(R"({"vectors":{"size":18446744073709551615,"distance":"Dot"}})"),
      "Validation error in JSON body: [vectors.size: value 18446744073709551615 invalid, must "
      "be from 1 to 65536]");
  EXPECT_TRUE(error_of_create(R"({"shard_number":4294967296})")
                  .starts_with("Format error in JSON body: invalid value: integer `4294967296`, "
                               "expected u32"));
}

TEST(decode_create_collection, bounds_a_threshold_of_the_graph_and_not_that_of_a_sparse_index) {
  EXPECT_EQ(
      error_of_create(R"({"hnsw_config":{"full_scan_threshold":5}})"),
      "Validation error in JSON body: [hnsw_config.full_scan_threshold: value 5 invalid, must "
      "be 10 or larger]");
  EXPECT_EQ(error_of_create(R"({"sparse_vectors":{"s":{"index":{"full_scan_threshold":5}}}})"), "");
}

TEST(check_collection_name, keeps_the_contracts_rule) {
  EXPECT_EQ(check_collection_name("caf\xc3\xa9 1"), "");
  EXPECT_EQ(check_collection_name("a/b"), "collection name cannot contain \"/\" char");
  EXPECT_NE(check_collection_name(""), "");
  EXPECT_NE(check_collection_name(std::string(256, 'a')), "");
  EXPECT_EQ(check_collection_name(std::string(255, 'a')), "");
}

TEST(decode_create_collection, refuses_every_body_that_is_cut) {
  const std::string body =
      R"({"vectors":{"a":{"size":4,"distance":"Dot","quantization_config":{"scalar":{"type":"int8"}}}},"metadata":{"x":[1]}})";
  arena memory;
  ASSERT_TRUE(decode_create_collection(body, memory));
  for (std::size_t cut = 0; cut < body.size(); ++cut)
    EXPECT_FALSE(decode_create_collection(body.substr(0, cut), memory)) << cut;
}

}  // namespace
}  // namespace vexfs::rest
