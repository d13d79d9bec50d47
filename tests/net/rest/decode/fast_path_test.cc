// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "net/rest/decode/decode_query.h"
#include "net/rest/decode/decode_update.h"
#include "net/rest/decode/fast_points.h"
#include "net/rest/decode/fast_query.h"
#include "tests/net/rest/decode/same_request.h"

namespace vexfs::rest {
namespace {

constexpr std::uint64_t seed = 0x5eed'0d0c;

/// Draws bodies; `oddity` is how often, in a thousand, something unusual stands in a place.
class body_maker {
 public:
  explicit body_maker(std::uint64_t from) : random_(from) {}

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool odd() { return below(1000) < oddity; }

  std::string space() {
    static constexpr std::string_view spaces[] = {"", "", "", "", " ", "\n", "\t ", "\r\n  "};
    return std::string(spaces[below(8)]);
  }
  template <class... Texts>
  std::string one_of(Texts... texts) {
    const std::string list[] = {texts...};
    return list[below(sizeof...(texts))];
  }

  std::string number() {
    const double value = std::generate_canonical<double, 53>(random_) * 2 - 1;
    switch (odd() ? 10 + below(10) : below(10)) {
      case 0:
        return std::to_string(below(200));
      case 1:
        return std::to_string(static_cast<float>(value));
      case 2:
        return "-0.5";
      case 10:
        return one_of("0", "-0", "-0.0", "0e5", "1e5", "1E-5", "3.4028236e38", "1e39");
      case 11:
        return one_of("1e308", "1e309", "1e-400", "-1e400", "4.9e-324", "1e-45", "7e-46");
      case 12:
        return one_of("01", "1.", ".5", "+1", "-", "1e", "NaN", "Infinity", "0x1", "1_0");
      case 13:
        return one_of("null", "true", "\"1\"", "[1]", "{}", "[]");
      case 14:
        return "1" + std::string(below(400), '0');
      case 15:
        return "0." + std::string(below(400), '0') + "1";
      case 16:
        return std::to_string(random_());
      case 17: {  // the middle of two floats, and around it
        const float low = static_cast<float>(value);
        const double middle =
            (static_cast<double>(low) + static_cast<double>(std::nextafter(low, 2.0F))) / 2;
        char text[64];
        std::snprintf(text, sizeof text, "%.17g", middle);
        return text;
      }
      default: {
        char text[64];
        std::snprintf(text, sizeof text, below(2) ? "%.17g" : "%.9g",
                      below(2) ? value : static_cast<double>(static_cast<float>(value)));
        return text;
      }
    }
  }
  std::string list(std::size_t count, auto&& item) {
    std::string out = space() + "[" + space();
    for (std::size_t i = 0; i < count; ++i)
      out += (i > 0 ? space() + "," + space() : "") + item();
    return out + space() + "]" + space();
  }
  std::string vector() {
    return list(odd() ? 0 : 1 + below(20), [&] { return number(); });
  }
  std::string text() {
    if (odd())
      return one_of(R"("a\/b")", R"("\u00e9")", R"("\ud83d\ude00")", R"("\ud83d")", "\"\x01\"",
                    "\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", R"("\x")", R"("open)",
                    "\"caf\xc3\xa9\"", R"("\u0041")", R"("\u001f")");
    return one_of(R"("x")", R"("")", R"("a b")", R"("q\"q")", R"("\\")", R"("\n\t\b\f\r")",
                  "\"caf\xc3\xa9\"", "\"\xf0\x9f\x98\x80\"", "\"\x7f\"");
  }
  std::string value(int depth) {
    switch (below(depth > 3 ? 5 : 7)) {
      case 0:
        return text();
      case 1:
        return number();
      case 2:
        return one_of("true", "false");
      case 3:
        return odd() ? one_of("nul", "True", "") : "null";
      case 4:
        return one_of("[]", "{}", "[ ]", "{ }", "0", "1.50", "-7");
      case 5:
        return list(below(4), [&] { return value(depth + 1); });
      default:
        return object(depth + 1);
    }
  }
  std::string object(int depth) {
    std::string out = "{" + space();
    const std::size_t count = below(odd() ? 40 : 5);
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out += ',';
      out += space();
      out += "\"k";
      out += std::to_string(odd() ? below(2) : i);
      out += '"';
      out += space();
      out += ':';
      out += space();
      out += value(depth);
    }
    return out + space() + "}";
  }
  std::string member(std::string name, std::string given) {
    if (odd())
      name = one_of("id", "vector", "vectors", "query", "nearest", "limit", "filter", "searches");
    if (odd()) return R"("\u0069d":)" + given;
    return space() + "\"" + name + "\"" + space() + ":" + space() + given;
  }
  /// Some of the members, in any order; `first` are always there.
  std::string members(std::vector<std::string> first, std::vector<std::string> others) {
    for (std::string& other : others)
      if (below(3) == 0) first.push_back(std::move(other));
    if (odd()) first.push_back(first[below(first.size())]);
    if (odd()) first.erase(first.begin() + static_cast<std::ptrdiff_t>(below(first.size())));
    std::shuffle(first.begin(), first.end(), random_);
    std::string out = space() + "{";
    for (std::size_t i = 0; i < first.size(); ++i)
      out += (i > 0 ? "," : "") + first[i];
    return out + space() + "}" + space();
  }
  std::string id() {
    if (odd())
      return one_of("-1", "1.5", "\"7\"", "18446744073709551615", "18446744073709551616", "1e3",
                    "\"550e8400-e29b-41d4-a716-44665544000\"", "null", "00");
    return one_of(std::to_string(below(1000)), "\"550e8400-e29b-41d4-a716-446655440000\"",
                  "\"550E8400E29B41D4A716446655440000\"");
  }
  std::string point_vectors() {
    if (below(2)) return vector();
    if (odd()) return members({member("text", "\"x\""), member("model", "\"m\"")}, {});
    return members({member("a", vector())},
                   {member("b", vector()), member("", vector()), member("text", vector())});
  }
  std::string point() {
    return members({member("id", id()), member(one_of("vector", "vectors"), point_vectors())},
                   {member("payload", odd() ? value(0) : object(0)), member("payload", "null")});
  }
  std::string upsert() {
    return members({member("points", list(odd() ? 0 : 1 + below(5), [&] { return point(); }))},
                   below(20) ? std::vector<std::string>{}
                             : std::vector<std::string>{member("update_mode", "\"insert_only\""),
                                                        member("update_filter", "{}")});
  }
  std::vector<std::string> search_members() {
    return {member("limit", one_of("1", "10", odd() ? "0" : "3")),
            member("offset", "4"),
            member("with_payload", one_of("true", "false", "[\"a\"]", R"({"include":["a.b"]})",
                                          odd() ? R"({"include":[],"x":1})" : "null")),
            member("with_vector", one_of("true", "[\"a\"]", "null")),
            member("score_threshold", number()),
            member("params", R"({"hnsw_ef":12,"exact":true})"),
            member("unknown", value(0)),
            member("filter", one_of(R"({"must":[{"key":"a","match":{"value":1}}]})",
                                    R"({"should":{"has_id":[1,2]}})", R"({"must":[[1,2]]})",
                                    R"({"mist":[]})", "null"))};
  }
  std::string query() {
    auto optional = search_members();
    optional.push_back(member("using", "\"image\""));
    optional.push_back(member("lookup_from", R"({"collection":"c"})"));
    optional.push_back(
        member("prefetch",
               one_of(R"({"query":[1,2],"limit":3})", R"([{"query":7},{"query":{"nearest":[1]}}])",
                      R"({"prefetch":{"query":[1]},"query":{"fusion":"rrf"}})")));
    std::string what = vector();
    if (below(3) == 0) {
      std::vector<std::string> more{member("mmr", R"({"diversity":0.25,"candidates_limit":7})")};
      if (odd()) more = search_members();
      what = members({member("nearest", vector())}, more);
    }
    if (below(6) == 0)
      what =
          one_of(R"({"recommend":{"positive":[1,[0.5]],"negative":[2],"strategy":"best_score"}})",
                 R"({"discover":{"target":[1],"context":{"positive":1,"negative":2}}})",
                 R"({"context":[{"positive":1,"negative":[1,2]}]})", R"({"fusion":"dbsf"})",
                 R"({"rrf":{"k":3,"weights":[1,2.5]}})",
                 R"({"formula":{"mult":["$score",{"key":"a","match":{"value":1}}]}})");
    if (odd())
      what = one_of(R"({"recommend":{"positive":[1]}})", R"({"sample":"random"})", "7", "[[1],[2]]",
                    R"({"indices":[1],"values":[1]})", R"({"nearest":[[1,2]]})", "\"x\"",
                    R"({"nearest":[1],"mmr":{}})", R"({"order_by":"a"})");
    return members({member("query", what)}, optional);
  }
  std::string search() {
    auto optional = search_members();
    optional.push_back(member("group_by", "\"a\""));
    std::string what = vector();
    if (below(3) == 0) what = members({member("name", "\"a\""), member("vector", vector())}, {});
    return members({member("vector", what), member(one_of("limit", "top"), "3")}, optional);
  }
  std::string batch(auto&& one) { return members({member("searches", list(below(4), one))}, {}); }
  /// Changes a few bytes.
  std::string mutated(std::string body) {
    static constexpr std::string_view bytes = "{}[]\":,0123.eE-+ntf\\u \x01\xc3\xff";
    for (std::uint64_t i = below(3); i-- > 0 && !body.empty();) {
      const std::size_t at = below(body.size());
      switch (below(4)) {
        case 0:
          body[at] = bytes[below(bytes.size())];
          break;
        case 1:
          body.insert(at, 1, bytes[below(bytes.size())]);
          break;
        case 2:
          body.erase(at, 1 + below(3));
          break;
        default:
          body.insert(at, body.substr(below(body.size()), below(12)));
          break;
      }
    }
    return body;
  }

  std::uint64_t oddity = 0;

 private:
  std::mt19937_64 random_;
};

