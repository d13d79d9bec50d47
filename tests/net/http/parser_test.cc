// SPDX-License-Identifier: Apache-2.0
#include "net/http/parser.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/net/http/read_in_pieces.h"

namespace vexfs::http {
namespace {

using outcome = parser::outcome;

const std::vector<std::string> inputs{
    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a//b/?limit=1&x=%20 HTTP/1.1\r\nHost: x\r\nApi-Key: secret\r\nX-Request-ID: 17\r\n\r\n",
    "GET http://proxy:80/through?a=b HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://proxy:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "HEAD /h HTTP/1.0\r\n\r\n",
    "GET /h HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "\r\n\r\nGET /after-empty-lines HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "PUT /c HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n"
    "{\"a\": true}",
    "POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4\r\nWiki\r\n5;ext=\"1\"\r\npedia\r\n0\r\nTrailer: dropped\r\nApi-Key: no\r\n\r\n"
    "GET /next HTTP/1.1\r\nHost: x\r\n\r\n",
    "POST /empty HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "DELETE /1 HTTP/1.1\r\nHost: x\r\n\r\nPATCH /2 HTTP/1.1\r\nHost: x\r\nContent-Length: "
    "2\r\n\r\n{}"
    "OPTIONS /3 HTTP/1.1\r\nHost: x\r\nOrigin: http://o\r\n"
    "Access-Control-Request-Method: PUT\r\n\r\nBREW /4 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /twice HTTP/1.1\r\nHost: x\r\nApi-Key: first\r\nApi-Key: second\r\n\r\n",
    "GET /folded HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\r\n  folded\r\n\r\n",
};

TEST(parser_test, every_split_of_an_input_gives_the_requests_of_the_whole) {
  for (const std::string& input : inputs) {
    const reading whole = read_in_pieces(input, {});
    EXPECT_EQ(whole.last, outcome::complete) << input;
    for (std::size_t cut = 1; cut < input.size(); ++cut)
      EXPECT_EQ(read_in_pieces(input, {cut}), whole) << input << "\ncut at " << cut;
    std::vector<std::size_t> everywhere;
    for (std::size_t cut = 1; cut < input.size(); ++cut)
      everywhere.push_back(cut);
    EXPECT_EQ(read_in_pieces(input, everywhere), whole) << input;
  }
}

TEST(parser_test, all_inputs_in_one_stream_give_the_requests_of_each) {
  std::string stream;
  std::vector<std::string> expected;
  for (const std::string& input : inputs) {
    stream += input;
    for (std::string& one : read_in_pieces(input, {}).requests)
      expected.push_back(std::move(one));
  }
  EXPECT_EQ(read_in_pieces(stream, {}).requests, expected);
  const std::uint32_t seed = 20240607;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::size_t> cuts;
    for (std::size_t at = 1 + random() % 200; at < stream.size(); at += 1 + random() % 200)
      cuts.push_back(at);
    EXPECT_EQ(read_in_pieces(stream, cuts).requests, expected);
  }
}

TEST(parser_test, a_request_says_what_was_sent) {
  parser parsing{parser_limits{}};
  request got;
  arena memory;
  parsing.start(got, memory);
  std::size_t taken = 0;
  ASSERT_EQ(parsing.feed("POST /a/b?c=d HTTP/1.1\r\nHost: h\r\nAUTHORIZATION: Bearer t\r\n"
                         "content-length: 3\r\n\r\nxyzREST",
                         taken),
            outcome::complete);
  EXPECT_EQ(got.verb, method::post);
  EXPECT_EQ(got.path, "/a/b");
  EXPECT_EQ(got.query, "c=d");
  EXPECT_EQ(got.value_of(header::authorization), "Bearer t");
  EXPECT_EQ(got.value_of(header::api_key), "");
  EXPECT_EQ(got.body, "xyz");
  EXPECT_TRUE(got.keep_alive);
}

TEST(parser_test, what_is_not_http_is_a_bad_request) {
  for (const char* input : {"hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                            "GET / HTTP/3.9\r\n\r\n", "GET / HTTP/1.1\r\nA: \x01\r\n\r\n",
                            "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                            "GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                            "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
                            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 client hello\r\n\r\n"}) {
    const reading seen = read_in_pieces(input, {});
    EXPECT_EQ(seen.last, outcome::bad_request) << input;
    EXPECT_TRUE(seen.requests.empty()) << input;
  }
}

TEST(parser_test, a_request_whose_end_proxies_could_see_elsewhere_is_refused) {
  for (const char* input :
       {"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"})
    EXPECT_EQ(read_in_pieces(input, {}).last, outcome::bad_request) << input;
}

TEST(parser_test, a_head_beyond_its_limit_is_refused_in_whatever_pieces_it_comes) {
  const parser_limits limits{.head_bytes_max = 1000, .body_bytes_max = 100};
  std::string endless = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 200; ++i)
    endless += "X-Header-" + std::to_string(i) + ": value\r\n";
  std::string long_line = "GET /" + std::string(5000, 'a');
  for (const std::string& input : {endless, endless + "\r\n", long_line}) {
    EXPECT_EQ(read_in_pieces(input, {}, limits).last, outcome::head_too_large);
    for (const std::size_t step : {1U, 7U, 100U}) {
      std::vector<std::size_t> cuts;
      for (std::size_t at = step; at < input.size(); at += step)
        cuts.push_back(at);
      EXPECT_EQ(read_in_pieces(input, cuts, limits).last, outcome::head_too_large);
    }
  }
}

TEST(parser_test, a_head_of_just_its_limit_is_taken) {
  const parser_limits limits{.head_bytes_max = 1000, .body_bytes_max = 100};
  const std::string start = "GET / HTTP/1.1\r\nA: ";
  const std::string input = start + std::string(1000 - start.size() - 4, 'a') + "\r\n\r\n";
  EXPECT_EQ(read_in_pieces(input, {}, limits).last, outcome::complete);
}

TEST(parser_test, a_body_beyond_its_limit_is_refused_with_the_sizes) {
  const parser_limits limits{.head_bytes_max = 1000, .body_bytes_max = 100};
  parser parsing(limits);
  request got;
  arena memory;
  parsing.start(got, memory);
  std::size_t taken = 0;
  EXPECT_EQ(parsing.feed("POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", taken),
            outcome::body_too_large);
  EXPECT_EQ(parsing.too_large_text(),
            "JSON payload (101 bytes) is larger than allowed (limit: 100 bytes).");
  EXPECT_EQ(read_in_pieces("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'a'),
                           {}, limits)
                .last,
            outcome::complete);
}

TEST(parser_test, a_chunked_body_beyond_its_limit_is_refused_before_it_comes) {
  const parser_limits limits{.head_bytes_max = 1000, .body_bytes_max = 100};
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read_in_pieces(head + "65\r\na", {}, limits).last, outcome::body_too_large);
  EXPECT_EQ(read_in_pieces(head + "ffffffffffffffff\r\n", {}, limits).last,
            outcome::body_too_large);
  const std::string half = "32\r\n" + std::string(50, 'a') + "\r\n";
  EXPECT_EQ(read_in_pieces(head + half + half + "0\r\n\r\n", {}, limits).last, outcome::complete);
  EXPECT_EQ(read_in_pieces(head + half + half + "1\r\na", {}, limits).last,
            outcome::body_too_large);
}

