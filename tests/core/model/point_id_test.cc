// SPDX-License-Identifier: Apache-2.0
#include "core/model/point_id.h"

#include <gtest/gtest.h>

namespace vexfs {
namespace {

constexpr auto canonical = "936da01f-9abd-4d9d-80c7-02af85c822a8";

TEST(point_id, every_spelling_of_a_uuid_is_the_same_point) {
  const auto id = point_id::from_uuid(canonical);
  ASSERT_TRUE(id);
  for (const auto* text :
       {"936DA01F9ABD4D9D80C702AF85C822A8", "936da01f9abd4d9d80c702af85c822a8",
        "936DA01F-9abd-4d9d-80c7-02af85c822a8", "urn:uuid:936da01f-9abd-4d9d-80c7-02af85c822a8",
        "{936da01f-9abd-4d9d-80c7-02af85c822a8}"}) {
    EXPECT_EQ(point_id::from_uuid(text), id) << text;
  }
  EXPECT_EQ(id->text(), canonical);
}

TEST(point_id, text_that_is_no_uuid_is_refused) {
  for (const auto* text :
       {"", "1", "936da01f-9abd-4d9d-80c7-02af85c822a", "936da01f-9abd-4d9d-80c7-02af85c822ag",
        "936da01f9abd-4d9d-80c7-02af85c822a8-", "{936da01f-9abd-4d9d-80c7-02af85c822a8",
        "urn:uuid:", "936da01f-9abd4-d9d-80c7-02af85c822a8",
        "xrn:uuid:936da01f9abd4d9d80c702af85c822a8"}) {
    EXPECT_FALSE(point_id::from_uuid(text)) << text;
  }
}

TEST(point_id, a_path_holds_a_number_first_and_a_uuid_otherwise) {
  EXPECT_EQ(point_id::from_path("42"), point_id::from_number(42));
  EXPECT_EQ(point_id::from_path("18446744073709551615"), point_id::from_number(UINT64_MAX));
  EXPECT_FALSE(point_id::from_path("18446744073709551616"));
  EXPECT_FALSE(point_id::from_path("-1"));
  EXPECT_FALSE(point_id::from_path(""));
  EXPECT_FALSE(point_id::from_path("1.0"));
  EXPECT_EQ(point_id::from_path(canonical), point_id::from_uuid(canonical));
}

TEST(point_id, numbers_come_before_uuids_and_uuids_are_big_endian) {
  const auto low = *point_id::from_uuid("00000000-0000-0000-0000-000000000001");
  const auto high = *point_id::from_uuid("01000000-0000-0000-0000-000000000000");
  EXPECT_LT(point_id::from_number(UINT64_MAX), low);
  EXPECT_LT(low, high);
  EXPECT_LT(point_id::from_number(2), point_id::from_number(10));
}

}  // namespace
}  // namespace vexfs
