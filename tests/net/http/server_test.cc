// SPDX-License-Identifier: Apache-2.0
#include "net/http/server.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "net/http/content_coding.h"
#include "tests/net/http/server_fixture.h"

namespace vexfs::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string patterned(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

using server_test = over_transports;
VEXFS_OVER_TRANSPORTS(server_test);

TEST_P(server_test, requests_of_one_connection_are_answered) {
  test_server server(GetParam());
  test_client client(server.port());
  EXPECT_EQ(client.ask(get("/hello")), "hello");
  EXPECT_EQ(client.ask(get("/later/3")), "3");
  EXPECT_EQ(client.ask(post("/echo", "body")), "body");
  EXPECT_EQ(client.ask(get("/nothing")), "404");
  EXPECT_EQ(client.ask(post("/echo", "")), "");
}

TEST_P(server_test, connections_go_to_the_core_with_the_fewest_even_in_a_burst) {
  test_server server(GetParam(), 2);
  std::vector<test_client> clients;
  for (int i = 0; i < 64; ++i)
    clients.emplace_back(server.port());
  for (auto& client : clients)
    EXPECT_EQ(client.ask(get("/hello")), "hello");
  EXPECT_EQ(server.connection_count(), 64U);
  clients.clear();
  EXPECT_TRUE(eventually([&] { return server.connection_count() == 0; }));
}

TEST_P(server_test, pipelined_answers_keep_the_order_of_their_requests) {
  test_server server(GetParam());
  test_client client(server.port());
  std::string requests;
  std::vector<std::string> expected;
  for (int i = 0; i < 300; ++i) {
    const int turns = (i * 37) % 11;
    if (i % 3 == 0) {
      requests += get("/hello");
      expected.push_back("hello");
    } else {
      requests += get("/later/" + std::to_string(turns));
      expected.push_back(std::to_string(turns));
    }
  }
  ASSERT_TRUE(client.send(requests));
  for (const std::string& body : expected) {
    const auto got = client.receive();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, body);
  }
}

TEST_P(server_test, a_stream_cut_at_every_byte_is_answered_as_the_whole) {
  test_server server(GetParam(), 1);
  const std::string stream = get("/hello") + post("/echo", "0123456789") + get("/later/1");
  test_client client(server.port());
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    ASSERT_TRUE(client.send(std::string_view(stream).substr(0, cut)));
    ASSERT_TRUE(client.send(std::string_view(stream).substr(cut)));
    for (const char* body : {"hello", "0123456789", "1"}) {
      const auto got = client.receive();
      ASSERT_TRUE(got) << cut;
      EXPECT_EQ(got->body, body) << cut;
    }
  }
}

TEST_P(server_test, more_requests_than_may_be_in_flight_wait_and_are_answered) {
  connection_limits limits;
  limits.exchanges_max = 4;
  test_server server(GetParam(), 1, limits);
  test_client client(server.port());
  std::string requests;
  for (int i = 0; i < 100; ++i)
    requests += get("/later/" + std::to_string(i % 5 + 1));
  ASSERT_TRUE(client.send(requests));
  client.end_sending();  // those that wait are answered although nothing more comes
  for (int i = 0; i < 100; ++i) {
    const auto got = client.receive();
    ASSERT_TRUE(got) << i;
    EXPECT_EQ(got->body, std::to_string(i % 5 + 1));
  }
  EXPECT_TRUE(client.at_end());
}

TEST_P(server_test, bodies_of_every_size_arrive_whole) {
  test_server server(GetParam());
  test_client client(server.port());
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{16'000}, inline_body_bytes_max - 1, inline_body_bytes_max,
        inline_body_bytes_max + 1, std::size_t{300'000}, in_place_body_bytes_min - 1,
        in_place_body_bytes_min, std::size_t{5'000'000}}) {
    const std::string body = patterned(size);
    EXPECT_TRUE(client.ask(post("/echo", body)) == body) << size;
  }
}

