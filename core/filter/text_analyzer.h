// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/base/result.h"
#include "core/model/payload_schema.h"

namespace vexfs {

/// Tokens one after another in one buffer that is kept for the next text.
class token_list {
 public:
  void clear() {
    bytes_.clear();
    ends_.clear();
  }
  void add(std::string_view token) {
    bytes_ += token;
    ends_.push_back(bytes_.size());
  }
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::string_view operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

/// Text to tokens as a text index is told to: split, lower case, stop words, stem, length limits.
/// Immutable after create(); any number of threads may use one.
class text_analyzer {
 public:
  /// Refuses, by name, parameters that are not supported.
  [[nodiscard]] static result<std::unique_ptr<const text_analyzer>> create(
      const payload_field_params& params);

  /// What a stored text is found by: with the prefix tokenizer, all prefixes of each word.
  void index_tokens(std::string_view text, token_list& tokens) const { split(text, true, tokens); }
  /// What a query must find, and the words of a stored text in order: with the prefix tokenizer,
  /// the longest prefix of each word.
  void query_tokens(std::string_view text, token_list& tokens) const { split(text, false, tokens); }

  [[nodiscard]] bool phrase_matching() const { return phrase_matching_; }

 private:
  text_analyzer() = default;
  void split(std::string_view text, bool prefixes, token_list& tokens) const;
  void take_word(std::string_view word, bool prefixes, std::string& buffer,
                 token_list& tokens) const;

  text_tokenizer tokenizer_ = text_tokenizer::word;
  bool lowercase_ = true;
  bool phrase_matching_ = false;
  std::uint64_t token_chars_min_ = 0;
  std::uint64_t token_chars_max_ = UINT64_MAX;
  std::unordered_set<std::string> stopwords_;
  const char* stemmer_ = nullptr;  // Snowball's name of the language
};

}  // namespace vexfs
