// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/base/limits.h"
#include "net/rest/decode/decode_query.h"
#include "net/rest/decode/decode_update.h"

namespace vexfs::rest {
namespace {

struct bad_body {
  std::string_view body;
  errc code;
  std::string_view text;  // of the error, or how it begins where it ends in "..."
};

template <class T>
void expect_errors(result<T> (*decode)(std::string_view, arena&),
                   std::initializer_list<bad_body> table) {
  for (const bad_body& one : table) {
    arena memory;
    const result<T> decoded = decode(one.body, memory);
    ASSERT_FALSE(decoded) << one.body;
    EXPECT_EQ(decoded.error().code, one.code) << one.body << "\n" << decoded.error().text;
    if (one.text.ends_with("..."))
      EXPECT_TRUE(decoded.error().text.starts_with(one.text.substr(0, one.text.size() - 3)))
          << decoded.error().text;
    else
      EXPECT_EQ(decoded.error().text, one.text) << one.body;
  }
}

TEST(decode_upsert, tells_what_is_wrong) {
  expect_errors(
      decode_upsert,
      {{"", errc::malformed,
        "Format error in JSON body: EOF while parsing a value at line 1 column 0"},
       {R"({"points":[{"id":"123","vector":[1]}]})", errc::malformed,
        "Format error in JSON body: value \"123\" is not a valid point ID, valid values are either "
        "an unsigned integer "
        "or a UUID..."},
       {R"({"points":[{"id":-1,"vector":[1]}]})", errc::malformed,
        "Format error in JSON body: value -1 is not a valid point ID, valid values are either an "
        "unsigned integer or "
        "a UUID..."},
       {R"({"points":[{"vector":[1]}]})", errc::malformed,
        "Format error in JSON body: missing field `id`..."},
       {R"({"points":[{"id":1}]})", errc::malformed,
        "Format error in JSON body: missing field `vector`..."},
       {R"({"points":[{"id":1,"vector":[]}]})", errc::invalid,
        "Validation error in JSON body: [points[0].vector.vector: dense vector must not be empty]"},
       {R"({"points":[{"id":1,"vector":{"a":[]}}]})", errc::invalid,
        "Validation error in JSON body: [points[0].vector.?.vector: dense vector must not be "
        "empty]"},
       {R"({"points":[]})", errc::bad_request, "Empty update request"},
       {R"({})", errc::malformed,
        "Format error in JSON body: data did not match any variant of untagged enum "
        "PointInsertOperations..."},
       {R"({"points":[{"id":1,"vector":{"a":{"indices":[1,1],"values":[1,2]}}}]})", errc::invalid,
        "Validation error in JSON body: [points[0].vector.?.indices: Validation error: must be "
        "unique [{}]]"},
       {R"({"points":[{"id":1,"vector":{"a":{"indices":[1],"values":[1,2]}}}]})", errc::invalid,
        "Validation error in JSON body: [points[0].vector.?.values: Validation error: must be the "
        "same length as "
        "indices [{}]]"},
       {R"({"points":[{"id":1,"vector":{"a":[[1,2],[3]]}}]})", errc::invalid,
        "Validation error in JSON body: [points[0].vector.?.data: all vectors must have the same "
        "dimension, found "
        "vector with dimension 1]"},
       {R"({"points":[{"id":1,"vector":{"a":[[1],[]]}}]})", errc::invalid,
        "Validation error in JSON body: [points[0].vector.?.data: all vectors must be non-empty]"},
       {R"({"points":[{"id":1,"vector":[1e400]}]})", errc::malformed,
        "Format error in JSON body: number out of range..."},
       {R"({"batch":{"ids":[1,2],"vectors":[[1]]}})", errc::invalid,
        "Validation error in JSON body: [batch: ..."},
       {R"({"points":[{"id":1,"vector":[1]}],"update_mode":"x"})", errc::malformed,
        "Format error in JSON body: unknown variant `x`, expected one of `upsert`, `insert_only`, "
        "`update_only`..."}});
}

TEST(decode_update, tells_what_is_wrong) {
  expect_errors(decode_update_vectors,
                {{R"({"points":[]})", errc::invalid,
                  "Validation error in JSON body: [points: must specify points to update]"},
                 {R"({"points":[{"id":1,"vector":{}}]})", errc::invalid,
                  "Validation error in JSON body: [points[0].vector: must specify vectors to "
                  "update for point]"}});
  expect_errors(decode_delete_vectors,
                {{R"({"points":[1],"vector":[]})", errc::invalid,
                  "Validation error in JSON body: [vector: must specify vector names to delete]"},
                 {R"({"vector":["a"]})", errc::bad_request, "No filter or points provided"}});
  expect_errors(decode_delete_payload,
                {{R"({"points":[1],"keys":["a["]})", errc::malformed,
                  "Format error in JSON body: Invalid json path: 'a['..."},
                 {R"({"keys":["a"]})", errc::bad_request, "No filter or points provided"}});
  expect_errors(decode_set_payload,
                {{R"({"points":[1]})", errc::malformed,
                  "Format error in JSON body: missing field `payload`..."},
                 {R"({"points":[1],"payload":7})", errc::malformed,
                  "Format error in JSON body: invalid type: integer `7`, expected a map..."}});
  expect_errors(decode_delete_points,
                {{R"({"points":[1.5]})", errc::malformed,
                  "Format error in JSON body: value 1.5 is not a valid point ID..."}});
}

TEST(decode_query, tells_what_is_wrong) {
  expect_errors(
      decode_query,
      {{R"({"query":[1],"limit":0})", errc::invalid,
        "Validation error in JSON body: [internal.limit: value 0 invalid, must be 1 or larger]"},
       {R"({"query":[1],"limit":"a"})", errc::malformed,
        "Format error in JSON body: invalid type: string \"a\", expected ..."},
       {R"({"query":[1],"limit":-3})", errc::malformed,
        "Format error in JSON body: invalid value: integer `-3`, expected ..."},
       {R"({"prefetch":[{"query":[1]}]})", errc::bad_request,
        "A query is needed to merge the prefetches. Can't have prefetches without defining a "
        "query."},
       {R"({"score_threshold":1})", errc::bad_request,
        "A query is needed to use the score_threshold. Can't have score_threshold without defining "
        "a query."},
       {R"({"query":{"order_by":"a"},"score_threshold":1})", errc::bad_request,
        "Can't use score_threshold with an order_by query."},
       {R"({"prefetch":{"prefetch":{"query":[1]}},"query":[1]})", errc::bad_request,
        "A query is needed to merge the prefetches. Can't have prefetches without defining a "
        "query."},
       {R"({"prefetch":{"query":[1]},"query":{"fusion":"rrf"},"using":"a"})", errc::bad_request,
        "Fusion queries cannot be combined with the 'using' field."},
       {R"({"prefetch":[{"query":[1]},{"query":[1],"limit":0}],"query":[1]})", errc::invalid,
        "Validation error in JSON body: [internal.prefetch[1].limit: value 0 invalid, must be 1 or "
        "larger]"},
       {R"({"query":{"fusion":"sum"}})", errc::malformed,
        "Format error in JSON body: unknown variant `sum`, expected `rrf` or `dbsf`..."},
       {R"({"query":{"rrf":{"k":0}}})", errc::invalid,
        "Validation error in JSON body: [internal.query.rrf.k: value 0 invalid, must be 1 or "
        "larger]"},
       {R"({"query":{"nearest":[1],"mmr":{"diversity":1.5,"candidates_limit":16385}}})",
        errc::invalid,
        "Validation error in JSON body: [internal.query.mmr.diversity: value 1.5 invalid, must be "
        "from 0.0 to 1.0; internal.query.mmr.candidates_limit: value 16385 invalid, must be 16384 "
        "or smaller]"},
       {R"({"query":{"recommend":{}}})", errc::invalid,
        "Validation error in JSON body: [internal.query.recommend.positives, negatives: Validation "
        "error: At least one positive or negative vector/id must be provided [{}]]"},
       {R"({"query":{"recommend":{"positive":[1],"strategy":"worst"}}})", errc::malformed,
        "Format error in JSON body: unknown variant `worst`, expected one of `average_vector`, "
        "`best_score`, `sum_scores`..."},
       {R"({"query":{"discover":{"target":1}}})", errc::malformed,
        "Format error in JSON body: missing field `context`..."},
       {R"({"query":{"context":{"positive":1}}})", errc::malformed,
        "Format error in JSON body: missing field `negative`..."},
       {R"({"query":{"relevance_feedback":{"target":1,"feedback":[{"example":1,"score":1}],)"
        R"("strategy":{"naive":{"a":1,"b":-1,"c":1}}}}})",
        errc::invalid,
        "Validation error in JSON body: [internal.query.relevance_feedback.strategy.naive.b: value "
        "-1.0 invalid, must be 0.0 or larger]"},
       {R"({"query":{"formula":"$points"}})", errc::bad_input,
        "Validation failed: failed to parse variable ID $points: Invalid reserved word: $points"},
       {R"({"query":{"formula":{"mult":[1,{"key":"a"}]}}})", errc::invalid,
        "Validation error in JSON body: [internal.query: At least one field condition must be "
        "specified]"},
       {R"({"query":{"formula":{"exp_decay":{"x":1,"midpoint":1}}}})", errc::bad_input,
        "Validation failed: Decay midpoint should be in the range (0.0, 1.0), got 1.0."},
       {R"({"query":{"formula":{"lin_decay":{"x":1,"scale":0}}}})", errc::bad_input,
        "Validation failed: Decay scale should be non-zero positive, got 0.0."},
       {R"({"query":{"formula":1,"defaults":{"$score":"a"}}})", errc::invalid,
        "Validation error in JSON body: [internal.query.defaults: Validation error: Score default "
        "must be a number [{}]]"},
       {R"({"query":[1],"filter":{"mist":[]}})", errc::malformed,
        "Format error in JSON body: unknown field `mist`, expected one of `should`, `min_should`, "
        "`must`, "
        "`must_not`..."},
       {R"({"query":[1],"filter":{"must":[{"key":"a"}]}})", errc::invalid,
        "Validation error in JSON body: [internal.filter.must[0]: At least one field condition "
        "must be specified]"},
       {R"({"query":[1],"with_payload":{"include":["a"],"x":1}})", errc::malformed,
        "Format error in JSON body: ..."}});
}

TEST(decode_query, bounds_the_depth_of_prefetches) {
  const auto nested = [](int depth) {
    std::string body = R"({"query":[1]})";
    for (int i = 0; i < depth; ++i)
      body = R"({"query":[1],"prefetch":)" + body + "}";
    return body;
  };
  arena memory;
  EXPECT_TRUE(decode_query(nested(64), memory));
  const auto refused = decode_query(nested(65), memory);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "Validation failed: prefetches depth 65 exceeds max depth 64");
}

TEST(decode_recommend, wants_examples_for_its_strategy) {
  expect_errors(decode_recommend,
                {{R"({"negative":[1],"limit":1})", errc::bad_request,
                  "At least one positive vector ID required with this strategy"},
                 {R"({"strategy":"best_score","limit":1})", errc::bad_request,
                  "At least one positive or negative vector ID required with this strategy"},
                 {R"({"positive":[1]})", errc::malformed,
                  "Format error in JSON body: missing field `limit`..."}});
  expect_errors(decode_matrix,
                {{R"({"sample":1,"limit":0})", errc::invalid,
                  "Validation error in JSON body: [sample: value 1 invalid, must be 2 or larger; "
                  "limit: value 0 invalid, must be 1 or larger]"}});
}

TEST(decode_search, tells_what_is_wrong) {
  expect_errors(
      decode_search,
      {{R"({"vector":[1]})", errc::malformed,
        "Format error in JSON body: missing field `limit`..."},
       {R"({"limit":1})", errc::malformed, "Format error in JSON body: missing field `vector`..."},
       {R"({"vector":[1],"limit":0})", errc::invalid,
        "Validation error in JSON body: [limit: value 0 invalid, must be 1 or larger]"}});
  expect_errors(
      decode_search_batch,
      {{R"({"searches":[{"vector":[1],"limit":1,"params":{"hnsw_ef":0}}]})", errc::invalid,
        "Validation error in JSON body: [searches[0].params.hnsw_ef: value 0 invalid, must be 1 or "
        "larger]"},
       {R"({"searches":[{"vector":[1],"limit":1,"params":{"quantization":{"rescore":"no"}}}]})",
        errc::malformed,
        "Format error in JSON body: invalid type: string \"no\", expected a boolean..."},
       {R"({"searches":[{"vector":[1],"limit":1,"params":{"quantization":[true]}}]})",
        errc::malformed, "Format error in JSON body: invalid type..."},
       {R"({"searches":[{"vector":[1],"limit":1,"params":{"quantization":{"oversampling":0.5}}}]})",
        errc::invalid,
        "Validation error in JSON body: [searches[0].params.quantization.oversampling: value "
        "0.500000 invalid, must be 1.0 or larger]"}});
}

TEST(decode_scroll, tells_what_is_wrong) {
  expect_errors(decode_scroll,
                {{R"({"filter":{"must":{"slice":{"total":0,"index":0}}}})", errc::malformed,
                  "Format error in JSON body: invalid value: integer `0`, expected a nonzero "
                  "u64..."},
                 {R"({"limit":0})", errc::invalid,
                  "Validation error in JSON body: [limit: value 0 invalid, must be 1 or larger]"},
                 {R"({"order_by":"a","offset":1})", errc::bad_request,
                  "Cannot use an `offset` when using `order_by`. ..."},
                 {R"({"order_by":{"key":"a","start_from":"yesterday"}})", errc::malformed,
                  "Format error in JSON body: 'yesterday' does not match accepted datetime format "
                  "(RFC3339). Example: "
                  "2014-01-01T00:00:00Z..."}});
}

TEST(decode, accepts_other_names_and_unknown_members) {
  arena memory;
  EXPECT_TRUE(decode_upsert(R"({"points":[{"id":1,"vectors":[1],"colour":2}],"x":{}})", memory));
  EXPECT_TRUE(decode_delete_vectors(R"({"points":[1],"vectors":["a"]})", memory));
  const auto search = decode_search(R"({"vector":[1],"top":7,"with_vectors":true})", memory);
  ASSERT_TRUE(search);
  EXPECT_EQ(search->front().limit, 7U);
  EXPECT_EQ(search->front().with_vector.kind, vector_selector::form::all);
}

TEST(decode, tells_texts_for_a_model_from_vectors_that_are_called_so) {
  arena memory;
  EXPECT_TRUE(
      decode_upsert(R"({"points":[{"id":1,"vector":{"text":[1],"model":[[1]]}}]})", memory));
  const auto refused =
      decode_upsert(R"({"points":[{"id":1,"vector":{"text":"a","model":"m"}}]})", memory);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().text.starts_with("InferenceService is not initialized."));
}

/// A huge list of faults gives a message, not a flood.
TEST(decode, bounds_what_it_says_about_many_faults) {
  std::string body = R"({"points":[)";
  for (int i = 0; i < 50'000; ++i)
    body += R"({"id":1,"vector":{"a":{"indices":[1],"values":[]}}},)";
  body.back() = ']';
  arena memory;
  const auto decoded = decode_upsert(body + "}", memory);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, errc::invalid);
  EXPECT_LT(decoded.error().text.size(), 64U * 1024);
}

TEST(decode_filter, bounds_what_a_filter_may_cost_at_every_point) {
  const auto error_of = [](const std::string& body) {
    arena memory;
    const auto decoded = decode_count(body, memory);
    return decoded ? "" : decoded.error().text;
  };
  const auto with_conditions = [](std::size_t count) {
    std::string body = R"({"filter":{"must":[)";
    for (std::size_t i = 0; i < count; ++i)
      body += i > 0 ? R"(,{"has_vector":""})" : R"({"has_vector":""})";
    return body + "]}}";
  };
  EXPECT_EQ(error_of(with_conditions(filter_conditions_max)), "");
  EXPECT_EQ(error_of(with_conditions(filter_conditions_max + 1)),
            "A filter may have at most 65536 conditions");
  const auto with_text = [](std::size_t bytes) {
    return R"({"filter":{"must":{"key":"a","match":{"text":")" + std::string(bytes, 'x') + "\"}}}}";
  };
  EXPECT_EQ(error_of(with_text(match_text_bytes_max)), "");
  EXPECT_EQ(error_of(with_text(match_text_bytes_max + 1)),
            "A text to match may have at most 65536 bytes");
}

}  // namespace
}  // namespace vexfs::rest
