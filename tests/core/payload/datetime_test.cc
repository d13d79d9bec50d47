// SPDX-License-Identifier: Apache-2.0
#include "core/payload/datetime.h"

#include <gtest/gtest.h>

namespace vexfs {
namespace {

TEST(datetime, every_accepted_format_is_read) {
  const std::int64_t day = 1'388'534'400'000'000;  // 2014-01-01T00:00:00Z
  const struct {
    const char* text;
    std::int64_t us;
  } table[] = {
      {"2014-01-01T00:00:00Z", day},
      {"2014-01-01t00:00:00z", day},
      {"2014-01-01 00:00:00", day},
      {"2014-01-01T00:00", day},
      {"2014-01-01", day},
      {"2014-01-01T05:30:00+05:30", day},
      {"2014-01-01T05:30:00+0530", day},
      {"2013-12-31T19:00-0500", day},
      {"2014-01-01T00:00:00.5", day + 500'000},
      {"2014-01-01T00:00:00.123456789Z", day + 123'456},
      {"1970-01-01", 0},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"2000-02-29", 951'782'400'000'000},
      {"2016-12-31T23:59:60Z", 1'483'228'800'000'000},
  };
  for (const auto& row : table)
    EXPECT_EQ(parse_datetime(row.text), row.us) << row.text;
}

TEST(datetime, everything_else_is_refused) {
  for (const auto* text : {"", "2014", "2014-01", "2014-13-01", "2014-02-30", "2014-1-1",
                           "2014-01-01T", "2014-01-01T1", "2014-01-01T24:00", "2014-01-01T00:60",
                           "2014-01-01T00:00:00.", "2014-01-01T00:00:00+5", "2014-01-01T00:00:00 Z",
                           "2014-01-01Z", "x2014-01-01", "1388534400", "2014-01-01T00:00:00ZZ"}) {
    EXPECT_FALSE(parse_datetime(text)) << text;
  }
}

TEST(datetime, what_is_printed_reads_back) {
  for (const std::int64_t us :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'388'534'400'123'456},
        std::int64_t{951'782'400'000'000}, std::int64_t{1'500}}) {
    EXPECT_EQ(parse_datetime(print_datetime(us)), us) << print_datetime(us);
  }
  EXPECT_EQ(print_datetime(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(print_datetime(5'000), "1970-01-01T00:00:00.005Z");
}

}  // namespace
}  // namespace vexfs
