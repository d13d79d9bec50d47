// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/rest/server_state.h"

namespace vexfs::rest {
namespace {

/// Two routes, a collection "a\"b", and some answers.
class metrics_test : public ::testing::Test {
 protected:
  void SetUp() override {
    add_route(http::method::post, "/collections/{name}/points/query");
    add_route(http::method::get, "/collections/{name}");
    state_.routes = &routes_;
    state_.requests.all.resize(2);
    answer_count good;
    good.add(900, 1'700'000'000'000'000);
    good.add(1'000, 1'700'000'001'000'000);
    good.add(60'000'000, 1'700'000'002'000'000);
    answer_count bad;
    bad.add(5, 1);
    state_.requests.all[0] = {{200, good}, {404, bad}};
    state_.requests.all[1] = {{200, good}};
    state_.requests.by_collection["a\"b"] = state_.requests.all;
    state_.peer_id = 17;
    collection_info info;
    info.points_count = 12;
    info.vectors = {{"image", 11, 4400}};
    state_.collections.emplace_back("a\"b", info);
  }
  void add_route(http::method verb, std::string pattern) {
    routes_.push_back(std::make_unique<http::route>());
    routes_.back()->verb = verb;
    routes_.back()->pattern = std::move(pattern);
  }
  std::string metrics(bool per_collection) {
    std::string text;
    append_metrics(text, state_, per_collection);
    return text;
  }
  static void expect_line(const std::string& text, const std::string& line) {
    EXPECT_NE(("\n" + text).find("\n" + line + "\n"), std::string::npos) << line << "\n" << text;
  }

  std::vector<std::unique_ptr<http::route>> routes_;
  server_state state_;
};

TEST_F(metrics_test, histograms_are_cumulative_and_end_with_all_answers) {
  const std::string text = metrics(false);
  const std::string labels =
      R"(method="POST",endpoint="/collections/{collection_name}/points/query",status="200")";
  expect_line(text, "rest_responses_total{" + labels + "} 3");
  expect_line(text, "rest_responses_duration_seconds_bucket{" + labels + ",le=\"0.001\"} 2");
  expect_line(text, "rest_responses_duration_seconds_bucket{" + labels + ",le=\"1\"} 2");
  expect_line(text, "rest_responses_duration_seconds_bucket{" + labels + ",le=\"+Inf\"} 3");
  expect_line(text, "rest_responses_duration_seconds_count{" + labels + "} 3");
  expect_line(text, "rest_responses_min_duration_seconds{" + labels + "} 0.0009");
  expect_line(text, "rest_responses_max_duration_seconds{" + labels + "} 60.0");
}

TEST_F(metrics_test, only_what_reads_and_writes_points_is_told_and_only_successes_are_timed) {
  const std::string text = metrics(false);
  EXPECT_EQ(text.find("endpoint=\"/collections/{collection_name}\""), std::string::npos);
  EXPECT_NE(text.find("status=\"404\"} 1"), std::string::npos);
  EXPECT_EQ(text.find("duration_seconds_count{method=\"POST\",endpoint=\"/collections/"
                      "{collection_name}/points/query\",status=\"404\""),
            std::string::npos);
}

TEST_F(metrics_test, names_of_collections_are_labels_only_where_that_is_asked_for) {
  EXPECT_EQ(metrics(false).find("status=\"200\",collection="), std::string::npos);
  EXPECT_NE(metrics(true).find(R"(status="200",collection="a\"b"} 3)"), std::string::npos);
  expect_line(metrics(false), R"(collection_points{id="a\"b"} 12)");
  expect_line(metrics(false), R"(collection_vectors{collection="a\"b",vector="image"} 11)");
}

TEST_F(metrics_test, every_family_is_introduced_once_and_before_its_values) {
  const std::string text = metrics(false);
  std::string family;
  std::vector<std::string> seen;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_EQ(std::count(seen.begin(), seen.end(), family), 0) << family;
      seen.push_back(family);
    } else if (!line.starts_with('#')) {
      EXPECT_TRUE(line.starts_with(family)) << line;
    }
  }
  EXPECT_GT(seen.size(), 20U);
}

TEST_F(metrics_test, telemetry_tells_more_of_collections_with_every_level) {
  std::size_t before = 0;
  for (std::uint64_t level = 0; level <= 4; ++level) {
    std::string text;
    append_telemetry(text, state_, level, false);
    EXPECT_EQ(text.find("\"segments\":") != std::string::npos, level >= 4) << level;
    EXPECT_EQ(text.find("\"shards\"") != std::string::npos, level >= 3) << level;
    EXPECT_EQ(text.find("\"memory\"") != std::string::npos, level >= 1) << level;
    EXPECT_NE(text.find(R"("POST /collections/{collection_name}/points/query":{"200":{"count":3)"),
              std::string::npos);
    EXPECT_EQ(text.find("per_collection_responses"), std::string::npos);
    EXPECT_NE(text.size(), before);
    before = text.size();
  }
  std::string text;
  append_telemetry(text, state_, 0, true);
  EXPECT_NE(text.find(R"("per_collection_responses":{"a\"b":{)"), std::string::npos);
}

}  // namespace
}  // namespace vexfs::rest
