// SPDX-License-Identifier: Apache-2.0
#include "core/filter/text_analyzer.h"

#include <gtest/gtest.h>

namespace vexfs {
namespace {

std::string tokens_of(const payload_field_params& params, std::string_view text,
                      bool stored = true) {
  const auto analyzer = text_analyzer::create(params);
  if (!analyzer) return analyzer.error().text;
  token_list list;
  stored ? (*analyzer)->index_tokens(text, list) : (*analyzer)->query_tokens(text, list);
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i)
    out += std::string(list[i]) + "|";
  return out;
}

TEST(text_analyzer, words_are_split_lowered_and_limited) {
  payload_field_params params;
  params.type = payload_type::text;
  EXPECT_EQ(tokens_of(params, "The QUICK-brown fox2, ÄRGER!"), "the|quick|brown|fox2|ärger|");
  EXPECT_EQ(tokens_of(params, " .,; "), "");
  params.lowercase = false;
  EXPECT_EQ(tokens_of(params, "The Fox"), "The|Fox|");
  params.min_token_len = 3;
  params.max_token_len = 4;
  EXPECT_EQ(tokens_of(params, "ab abc über abcde"), "abc|über|");
  params.tokenizer = text_tokenizer::whitespace;
  EXPECT_EQ(tokens_of(params, "a-b x-y-z\t d"), "a-b|");
}

TEST(text_analyzer, prefixes_are_stored_and_the_longest_is_asked_for) {
  payload_field_params params;
  params.type = payload_type::text;
  params.tokenizer = text_tokenizer::prefix;
  params.min_token_len = 2;
  params.max_token_len = 4;
  EXPECT_EQ(tokens_of(params, "Hello a"), "he|hel|hell|");
  EXPECT_EQ(tokens_of(params, "Hello hel a", false), "hell|hel|");
}

TEST(text_analyzer, own_stop_words_go_and_words_are_stemmed) {
  payload_field_params params;
  params.type = payload_type::text;
  params.stopwords = stopwords_config{{}, {}, {"The"}};
  params.stemmer = stemmer_config{"english"};
  EXPECT_EQ(tokens_of(params, "The running dogs"), "run|dog|");
  params.stemmer = stemmer_config{"en"};
  EXPECT_EQ(tokens_of(params, "THE running dogs"), "run|dog|");
}

TEST(text_analyzer, what_is_not_supported_is_named) {
  payload_field_params params;
  params.stemmer = stemmer_config{"klingon"};
  EXPECT_NE(tokens_of(params, "").find("klingon"), std::string::npos);
  params = {};
  params.stopwords = stopwords_config{"english", {}, {}};
  EXPECT_NE(tokens_of(params, "").find("stopwords"), std::string::npos);
}

}  // namespace
}  // namespace vexfs
