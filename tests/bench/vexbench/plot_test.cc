// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/plot.h"

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vexfs::bench {
namespace {

operation_report made(std::string name, std::uint32_t first, std::uint32_t last,
                      std::int64_t latency_ns, std::uint64_t units_each) {
  operation_report each;
  each.name = std::move(name);
  for (std::uint32_t second = first; second < last; ++second) {
    histogram during;
    for (int answer = 0; answer < 50; ++answer)
      during.record(latency_ns);
    each.counts.answered += 50;
    each.counts.units += 50 * units_each;
    each.counts.seconds.emplace_back(second, during.take());
  }
  return each;
}

/// A step of ten seconds: two idle, four of load, the rest idle again.
step_report course() {
  step_report step;
  step.name = "mixed";
  step.operations = {
      made("search, idle", 0, 2, 1'000'000, 1), made("search, load", 2, 6, 10'000'000, 1),
      made("search, idle again", 6, 10, 1'000'000, 1), made("upsert", 2, 6, 1'000, 200)};
  recall_report found;
  found.k = 10;
  found.seconds = {{3, 10, 0.95}};
  step.operations[1].recall = found;
  step.marks = {{2.0, "the load begins"}, {6.0, "the load ends"}};
  return step;
}

struct place {
  double x;
  double y;
};
std::vector<std::vector<place>> lines_of(const std::string& svg) {
  std::vector<std::vector<place>> lines;
  const std::regex line("points=\"([^\"]*)\"");
  const std::regex pair("([0-9.]+),([0-9.]+)");
  for (std::sregex_iterator at(svg.begin(), svg.end(), line), end; at != end; ++at) {
    const std::string points = (*at)[1];
    lines.emplace_back();
    for (std::sregex_iterator one(points.begin(), points.end(), pair); one != end; ++one)
      lines.back().push_back({std::stod((*one)[1]), std::stod((*one)[2])});
  }
  return lines;
}

TEST(plot_test, a_course_has_a_line_for_what_was_written_for_times_and_for_recall) {
  const std::string svg = plot_course("a < b & c", course());
  EXPECT_NE(svg.find("a &lt; b &amp; c"), std::string::npos);
  EXPECT_NE(svg.find("2.0 s: the load begins"), std::string::npos);
  EXPECT_NE(svg.find("6.0 s: the load ends"), std::string::npos);
  const auto lines = lines_of(svg);
  ASSERT_EQ(lines.size(), 4U);
  ASSERT_EQ(lines[0].size(), 4U) << "points of the four seconds of load";
  ASSERT_EQ(lines[1].size(), 10U) << "slowest search of each second";
  ASSERT_EQ(lines[2].size(), 10U) << "its median";
  ASSERT_EQ(lines[3].size(), 1U) << "recall of the one second in which answers were kept";
  // 10,000 points a second reach the upper end of their panel, which is a round number.
  EXPECT_NE(svg.find(">10000</text>"), std::string::npos);
  for (const place& one : lines[0])
    EXPECT_DOUBLE_EQ(one.y, lines[0].front().y);
  // Under load a search takes ten times as long: a whole step of the logarithmic scale higher.
  EXPECT_GT(lines[2][0].y - lines[2][3].y, 40);
  EXPECT_DOUBLE_EQ(lines[2][0].y, lines[2][9].y);
  // Seconds stand evenly, the load's points under the load's searches.
  EXPECT_NEAR(lines[1][1].x - lines[1][0].x, lines[1][9].x - lines[1][8].x, 0.11);
  EXPECT_DOUBLE_EQ(lines[0][0].x, lines[1][2].x);
}

TEST(plot_test, a_long_course_puts_several_seconds_into_a_column) {
  step_report step = course();
  step.operations = {made("search, load", 0, 1000, 1'000'000, 1),
                     made("upsert", 0, 1000, 1000, 200)};
  const auto lines = lines_of(plot_course("long", step));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_LE(lines[0].size(), 190U);
  EXPECT_GE(lines[0].size(), 95U);
  EXPECT_NE(plot_course("long", step).find(">10000</text>"), std::string::npos)
      << "still points a second";
}

TEST(plot_test, a_step_in_which_nothing_was_answered_is_a_picture_all_the_same) {
  step_report step;
  step.marks = {{0.0, "the load begins"}};
  const std::string svg = plot_course("nothing", step);
  EXPECT_TRUE(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
  EXPECT_TRUE(lines_of(svg).empty());
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

}  // namespace
}  // namespace vexfs::bench
