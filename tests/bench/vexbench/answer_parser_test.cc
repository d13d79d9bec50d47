// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/answer_parser.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vexfs::bench {
namespace {

struct parsed {
  int status;
  std::string body;
  bool closes;
  bool operator==(const parsed&) const = default;
};

// Feeds the pieces; empty where the parser found fault.
std::vector<parsed> parse(const std::vector<std::string_view>& pieces, bool at_end = false) {
  std::vector<parsed> answers;
  answer_parser parsing;
  parsing.start(true);
  for (std::string_view piece : pieces)
    while (!piece.empty()) {
      std::size_t used = 0;
      const auto outcome = parsing.feed(piece, used);
      piece.remove_prefix(used);
      if (outcome == answer_parser::outcome::bad) return {};
      if (outcome == answer_parser::outcome::more) {
        EXPECT_TRUE(piece.empty()) << "more wanted, but bytes left";
        continue;
      }
      answers.push_back({parsing.status(), parsing.body(), parsing.closes()});
      parsing.start(true);
    }
  if (at_end && parsing.finish()) answers.push_back({parsing.status(), parsing.body(), true});
  return answers;
}

const std::string three_answers =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    "HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"
    "A;ext=1\r\n0123456789\r\n0\r\nX: y\r\n\r\n"
    "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
const std::vector<parsed> three_parsed{
    {200, "hello", false}, {404, "abc0123456789", false}, {204, "", true}};

TEST(answer_parser, answers_are_the_same_at_every_split) {
  const std::string_view all = three_answers;
  EXPECT_EQ(parse({all}), three_parsed);
  for (std::size_t first = 0; first <= all.size(); ++first)
    for (std::size_t second = first; second <= all.size(); second += 7)
      ASSERT_EQ(
          parse({all.substr(0, first), all.substr(first, second - first), all.substr(second)}),
          three_parsed)
          << "cut at " << first << " and " << second;
}

TEST(answer_parser, one_byte_at_a_time) {
  std::vector<std::string_view> bytes;
  for (std::size_t at = 0; at < three_answers.size(); ++at)
    bytes.push_back(std::string_view(three_answers).substr(at, 1));
  EXPECT_EQ(parse(bytes), three_parsed);
}

TEST(answer_parser, an_answer_without_a_length_ends_with_the_connection) {
  EXPECT_EQ(parse({"HTTP/1.0 200 OK\r\n\r\nall", " of it"}, true),
            (std::vector<parsed>{{200, "all of it", true}}));
}

TEST(answer_parser, an_answer_that_has_no_body_by_its_status_has_none_whatever_its_head_says) {
  for (const std::string head : {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
                                 "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"}) {
    const std::string both = head + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    const auto answers = parse({both});
    ASSERT_EQ(answers.size(), 2U) << head;
    EXPECT_EQ(answers[0].body, "");
    EXPECT_EQ(answers[1], (parsed{200, "x", false}));
  }
}

TEST(answer_parser, a_body_without_an_end_is_refused_where_it_is_kept) {
  const std::string piece(1 << 20, 'b');
  for (const bool keep : {false, true}) {
    answer_parser parsing;
    parsing.start(keep);
    std::size_t used = 0;
    ASSERT_EQ(parsing.feed("HTTP/1.1 200 OK\r\n\r\n", used), answer_parser::outcome::more);
    auto outcome = answer_parser::outcome::more;
    for (std::size_t fed = 0;
         outcome == answer_parser::outcome::more && fed <= 2 * answer_parser::kept_body_bytes_max;
         fed += piece.size())
      outcome = parsing.feed(piece, used);
    EXPECT_EQ(outcome, keep ? answer_parser::outcome::bad : answer_parser::outcome::more);
    EXPECT_LE(parsing.body().size(), answer_parser::kept_body_bytes_max);
    EXPECT_EQ(parsing.fault().find("too long") != std::string_view::npos, keep);
  }
}

TEST(answer_parser, continue_precedes_the_answer) {
  EXPECT_EQ(parse({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"}),
            (std::vector<parsed>{{200, "x", false}}));
}

TEST(answer_parser, what_is_not_http_is_refused) {
  for (const std::string_view wrong :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"})
    EXPECT_TRUE(parse({wrong}).empty()) << wrong;
  const std::string endless = "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x');
  answer_parser parsing;
  parsing.start(false);
  std::size_t used = 0;
  EXPECT_EQ(parsing.feed(endless, used), answer_parser::outcome::bad);
}

TEST(answer_parser, of_a_body_that_is_not_wanted_only_an_errors_beginning_is_kept) {
  for (const auto& [status, kept] : {std::pair<std::string, std::size_t>{"200 OK", 0},
                                     {"500 Oh", answer_parser::error_body_bytes_max}}) {
    answer_parser parsing;
    parsing.start(false);
    const std::string whole =
        "HTTP/1.1 " + status + "\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'b');
    std::size_t used = 0;
    ASSERT_EQ(parsing.feed(whole, used), answer_parser::outcome::complete);
    EXPECT_EQ(parsing.body().size(), kept);
    EXPECT_EQ(parsing.body_bytes(), 5000U);
  }
}

}  // namespace
}  // namespace vexfs::bench
