// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vexfs {

enum class payload_type : std::uint8_t {
  keyword,
  integer,
  float_number,
  geo,
  text,
  boolean,
  datetime,
  uuid
};

enum class memory_placement : std::uint8_t { cold, cached, pinned };

enum class text_tokenizer : std::uint8_t { prefix, whitespace, word, multilingual };

/// Stop words as a client gave them: one language name, or languages and own words.
struct stopwords_config {
  std::optional<std::string> language;
  std::vector<std::string> languages;
  std::vector<std::string> custom;
  friend bool operator==(const stopwords_config&, const stopwords_config&) = default;
};

struct stemmer_config {
  std::optional<std::string> snowball_language;  // nothing: {type: none}
  friend bool operator==(const stemmer_config&, const stemmer_config&) = default;
};

/// Parameters of a payload index, of any type; a member that does not belong to `type` is not set.
/// Only members that the client gave are set: that is what is echoed.
struct payload_field_params {
  payload_type type = payload_type::keyword;
  std::optional<bool> on_disk;
  std::optional<memory_placement> memory;
  std::optional<bool> enable_hnsw;
  std::optional<bool> is_tenant;      // keyword, uuid
  std::optional<bool> is_principal;   // integer, float, datetime
  std::optional<bool> prefix;         // keyword
  std::optional<bool> lookup, range;  // integer; not both false
  std::optional<text_tokenizer> tokenizer;
  std::optional<std::uint64_t> min_token_len, max_token_len;
  std::optional<bool> lowercase, ascii_folding, phrase_matching;
  std::optional<stopwords_config> stopwords;
  std::optional<stemmer_config> stemmer;
  friend bool operator==(const payload_field_params&, const payload_field_params&) = default;
};

/// given_as_object decides whether `params` is echoed in payload_schema, and whether an integer
/// index serves facets (the object form must say lookup: true, the bare name is enough).
struct payload_field_schema {
  payload_field_params params;
  bool given_as_object = false;
  friend bool operator==(const payload_field_schema&, const payload_field_schema&) = default;
};

}  // namespace vexfs
