// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/load.h"

#include <chrono>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "tests/bench/vexbench/seed.h"
#include "tests/bench/vexbench/stub_server.h"

namespace vexfs::bench {
namespace {

using namespace std::chrono_literals;
using testing::stub_server;
using testing::test_seed;

request_set numbered_requests(const target& server, std::uint32_t count) {
  request_set made;
  for (std::uint32_t index = 0; index < count; ++index)
    made.add(server.request("POST", "/echo", std::to_string(index)), 1);
  return made;
}

// Runs one stream until it is exhausted, a time has passed or a worker fails.
load_result run(const target& server, stream of, std::chrono::milliseconds at_most = 30s,
                std::optional<failure>* failed = nullptr, std::uint32_t threads = 2) {
  load running(server, {std::move(of)}, {.threads = threads, .seed = test_seed()});
  const auto started = running.start();
  EXPECT_TRUE(started) << started.error().text;
  running.set_active(0, true);
  const auto until = std::chrono::steady_clock::now() + at_most;
  while (!running.is_exhausted(0) && !running.failed() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(1ms);
  if (failed) *failed = running.failed();
  return running.finish();
}

stub_server::answer echo(std::string_view, std::string_view body) {
  return {stub_server::http(body)};
}

TEST(load, every_request_of_a_set_is_answered_once_and_its_own_answer_is_kept) {
  stub_server server(echo);
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 2000);
  for (const std::uint32_t pipeline : {1U, 16U}) {
    set_source source(requests, set_source::repeat::once);
    const load_result measured = run(*at, {.operations = {{.name = "echo", .source = &source}},
                                           .connections = 5,
                                           .pipeline = pipeline,
                                           .samples_all = true});
    EXPECT_EQ(measured.of(0, 0).answered, 2000U);
    EXPECT_EQ(measured.of(0, 0).latency.total(), 2000U);
    ASSERT_EQ(measured.samples.size(), 2000U);
    std::vector<bool> seen(2000);
    for (const sample& each : measured.samples) {
      EXPECT_EQ(each.body, std::to_string(each.tag)) << "an answer was taken for another request's";
      EXPECT_FALSE(seen[each.tag]);
      seen[each.tag] = true;
      EXPECT_LE(each.sent_ns, each.answered_ns);
    }
  }
}

// The reason for open loops. The server stalls once; a closed loop sends nothing meanwhile and so
// sees one slow answer on each connection among thousands, the users who would have come in that
// time see nothing else.
TEST(load, a_stall_is_in_the_open_loops_tail_and_hidden_in_the_closed_loops) {
  constexpr auto stall = 300ms;
  constexpr std::uint32_t request_count = 2000;
  std::atomic<int> asked{0};
  std::mutex gate;
  stub_server server([&](std::string_view, std::string_view) {
    const std::lock_guard one_at_a_time(gate);
    if (++asked == 100) std::this_thread::sleep_for(stall);
    return stub_server::answer{stub_server::http("x")};
  });
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, request_count);
  const auto p99 = [&](std::optional<double> rate) {
    asked = 0;
    set_source source(requests, set_source::repeat::once);
    const load_result measured = run(
        *at, {.operations = {{.name = "get", .source = &source}}, .connections = 4, .rate = rate});
    EXPECT_EQ(measured.of(0, 0).answered, request_count);
    return std::chrono::nanoseconds(measured.of(0, 0).latency.value_at(0.99));
  };
  const auto closed = p99(std::nullopt);
  const auto open = p99(1500.0);  // 450 of them are planned during the stall
  EXPECT_GT(open, stall / 2)
      << "requests planned during the stall were not counted from their time";
  EXPECT_LT(closed, stall / 2);
  EXPECT_GT(open, closed);
}

TEST(load, an_open_loop_plans_by_the_clock_whatever_the_answers) {
  stub_server server([](std::string_view, std::string_view) {
    std::this_thread::sleep_for(20ms);  // fifty a second on each connection
    return stub_server::answer{stub_server::http("x")};
  });
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 10);
  for (const arrivals spacing : {arrivals::constant, arrivals::poisson}) {
    set_source source(requests, set_source::repeat::forever);
    const load_result measured = run(*at,
                                     {.operations = {{.name = "get", .source = &source}},
                                      .connections = 2,
                                      .rate = 400,
                                      .spacing = spacing},
                                     1s);
    const tally& all = measured.of(0, 0);
    // Planned: about 400; answered: about 100. What was not sent counts with its waiting time.
    EXPECT_GT(all.unsent, all.answered);
    EXPECT_EQ(all.latency.total(), all.answered + all.unsent + all.unanswered);
    EXPECT_GT(all.latency.value_at(0.99), 400'000'000);
  }
}

