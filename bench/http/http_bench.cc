// SPDX-License-Identifier: Apache-2.0
// One small GET without a socket: parse, route, print the answer. Allocations a request are counted
// and must be none.
#include <string>

#include <benchmark/benchmark.h>

#include "bench/allocation_count.h"
#include "net/http/parser.h"
#include "net/http/router.h"

namespace vexfs::http {
namespace {

constexpr std::string_view small_get =
    "GET /collections/benchmark HTTP/1.1\r\nHost: 127.0.0.1:6333\r\n\r\n";
constexpr std::string_view client_get =
    "GET /collections/benchmark HTTP/1.1\r\nHost: 127.0.0.1:6333\r\nAccept: */*\r\n"
    "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
    "User-Agent: python-client/1.18.0 python/3.11\r\n\r\n";

void add_routes(router& routes) {
  for (const char* pattern :
       {"/", "/healthz", "/collections", "/collections/{name}", "/collections/{name}/points",
        "/collections/{name}/points/search", "/collections/{name}/exists", "/telemetry"})
    routes.add(method::get, pattern, nullptr, nullptr);
}

void parse_and_route(benchmark::State& state, std::string_view text) {
  router routes;
  add_routes(routes);
  parser parsing{parser_limits{}};
  exchange call;
  std::string out;
  out.reserve(4096);
  const std::string content(58, 'x');
  const auto once = [&] {
    parsing.start(call.in, call.memory);
    std::size_t taken = 0;
    const bool whole = parsing.feed(text, taken) == parser::outcome::complete;
    const bool found = whole && routes.match(call) == router::outcome::found;
    call.answer.ready_body = content;
    out.clear();
    append_response(out, call.answer, false, persistence::keep);
    call.memory.reset();
    return found;
  };
  if (!once()) return state.SkipWithError("the request was not understood");
  const std::size_t before = allocation_count.load();
  for (auto _ : state) {
    benchmark::DoNotOptimize(once());
    benchmark::DoNotOptimize(out.data());
  }
  const std::size_t allocated = allocation_count.load() - before;
  state.counters["allocations"] = static_cast<double>(allocated);
  if (allocated > 8)
    state.SkipWithError("a warm GET allocates");  // the library's own: a few in all
}

void small(benchmark::State& state) {
  parse_and_route(state, small_get);
}
void of_a_client(benchmark::State& state) {
  parse_and_route(state, client_get);
}

void parse_only(benchmark::State& state) {
  parser parsing{parser_limits{}};
  exchange call;
  for (auto _ : state) {
    parsing.start(call.in, call.memory);
    std::size_t taken = 0;
    benchmark::DoNotOptimize(parsing.feed(small_get, taken));
    call.memory.reset();
  }
}

BENCHMARK(small);
BENCHMARK(of_a_client);
BENCHMARK(parse_only);

}  // namespace
}  // namespace vexfs::http
