// SPDX-License-Identifier: Apache-2.0
// The first byte chooses a decoder, the rest is its body. Where there is a fast path, both paths
// must agree; and a document must be refused exactly where its grammar is broken.
#include "net/json/document.h"
#include "net/json/syntax_error.h"
#include "net/rest/decode/decode_config.h"
#include "net/rest/decode/decode_query.h"
#include "net/rest/decode/decode_update.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/net/rest/decode/same_request.h"

namespace {

using namespace vexfs;
using fuzzing::require;

template <class T>
using decode_function = result<T> (*)(std::string_view, arena&);

template <class T>
void compare(std::string_view body, decode_function<T> fast, decode_function<T> slow) {
  arena one, other;
  const std::string got = rest::show_result(fast(body, one));
  const std::string expected = rest::show_result(slow(body, other));
  fuzzing::require_same(got, expected, "the fast path and the tree");
}

void check_grammar(std::string_view body) {
  arena memory;
  const bool read = json::parse_document(body, memory).has_value();
  require(read != json::find_syntax_error(body).has_value(), "the grammar says otherwise");
}

template <class T>
void check_error(const result<T>& decoded) {
  require(decoded || !decoded.error().text.empty(), "a body is refused without a word");
}

/// Bodies with one way of decoding: what remains to be seen is that it ends well.
template <auto... Decode>
void run(std::string_view body) {
  arena memory;
  (check_error(Decode(body, memory)), ...);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  fuzzing::fuzz_input input(bytes, count);
  const std::uint8_t which = input.byte();
  const std::string_view body = input.rest();
  switch (which) {
    case 'u':
      compare(body, rest::decode_upsert, rest::decode_upsert_document);
      break;
    case 'q':
      compare(body, rest::decode_query, rest::decode_query_document);
      break;
    case 'b':
      compare(body, rest::decode_query_batch, rest::decode_query_batch_document);
      break;
    case 'g':
      compare(body, rest::decode_query_groups, rest::decode_query_groups_document);
      break;
    case 's':
      compare(body, rest::decode_search, rest::decode_search_document);
      break;
    case 't':
      compare(body, rest::decode_search_batch, rest::decode_search_batch_document);
      break;
    case 'h':
      compare(body, rest::decode_search_groups, rest::decode_search_groups_document);
      break;
    case 'c':
      run<rest::decode_create_collection>(body);
      break;
    case 'p':
      run<rest::decode_update_collection>(body);
      break;
    case 'a':
      run<rest::decode_alias_actions>(body);
      break;
    case 'i':
      run<rest::decode_create_index, rest::decode_create_vector>(body);
      break;
    case 'o':
      run<rest::decode_batch>(body);
      break;
    case 'w':
      run<rest::decode_delete_points, rest::decode_update_vectors, rest::decode_delete_vectors,
          rest::decode_set_payload, rest::decode_overwrite_payload, rest::decode_delete_payload,
          rest::decode_clear_payload>(body);
      break;
    case 'l':
      run<rest::decode_scroll, rest::decode_retrieve, rest::decode_count, rest::decode_facet>(body);
      break;
    default:
      check_grammar(body);
  }
  return 0;
}