TEST(load, a_request_that_becomes_due_at_the_end_is_not_counted_as_kept_by_the_server) {
  stub_server server(echo);
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 10);
  set_source source(requests, set_source::repeat::forever);
  const load_result measured =
      run(*at, {.operations = {{.name = "get", .source = &source}}, .connections = 64, .rate = 50},
          200ms, nullptr, 1);
  EXPECT_EQ(measured.of(0, 0).unsent, 0U);
  EXPECT_EQ(measured.of(0, 0).latency.total(), measured.of(0, 0).answered);
}

TEST(pacer, constant_arrivals_are_even_and_poisson_ones_are_not) {
  pacer even(1000, arrivals::constant, 0.5, random_numbers(test_seed()));
  even.start(0);
  EXPECT_EQ(even.next_ns(), 500'000);
  even.advance();
  EXPECT_EQ(even.next_ns(), 1'500'000);

  pacer drawn(1000, arrivals::poisson, 0, random_numbers(test_seed()));
  drawn.start(0);
  std::int64_t last = 0;
  double sum = 0;
  double squares = 0;
  constexpr int count = 20'000;
  for (int index = 0; index < count; ++index) {
    const double gap_ms = static_cast<double>(drawn.next_ns() - last) / 1e6;
    last = drawn.next_ns();
    sum += gap_ms;
    squares += gap_ms * gap_ms;
    drawn.advance();
  }
  // An exponential distribution's deviation is its mean; both within five standard errors.
  const double mean = sum / count;
  EXPECT_NEAR(mean, 1, 0.04);
  EXPECT_NEAR(std::sqrt(squares / count - mean * mean), 1, 0.08);
}

TEST(load, error_statuses_are_counted_apart_and_the_first_is_quoted) {
  std::atomic<int> asked{0};
  stub_server server([&](std::string_view, std::string_view) {
    if (++asked % 10 == 0) return stub_server::answer{stub_server::http("no room", "507 Full")};
    return stub_server::answer{stub_server::http("x")};
  });
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 100);
  set_source source(requests, set_source::repeat::once);
  const load_result measured =
      run(*at, {.operations = {{.name = "get", .source = &source}}, .connections = 3});
  EXPECT_EQ(measured.of(0, 0).answered, 90U);
  EXPECT_EQ(measured.of(0, 0).error_statuses, 10U);
  EXPECT_EQ(measured.of(0, 0).latency.total(), 90U);
  EXPECT_NE(measured.of(0, 0).first_error.find("507: no room"), std::string::npos)
      << measured.of(0, 0).first_error;
}

TEST(load, a_server_that_closes_after_each_answer_is_connected_to_again) {
  stub_server server([](std::string_view, std::string_view body) {
    return stub_server::answer{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
                                   std::to_string(body.size()) + "\r\n\r\n" + std::string(body),
                               true};
  });
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 60);
  set_source source(requests, set_source::repeat::once);
  const load_result measured =
      run(*at, {.operations = {{.name = "get", .source = &source}}, .connections = 3});
  EXPECT_EQ(measured.of(0, 0).answered, 60U);
  EXPECT_EQ(measured.of(0, 0).lost, 0U);
}

TEST(load, requests_on_a_connection_that_breaks_are_lost_and_the_load_goes_on) {
  std::atomic<int> asked{0};
  stub_server server([&](std::string_view, std::string_view body) {
    if (++asked % 20 == 0) return stub_server::answer{};
    return stub_server::answer{stub_server::http(body)};
  });
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 200);
  set_source source(requests, set_source::repeat::once);
  const load_result measured =
      run(*at,
          {.operations = {{.name = "put", .source = &source, .is_write = true}}, .connections = 2});
  EXPECT_GT(measured.of(0, 0).lost, 0U);
  EXPECT_EQ(measured.of(0, 0).answered + measured.of(0, 0).lost, 200U);
  EXPECT_NE(measured.of(0, 0).first_error, "");
  ASSERT_EQ(measured.writes.size(), 200U);
  std::uint64_t acknowledged = 0;
  for (const write_event& each : measured.writes)
    acknowledged += each.answered_ns != INT64_MAX;
  EXPECT_EQ(acknowledged, measured.of(0, 0).answered);
}