template <class T>
using decode_function = result<T> (*)(std::string_view, arena&);

/// Returns true where the body is good.
template <class T>
bool expect_same(const std::string& body, decode_function<T> fast, decode_function<T> slow) {
  // Bytes of its own, without a terminator behind them.
  const std::vector<char> bytes(body.begin(), body.end());
  const std::string_view text(bytes.data(), bytes.size());
  arena one, other;
  const result<T> expected = slow(text, other);
  EXPECT_EQ(show_result(fast(text, one)), show_result(expected)) << body;
  return expected.has_value();
}

template <class Make, class T>
void compare_bodies(int count, Make&& make, decode_function<T> fast, decode_function<T> slow) {
  testing::Test::RecordProperty("seed", std::to_string(seed));
  int good = 0;
  int bad = 0;
  for (int i = 0; i < count; ++i) {
    body_maker maker(seed + static_cast<std::uint64_t>(i));
    maker.oddity = i % 4 == 0 ? 0 : i % 4 == 1 ? 10 : i % 4 == 2 ? 60 : 3;
    std::string body = make(maker);
    if (i % 4 == 3) body = maker.mutated(std::move(body));
    ++(expect_same(body, fast, slow) ? good : bad);
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << seed << " body " << i;
      return;
    }
  }
  // The draw has to reach both outcomes, or it proves nothing.
  EXPECT_GT(good, count / 10);
  EXPECT_GT(bad, count / 100);
}