TEST(parser_test, an_endless_chunk_extension_or_trailer_is_refused) {
  const parser_limits limits{.head_bytes_max = 1000, .body_bytes_max = 100};
  const std::string head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read_in_pieces(head + "1;" + std::string(2000, 'a'), {}, limits).last,
            outcome::bad_request);
  EXPECT_EQ(read_in_pieces(head + "0\r\nA: " + std::string(2000, 'a'), {}, limits).last,
            outcome::bad_request);
}

TEST(parser_test, a_large_body_waits_until_it_is_accepted_and_may_be_put_in_place) {
  const std::size_t size = inline_body_bytes_max + 1000;
  const std::string head =
      "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  parser parsing{parser_limits{}};
  request got;
  arena memory;
  parsing.start(got, memory);
  std::size_t taken = 0;
  const std::string start = head + "begin";
  EXPECT_EQ(parsing.feed(start, taken), outcome::large_body);
  EXPECT_EQ(taken, head.size());
  EXPECT_TRUE(parsing.body_room().empty());
  EXPECT_EQ(parsing.body_bytes_wanted(), size);
  EXPECT_EQ(parsing.feed(std::string_view(start).substr(taken), taken), outcome::large_body);
  EXPECT_EQ(taken, 0U);
  parsing.accept_body();
  EXPECT_EQ(parsing.feed("begin", taken), outcome::need_more);
  EXPECT_EQ(taken, 5U);
  std::string rest;
  for (std::size_t i = 5; i < size; ++i)
    rest += static_cast<char>('a' + i % 26);
  for (std::size_t at = 0; at < rest.size();) {
    const auto room = parsing.body_room();
    ASSERT_EQ(room.size(), rest.size() - at);
    const std::size_t count = std::min<std::size_t>(10'000, room.size());
    std::memcpy(room.data(), rest.data() + at, count);
    at += count;
    EXPECT_EQ(parsing.body_received(count),
              at == rest.size() ? outcome::complete : outcome::need_more);
  }
  EXPECT_EQ(got.body, "begin" + rest);
}

TEST(parser_test, expect_continue_is_reported_once_and_not_for_old_clients) {
  parser parsing{parser_limits{}};
  request got;
  arena memory;
  std::size_t taken = 0;
  parsing.start(got, memory);
  EXPECT_EQ(
      parsing.feed("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n", taken),
      outcome::need_more);
  EXPECT_TRUE(parsing.head_done());
  EXPECT_TRUE(parsing.take_expect_continue());
  EXPECT_FALSE(parsing.take_expect_continue());
  parsing.start(got, memory);
  EXPECT_EQ(
      parsing.feed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", taken),
      outcome::need_more);
  EXPECT_FALSE(parsing.take_expect_continue());
}

TEST(parser_test, random_damage_never_gives_more_than_an_error) {
  const std::uint32_t seed = 77;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const parser_limits limits{.head_bytes_max = 2000, .body_bytes_max = 1000};
  for (int round = 0; round < 20'000; ++round) {
    std::string input = inputs[random() % inputs.size()] + inputs[random() % inputs.size()];
    for (std::uint32_t flips = random() % 4; flips > 0; --flips)
      input[random() % input.size()] = static_cast<char>(random());
    const std::size_t cut = random() % input.size();
    const reading whole = read_in_pieces(input, {}, limits);
    const reading split = read_in_pieces(input, {cut}, limits);
    EXPECT_EQ(split.requests, whole.requests) << "round " << round;
  }
}

}  // namespace
}  // namespace vexfs::http