TEST_P(server_test, large_bodies_and_small_requests_share_a_stream) {
  const std::uint32_t seed = 11;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  test_server server(GetParam());
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&server, own_seed = random()] {
      std::mt19937 own(own_seed);
      test_client client(server.port());
      for (int round = 0; round < 20; ++round) {
        const std::string body = patterned(own() % (round % 4 == 0 ? 4'000'000 : 400'000));
        const std::string stream = get("/hello") + post("/echo", body) + get("/later/2");
        std::thread sender([&] {
          std::size_t at = 0;
          while (at < stream.size()) {
            const std::size_t size = std::min<std::size_t>(stream.size() - at, 1 + own() % 100'000);
            EXPECT_TRUE(client.send(std::string_view(stream).substr(at, size)));
            at += size;
          }
        });
        const auto first = client.receive();
        const auto second = client.receive();
        const auto third = client.receive();
        sender.join();
        ASSERT_TRUE(first && second && third);
        EXPECT_EQ(first->body, "hello");
        EXPECT_TRUE(second->body == body);
        EXPECT_EQ(third->body, "2");
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
}

TEST_P(server_test, chunked_bodies_arrive_whole) {
  test_server server(GetParam());
  test_client client(server.port());
  const std::string body = patterned(100'000);
  std::string request = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t at = 0; at < body.size(); at += 10'000)
    request += "2710\r\n" + body.substr(at, 10'000) + "\r\n";
  EXPECT_TRUE(client.ask(request + "0\r\n\r\n") == body);
  EXPECT_EQ(client.ask(get("/hello")), "hello");
}

TEST_P(server_test, a_body_too_large_is_refused_and_the_client_can_read_why) {
  connection_limits limits;
  limits.parsing.body_bytes_max = 1000;
  test_server server(GetParam(), 1, limits);
  test_client client(server.port());
  // More than fits into the sockets' buffers: the client is still sending when it is refused.
  client.send(post("/echo", patterned(8'000'000)));
  const auto got = client.receive();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status(), 400);
  EXPECT_EQ(got->body, "JSON payload (8000000 bytes) is larger than allowed (limit: 1000 bytes).");
  EXPECT_THAT(got->head, HasSubstr("connection: close"));
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(server.answers.handled_count.load(), 0U);
}

TEST_P(server_test, garbage_is_answered_400_behind_the_answers_before_it) {
  test_server server(GetParam(), 1);
  test_client client(server.port());
  ASSERT_TRUE(client.send(get("/later/5") + "garbage\r\n\r\n" + get("/hello")));
  EXPECT_EQ(client.receive()->body, "5");
  const auto refused = client.receive();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status(), 400);
  EXPECT_EQ(refused->body, "");
  client.end_sending();
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(server.answers.handled_count.load(), 1U);
}

TEST_P(server_test, an_endless_head_is_answered_431) {
  test_server server(GetParam(), 1);
  test_client client(server.port());
  client.send("GET / HTTP/1.1\r\nX: " + std::string(200'000, 'a'));
  const auto got = client.receive();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status(), 431);
}

TEST_P(server_test, continue_is_said_before_the_body_and_behind_earlier_answers) {
  test_server server(GetParam(), 1);
  test_client client(server.port());
  const std::string body =
      patterned(2'000'000);  // very large: granted first, then received in place
  for (const std::string& sent : {std::string("small"), body}) {
    const std::string whole = post("/echo", sent, "Expect: 100-continue\r\n");
    const std::size_t head_size = whole.size() - sent.size();
    ASSERT_TRUE(client.send(get("/later/3") + whole.substr(0, head_size)));
    EXPECT_EQ(client.receive()->body, "3");
    const auto said = client.receive();
    ASSERT_TRUE(said);
    EXPECT_EQ(said->head, "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_TRUE(client.ask(sent) == sent);
  }
}

TEST_P(server_test, head_has_no_body_and_the_stream_goes_on) {
  test_server server(GetParam(), 1);
  test_client client(server.port());
  ASSERT_TRUE(client.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n" + get("/hello")));
  const auto got = client.receive(true);
  ASSERT_TRUE(got);
  EXPECT_THAT(got->head, HasSubstr("content-length: 5"));
  EXPECT_EQ(client.receive()->body, "hello");
}

TEST_P(server_test, close_is_kept_by_both_sides) {
  test_server server(GetParam(), 1);
  {
    test_client client(server.port());
    ASSERT_TRUE(client.send(get("/hello", "Connection: close\r\n")));
    EXPECT_THAT(client.receive()->head, HasSubstr("connection: close\r\n"));
    EXPECT_TRUE(client.at_end());
  }
  {
    test_client client(server.port());
    ASSERT_TRUE(client.send(get("/close") + get("/hello")));
    EXPECT_THAT(client.receive()->head, HasSubstr("connection: close\r\n"));
    client.end_sending();
    EXPECT_TRUE(client.at_end()) << "what was asked behind a close is not answered";
  }
}

TEST_P(server_test, old_clients_are_told_what_they_need) {
  test_server server(GetParam(), 1);
  test_client once(server.port());
  ASSERT_TRUE(once.send("GET /hello HTTP/1.0\r\n\r\n"));
  EXPECT_THAT(once.receive()->head, HasSubstr("connection: close\r\n"));
  EXPECT_TRUE(once.at_end());
  test_client again(server.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(again.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    EXPECT_THAT(again.receive()->head, HasSubstr("connection: keep-alive\r\n"));
  }
}

TEST_P(server_test, a_client_that_ends_sending_still_gets_its_answers) {
  test_server server(GetParam(), 1);
  test_client client(server.port());
  ASSERT_TRUE(client.send(get("/later/50") + get("/hello")));
  client.end_sending();
  EXPECT_EQ(client.receive()->body, "50");
  EXPECT_EQ(client.receive()->body, "hello");
  EXPECT_TRUE(client.at_end());
}

TEST_P(server_test, a_peer_that_does_not_read_stops_being_read) {
  connection_limits limits;
  limits.output_bytes_max = 100'000;
  test_server server(GetParam(), 1, limits);
  test_client client(server.port(), 4096);
  constexpr std::uint32_t wanted = 2000;
  std::thread sender([&] {
    for (std::uint32_t i = 0; i < wanted; ++i)
      if (!client.send(get("/bytes/10000"))) return;
  });
  // The same core goes on serving others; the stalled one has come to rest when only they count.
  test_client other(server.port());
  const auto& handled = server.answers.handled_count;
  std::uint32_t asked = 0;
  EXPECT_TRUE(eventually([&] {
    const std::uint32_t before = handled.load();
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ(other.ask(get("/hello")), "hello");
    asked += 20;
    return before != 0 && handled.load() - before == 20;
  }));
  // 20 MB of answers: were they all made, they would wait in memory. The sockets hold some 4 MB.
  EXPECT_LT(handled.load() - asked, wanted / 2);
  for (std::uint32_t i = 0; i < wanted; ++i) {
    const auto got = client.receive();
    ASSERT_TRUE(got) << i;
    EXPECT_EQ(got->body.size(), 10'000U);
  }
  sender.join();
}

TEST_P(server_test, disconnects_in_every_state_leave_nothing_behind) {
  test_server server(GetParam());
  const std::string body = patterned(2'000'000);
  const std::string upload = post("/echo", body);
  const std::vector<std::string> states{
      "",
      "GET /hel",
      get("/hello"),
      get("/later/20"),
      get("/later/20") + "GET /x",
      upload.substr(0, 100),
      upload.substr(0, 1'500'000),
      upload,
      get("/bytes/5000000"),
      get("/bytes/5000000") + get("/later/10") + get("/hello"),
      "garbage\r\n\r\n",
      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
      post("/echo", "1", "Expect: 100-continue\r\n").substr(0, 60),
  };
  for (int round = 0; round < 10; ++round) {
    for (const std::string& state : states) {
      test_client polite(server.port());
      polite.send(state);
      polite.hang_up();
      test_client crashed(server.port());
      crashed.send(state);
      crashed.reset();
      test_client half(server.port());
      half.send(state);
      half.end_sending();
      half.hang_up();
    }
  }
  EXPECT_TRUE(eventually([&] { return server.connection_count() == 0; }));
  EXPECT_EQ(test_client(server.port()).ask(get("/hello")), "hello");
}

TEST_P(server_test, bodies_wait_for_their_turn_when_their_memory_is_spent) {
  connection_limits limits;
  limits.body_budget_bytes = 250'000;
  test_server server(GetParam(), 1, limits);
  const std::string body = patterned(200'000);
  std::vector<std::thread> threads;
  for (int n = 0; n < 8; ++n)
    threads.emplace_back([&] {
      test_client client(server.port());
      for (int round = 0; round < 10; ++round)
        EXPECT_TRUE(client.ask(post("/echo", body)) == body);
    });
  for (auto& thread : threads)
    thread.join();
}

TEST_P(server_test, a_body_that_waits_for_memory_may_leave) {
  connection_limits limits;
  limits.body_budget_bytes = 250'000;
  test_server server(GetParam(), 1, limits);
  const std::string upload = post("/echo", patterned(200'000));
  test_client first(server.port());
  ASSERT_TRUE(first.send(upload.substr(0, 150'000)));
  std::vector<test_client> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back(server.port());
    ASSERT_TRUE(waiting.back().send(upload.substr(0, 1000)));
  }
  waiting[1].reset();
  ASSERT_TRUE(first.send(upload.substr(150'000)));
  EXPECT_TRUE(first.receive());
  for (const int i : {0, 2}) {
    ASSERT_TRUE(waiting[static_cast<std::size_t>(i)].send(upload.substr(1000)));
    EXPECT_TRUE(waiting[static_cast<std::size_t>(i)].receive());
  }
}

TEST_P(server_test, large_answers_are_packed_for_clients_that_accept_it) {
  test_server server(GetParam(), 1);
  test_client client(server.port());
  for (const auto& [path, size] : {std::pair{"/text/2000", 2000U}, {"/text/1000000", 1'000'000U}}) {
    ASSERT_TRUE(client.send(get(path, "Accept-Encoding: gzip, deflate\r\n")));
    const auto got = client.receive();
    ASSERT_TRUE(got);
    EXPECT_THAT(got->head, HasSubstr("content-encoding: gzip\r\n"));
    EXPECT_THAT(got->head, HasSubstr("vary: accept-encoding\r\n"));
    EXPECT_LT(got->body.size(), size / 10);
    std::string out;
    std::string_view rest = got->body;
    const auto unpacking = make_unpacker(content_coding::gzip);
    while (unpacking->unpack(rest, out) == unpacker::outcome::more) {
    }
    EXPECT_TRUE(out == std::string(size, 'x'));
  }
  ASSERT_TRUE(client.send(get("/text/100", "Accept-Encoding: gzip\r\n") + get("/text/2000") +
                          get("/bytes/2000", "Accept-Encoding: gzip\r\n")));
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(client.receive()->head, Not(HasSubstr("encoding")));
}

TEST_P(server_test, packed_bodies_are_unpacked_up_to_the_limit) {
  connection_limits limits;
  limits.parsing.body_bytes_max = 1'000'000;
  test_server server(GetParam(), 1, limits);
  const auto packed = [](content_coding coding, const std::string& content) {
    std::string out;
    EXPECT_TRUE(make_packer(coding)->pack(content, true, out));
    return out;
  };
  test_client client(server.port());
  const std::string body = patterned(900'000);
  const std::string bomb(1'000'001, 'x');
  for (const content_coding coding :
       {content_coding::br, content_coding::zstd, content_coding::gzip, content_coding::deflate}) {
    const std::string line = "Content-Encoding: " + std::string(name_of(coding)) + "\r\n";
    EXPECT_TRUE(client.ask(post("/echo", packed(coding, body), line)) == body);
    EXPECT_EQ(client.ask(post("/echo", packed(coding, bomb), line)), "400");
    EXPECT_EQ(client.ask(post("/echo", packed(coding, body).substr(0, 1000), line)), "400");
    EXPECT_EQ(client.ask(post("/echo", "not packed at all", line)), "400");
  }
  EXPECT_EQ(client.ask(post("/echo", "x", "Content-Encoding: identity\r\n")), "x");
  EXPECT_EQ(client.ask(post("/echo", "x", "Content-Encoding: compress\r\n")), "400");
}

TEST_P(server_test, a_connection_over_the_limit_is_answered_429) {
  connection_limits limits;
  limits.connections_max = 3;
  test_server server(GetParam(), 2, limits);
  std::vector<test_client> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back(server.port());
    EXPECT_EQ(clients.back().ask(get("/hello")), "hello");
  }
  test_client fourth(server.port());
  const auto got = fourth.receive();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status(), 429);
  EXPECT_THAT(got->head, HasSubstr("retry-after: 1\r\n"));
  clients.pop_back();
  EXPECT_TRUE(eventually([&] { return server.connection_count() == 2; }));
  EXPECT_EQ(test_client(server.port()).ask(get("/hello")), "hello");
}

TEST_P(server_test, stop_answers_what_is_in_flight_and_closes_the_rest) {
  test_server server(GetParam(), 2);
  std::vector<test_client> idle;
  for (int i = 0; i < 4; ++i) {
    idle.emplace_back(server.port());
    EXPECT_EQ(idle.back().ask(get("/hello")), "hello");
  }
  std::vector<test_client> busy;
  for (int i = 0; i < 4; ++i) {
    busy.emplace_back(server.port());
    ASSERT_TRUE(busy.back().send(get("/later/2000")));
  }
  ASSERT_TRUE(eventually([&] { return server.answers.handled_count.load() == 8; }));
  server.begin_stop();
  for (auto& client : busy) {
    const auto got = client.receive();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->body, "2000");
    EXPECT_TRUE(client.at_end());
  }
  for (auto& client : idle)
    EXPECT_TRUE(client.at_end());
  server.stop();
}

TEST_P(server_test, a_taken_port_is_an_error_that_names_it) {
  test_server server(GetParam(), 1);
  test_service other;
  const auto second =
      server::listen({.host = "127.0.0.1", .port = server.port(), .limits = {}}, other, 1);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().text, HasSubstr(std::to_string(server.port())));
  EXPECT_THAT(second.error().text, HasSubstr("taken"));
}

TEST_P(server_test, many_clients_with_a_connection_for_each_request_are_served) {
  test_server server(GetParam(), 2);
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n)
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        EXPECT_EQ(test_client(server.port()).ask(get("/later/1", "Connection: close\r\n")), "1");
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_TRUE(eventually([&] { return server.connection_count() == 0; }));
}

}  // namespace
}  // namespace vexfs::http