TEST(fast_path, gives_the_same_upserts_and_errors_as_the_tree) {
  compare_bodies(
      20'000, [](body_maker& maker) { return maker.upsert(); }, decode_upsert,
      decode_upsert_document);
}
/// What the front end does with a large body, with the smallest pieces there are.
result<update_operation> decode_upsert_in_pieces(std::string_view body, arena& memory) {
  upsert_reader reader(body, memory);
  arena other_memory;
  upsert_reader other(R"({"points":[{"id":1,"vector":[1]},{"id":2,"vector":[2]}]})", other_memory);
  EXPECT_EQ(other.advance(1), upsert_reader::progress::more);
  auto outcome = upsert_reader::progress::more;
  while (outcome == upsert_reader::progress::more)
    outcome = reader.advance(1);
  EXPECT_EQ(other.advance(1), upsert_reader::progress::done);
  EXPECT_EQ(other.operation().points.size(), 2U);
  if (outcome == upsert_reader::progress::done) return reader.operation();
  return decode_upsert_document(body, memory);
}
TEST(fast_path, gives_the_same_upserts_in_pieces) {
  compare_bodies(
      10'000, [](body_maker& maker) { return maker.upsert(); }, decode_upsert_in_pieces,
      decode_upsert_document);
}
TEST(fast_path, reads_lists_with_unusual_points_in_pieces) {
  arena memory;
  const std::string body =
      R"({"points":[{"id":1,"vector":{"s":{"indices":[1],"values":[1]}}},)"
      R"({"id":2,"vector":[[1,2],[3,4]]},{"id":3,"vector":{},"payload":{"a":1,"a":2}}]})";
  upsert_reader reader(body, memory);
  EXPECT_EQ(reader.advance(1), upsert_reader::progress::more);
  EXPECT_EQ(reader.advance(1), upsert_reader::progress::more);
  EXPECT_EQ(reader.advance(1), upsert_reader::progress::done);
  EXPECT_TRUE(expect_same(body, decode_upsert, decode_upsert_document));
}
TEST(fast_path, counts_the_depth_of_a_point_from_the_document) {
  for (std::size_t depth = json_depth_max - 8; depth < json_depth_max + 4; ++depth) {
    const std::string payload = std::string(depth, '[') + std::string(depth, ']');
    expect_same(R"({"points":[{"id":1,"vector":{},"payload":{"a":)" + payload + "}}]}",
                decode_upsert, decode_upsert_document);
  }
}

