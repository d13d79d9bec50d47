// SPDX-License-Identifier: Apache-2.0
#include "core/filter/text_analyzer.h"

#include <map>

#include <libstemmer.h>

#include "core/payload/utf8.h"

namespace vexfs {
namespace {

struct stemmer_language {
  std::string_view name, alias;
};
constexpr stemmer_language stemmer_languages[] = {
    {"arabic", "ar"},     {"armenian", "hy"},  {"danish", "da"},  {"dutch", "nl"},
    {"english", "en"},    {"finnish", "fi"},   {"french", "fr"},  {"german", "de"},
    {"greek", "el"},      {"hungarian", "hu"}, {"italian", "it"}, {"norwegian", "no"},
    {"portuguese", "pt"}, {"romanian", "ro"},  {"russian", "ru"}, {"spanish", "es"},
    {"swedish", "sv"},    {"tamil", "ta"},     {"turkish", "tr"},
};

struct stemmer_end {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};

/// Snowball's stemmers keep state while they run: each thread has its own.
sb_stemmer* stemmer_of_thread(const char* language) {
  thread_local std::map<const char*, std::unique_ptr<sb_stemmer, stemmer_end>> stemmers;
  auto& mine = stemmers[language];
  if (!mine) mine.reset(sb_stemmer_new(language, "UTF_8"));
  return mine.get();
}

void lower(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const auto [code, bytes] = read_utf8(text);
    if (code == utf8_char::invalid) {
      out += text.substr(0, bytes);
    } else {
      append_utf8(out, to_lower(code));
    }
    text.remove_prefix(bytes);
  }
}

std::uint64_t chars_in(std::string_view text) {
  std::uint64_t count = 0;
  for (; !text.empty(); text.remove_prefix(read_utf8(text).bytes))
    ++count;
  return count;
}

}  // namespace

result<std::unique_ptr<const text_analyzer>> text_analyzer::create(
    const payload_field_params& params) {
  std::unique_ptr<text_analyzer> made(new text_analyzer);
  made->tokenizer_ = params.tokenizer.value_or(text_tokenizer::word);
  made->lowercase_ = params.lowercase.value_or(true);
  made->phrase_matching_ = params.phrase_matching.value_or(false);
  made->token_chars_min_ = params.min_token_len.value_or(0);
  made->token_chars_max_ = params.max_token_len.value_or(UINT64_MAX);
  if (params.ascii_folding.value_or(false)) {
    return fail(errc::unsupported, "text index parameter ascii_folding: true is not supported");
  }
  if (params.stopwords) {
    const stopwords_config& words = *params.stopwords;
    if (words.language || !words.languages.empty()) {
      return fail(errc::unsupported,
                  "text index parameter stopwords: languages are not supported, only custom words");
    }
    for (const std::string& word : words.custom) {
      std::string lowered;
      if (made->lowercase_) lower(word, lowered);
      made->stopwords_.insert(made->lowercase_ ? lowered : word);
    }
  }
  if (params.stemmer && params.stemmer->snowball_language) {
    const std::string& wanted = *params.stemmer->snowball_language;
    for (const auto& [name, alias] : stemmer_languages) {
      if (wanted == name || wanted == alias) made->stemmer_ = name.data();
    }
    if (made->stemmer_ == nullptr || stemmer_of_thread(made->stemmer_) == nullptr) {
      return fail(errc::unsupported,
                  "text index parameter stemmer: language " + wanted + " is not supported");
    }
  }
  return made;
}

void text_analyzer::split(std::string_view text, bool prefixes, token_list& tokens) const {
  tokens.clear();
  std::string buffer;
  const bool by_space = tokenizer_ == text_tokenizer::whitespace;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto [code, bytes] = read_utf8(text.substr(at));
    if (by_space ? is_white_space(code) : !is_alphanumeric(code)) {
      if (at > begin) take_word(text.substr(begin, at - begin), prefixes, buffer, tokens);
      begin = at + bytes;
    }
    at += bytes;
  }
  if (begin < text.size()) take_word(text.substr(begin), prefixes, buffer, tokens);
}

void text_analyzer::take_word(std::string_view word, bool prefixes, std::string& buffer,
                              token_list& tokens) const {
  if (lowercase_) {
    buffer.clear();
    lower(word, buffer);
    word = buffer;
  }
  if (!stopwords_.empty() && stopwords_.contains(std::string(word))) return;
  if (stemmer_ != nullptr) {
    sb_stemmer* stemmer = stemmer_of_thread(stemmer_);
    const auto* stem = sb_stemmer_stem(stemmer, reinterpret_cast<const sb_symbol*>(word.data()),
                                       static_cast<int>(word.size()));
    if (stem != nullptr) {
      word = {reinterpret_cast<const char*>(stem),
              static_cast<std::size_t>(sb_stemmer_length(stemmer))};
    }
  }
  if (tokenizer_ != text_tokenizer::prefix) {
    const bool limited = token_chars_min_ > 1 || token_chars_max_ != UINT64_MAX;
    const std::uint64_t chars = limited ? chars_in(word) : 1;
    if (!limited || (chars >= token_chars_min_ && chars <= token_chars_max_)) tokens.add(word);
    return;
  }
  std::uint64_t chars = 0;
  std::size_t bytes = 0;
  while (bytes < word.size() && chars < token_chars_max_) {
    bytes += read_utf8(word.substr(bytes)).bytes;
    ++chars;
    if (prefixes && chars >= token_chars_min_) tokens.add(word.substr(0, bytes));
  }
  if (!prefixes && bytes > 0 && chars >= token_chars_min_) tokens.add(word.substr(0, bytes));
}

}  // namespace vexfs
