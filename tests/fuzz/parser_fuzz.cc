// SPDX-License-Identifier: Apache-2.0
// A stream of requests, as a connection receives it. The first bytes say where it is cut (a count,
// then distances), the rest is the stream. However it is cut, and whether bodies are copied or put
// in place, the same requests come out, with the same end; and no request is beyond its limits.
#include <algorithm>
#include <vector>

#include "net/http/exchange.h"
#include "net/http/router.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/net/http/read_in_pieces.h"

namespace {

using namespace vexfs;
using fuzzing::require;
using http::parser;

constexpr http::parser_limits limits{.head_bytes_max = 600, .body_bytes_max = 300};

/// How a stream ends, for comparison. One that ends inside a request or right behind one is the
/// same state. Beast looks at a head in pieces only when it is whole, so a head that is both wrong
/// and too large may be called either.
parser::outcome kind_of(parser::outcome last) {
  using enum parser::outcome;
  if (last == complete) return need_more;
  return last == head_too_large ? bad_request : last;
}

void require_same(const http::reading& got, const http::reading& expected, std::string_view how) {
  for (std::size_t i = 0; i < std::min(got.requests.size(), expected.requests.size()); ++i)
    fuzzing::require_same(got.requests[i], expected.requests[i], how);
  require(got.requests.size() == expected.requests.size(), how);
  require(kind_of(got.last) == kind_of(expected.last), how);
}

struct some_routes {
  http::router all;

  some_routes() {
    const auto ignore = [](http::exchange&, void*) {};
    all.add(http::method::get, "/", ignore, nullptr);
    all.add(http::method::get, "/collections/{name}", ignore, nullptr);
    all.add(http::method::put, "/collections/{name}/points", ignore, nullptr);
    all.add(http::method::post, "/collections/aliases", ignore, nullptr);
    all.add(http::method::get, "/dashboard/{file*}", ignore, nullptr);
  }
};

/// Heads that are whole go on to routing: paths and query strings.
void route(std::string_view stream) {
  static const some_routes routes;
  parser parsing(limits);
  http::exchange call;
  parsing.start(call.in, call.memory);
  std::size_t taken = 0;
  const auto outcome = parsing.feed(stream, taken);
  require(taken <= stream.size(), "more was taken than there is");
  if (outcome == parser::outcome::complete) {
    require(call.in.body.size() <= limits.body_bytes_max, "a body beyond its limit");
    const auto matched = routes.all.match(call);
    require((matched == http::router::outcome::found) == (call.matched != nullptr), "route");
    std::size_t bytes = 0;
    const bool read = http::visit_query(call.in.query, call.memory, [&](auto name, auto value) {
      bytes += name.size() + value.size();
    });
    require(!read || bytes <= call.in.query.size(), "a decoded query string is longer");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzzing::fuzz_input input(bytes, count);
  std::vector<std::size_t> distances(input.byte() % 8);
  for (std::size_t& one : distances)
    one = input.byte();
  const std::string stream = std::string(input.rest()) + "\r\n\r\n";  // the end of any head
  std::vector<std::size_t> cuts;
  for (std::size_t at = 0; const std::size_t one : distances) {
    at += one;
    if (at > stream.size()) break;
    cuts.push_back(at);
  }
  route(stream);
  const http::reading whole = http::read_in_pieces(stream, {}, limits);
  require_same(http::read_in_pieces(stream, cuts, limits), whole, "a cut stream");
  require_same(http::read_in_pieces(stream, cuts, limits, true), whole, "bodies put in place");
  if (stream.size() > 400) return 0;
  std::vector<std::size_t> everywhere;
  for (std::size_t at = 1; at < stream.size(); ++at)
    everywhere.push_back(at);
  require_same(http::read_in_pieces(stream, everywhere, limits), whole, "byte by byte");
  return 0;
}