TEST(fast_path, gives_the_same_queries_and_errors_as_the_tree) {
  compare_bodies(
      20'000, [](body_maker& maker) { return maker.query(); }, decode_query, decode_query_document);
}
TEST(fast_path, gives_the_same_searches_and_errors_as_the_tree) {
  compare_bodies(
      10'000, [](body_maker& maker) { return maker.search(); }, decode_search,
      decode_search_document);
}
TEST(fast_path, gives_the_same_batches_and_errors_as_the_tree) {
  compare_bodies(
      5'000, [](body_maker& maker) { return maker.batch([&] { return maker.query(); }); },
      decode_query_batch, decode_query_batch_document);
  compare_bodies(
      5'000, [](body_maker& maker) { return maker.batch([&] { return maker.search(); }); },
      decode_search_batch, decode_search_batch_document);
}
TEST(fast_path, gives_the_same_groups_and_errors_as_the_tree) {
  compare_bodies(
      10'000, [](body_maker& maker) { return maker.search(); }, decode_search_groups,
      decode_search_groups_document);
}

TEST(fast_path, takes_usual_bodies) {
  arena memory;
  upsert_reader reader(R"({"points":[{"id":1,"vector":[0.5,1],"payload":{"a":[1,{"b":null}]}},
                           {"id":"550e8400-e29b-41d4-a716-446655440000","vector":{"x":[1.0]}}]})",
                       memory);
  EXPECT_EQ(reader.advance(1000), upsert_reader::progress::done);
  const vector_place where{"query", "nearest"};
  const auto short_body =
      cut_search(R"({"limit":3,"query":[0.1,0.2],"filter":{"must":[]}})", memory, where);
  ASSERT_TRUE(short_body);
  EXPECT_EQ(*short_body, R"({"limit":3,"query":[0],"filter":{"must":[]}})");
  EXPECT_EQ(*cut_search(R"({"query":{"nearest":[1,2]}})", memory, where),
            R"({"query":{"nearest":[0]}})");
  EXPECT_EQ(
      *cut_batch(R"({"searches":[{"query":[1,2]},{"query":7}, {"query" : [3] }]})", memory, where),
      R"({"searches":[{"query":[0]},{"query":7}, {"query" : [0] }]})");
}

TEST(fast_path, decodes_every_body_cut_at_every_byte_as_the_tree_does) {
  body_maker maker(seed);
  for (int i = 0; i < 20; ++i) {
    const std::string upsert = maker.upsert();
    const std::string query = maker.batch([&] { return maker.query(); });
    for (std::size_t cut = 0; cut < upsert.size(); ++cut)
      expect_same(upsert.substr(0, cut), decode_upsert, decode_upsert_document);
    for (std::size_t cut = 0; cut < query.size(); ++cut)
      expect_same(query.substr(0, cut), decode_query_batch, decode_query_batch_document);
  }
}

}  // namespace
}  // namespace vexfs::rest