TEST(load, a_stream_uses_all_its_connections_after_the_server_has_closed_an_idle_one) {
  constexpr int connections = 4;
  std::atomic<int> waiting{0};
  std::atomic<bool> met{false};
  std::atomic<bool> waited_in_vain{false};
  stub_server server([&](std::string_view, std::string_view body) {
    // Every connection has a request before any is answered, or they wait in vain.
    if (++waiting == connections) met = true;
    const auto until = std::chrono::steady_clock::now() + 2s;
    while (!met && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(1ms);
    if (!met) waited_in_vain = true;
    return stub_server::answer{stub_server::http(body)};
  });
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, connections);
  set_source source(requests, set_source::repeat::once);
  load running(*at,
               {{.operations = {{.name = "get", .source = &source}}, .connections = connections}},
               {.threads = 1, .seed = 1});
  ASSERT_TRUE(running.start());
  while (server.accepted() < connections)
    std::this_thread::sleep_for(1ms);
  server.cut_one();
  while (server.accepted() == connections)
    std::this_thread::sleep_for(1ms);
  running.set_active(0, true);
  while (!running.is_exhausted(0))
    std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(waited_in_vain) << "some connections were not used";
  EXPECT_EQ(running.finish().of(0, 0).answered, static_cast<std::uint64_t>(connections));
}

TEST(load, a_server_that_closes_every_connection_is_not_hammered) {
  stub_server server([](std::string_view, std::string_view) { return stub_server::answer{}; });
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 10);
  set_source source(requests, set_source::repeat::forever);
  const auto began = std::chrono::steady_clock::now();
  const load_result measured =
      run(*at, {.operations = {{.name = "get", .source = &source}}, .connections = 2}, 300ms);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began;
  EXPECT_GE(measured.of(0, 0).lost, 2U);
  EXPECT_LE(static_cast<double>(server.accepted()), 2 * (passed.count() / 0.02 + 2));
  EXPECT_NE(measured.of(0, 0).first_error.find("closed the connection"), std::string::npos)
      << measured.of(0, 0).first_error;
}

TEST(load, a_server_that_goes_away_fails_the_load_and_keeps_what_was_measured) {
  auto server = std::make_unique<stub_server>(echo);
  const auto at = target::parse(server->url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 10);
  set_source source(requests, set_source::repeat::forever);
  load running(*at, {{.operations = {{.name = "get", .source = &source}}, .connections = 2}},
               {.threads = 2, .seed = 1});
  ASSERT_TRUE(running.start());
  running.set_active(0, true);
  while (running.answered() < 100)
    std::this_thread::sleep_for(1ms);
  server.reset();
  while (!running.failed())
    std::this_thread::sleep_for(1ms);
  EXPECT_EQ(running.failed()->code, exit_code::no_connection);
  EXPECT_GE(running.finish().of(0, 0).answered, 100U);
}

TEST(load, nobody_listening_is_said_at_the_start) {
  std::string url;
  {
    url = stub_server(echo).url();
  }
  const auto at = target::parse(url);
  ASSERT_TRUE(at);
  request_set requests = numbered_requests(*at, 1);
  set_source source(requests, set_source::repeat::once);
  load running(*at, {{.operations = {{.name = "get", .source = &source}}}}, {});
  const auto started = running.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, exit_code::no_connection);
  EXPECT_NE(started.error().text.find("is the server running?"), std::string::npos);
}

TEST(load, phases_and_kinds_are_tallied_apart_and_weights_hold) {
  stub_server server(echo);
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 10);
  set_source often(requests, set_source::repeat::forever);
  set_source seldom(requests, set_source::repeat::forever);
  const stream mixed{.operations = {{.name = "often", .source = &often, .weight = 9},
                                    {.name = "seldom", .source = &seldom, .weight = 1}},
                     .connections = 2};
  load running(*at, {mixed}, {.threads = 2, .seed = test_seed()});
  ASSERT_TRUE(running.start());
  running.set_active(0, true);
  while (running.answered() < 2000)
    std::this_thread::sleep_for(1ms);
  running.set_phase(1);
  while (running.answered() < 4000)
    std::this_thread::sleep_for(1ms);
  const load_result measured = running.finish();
  double sums[2] = {0, 0};
  for (const std::uint32_t phase : {0U, 1U})
    for (const std::uint32_t kind : {0U, 1U}) {
      EXPECT_GT(measured.of(phase, kind).answered, 0U);
      sums[kind] += static_cast<double>(measured.of(phase, kind).answered);
    }
  const double all = sums[0] + sums[1];
  EXPECT_NEAR(sums[1], all / 10, 5 * std::sqrt(all * 0.09));  // five standard deviations
}

TEST(load, samples_are_taken_by_the_clock) {
  stub_server server(echo);
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  const request_set requests = numbered_requests(*at, 3000);
  set_source source(requests, set_source::repeat::once);
  const load_result measured = run(*at, {.operations = {{.name = "get", .source = &source}},
                                         .connections = 4,
                                         .samples_per_second = 100});
  const double seconds = static_cast<double>(measured.of(0, 0).last_ns) / 1e9;
  EXPECT_GT(measured.samples.size(), 0U);
  // Each of the two workers takes its first one at once; intervals are half of the mean at least.
  EXPECT_LE(static_cast<double>(measured.samples.size()), 2 * 100 * seconds + 2);
}

}  // namespace
}  // namespace vexfs::bench
