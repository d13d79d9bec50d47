// SPDX-License-Identifier: Apache-2.0
// The first byte chooses a decoder, the rest is its body. Where there is a fast path, both paths
// must agree; and a document must be refused exactly where its grammar is broken.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "net/json/document.h"
#include "net/json/syntax_error.h"
#include "net/rest/decode/decode_config.h"
#include "net/rest/decode/decode_query.h"
#include "net/rest/decode/decode_update.h"
#include "tests/net/rest/decode/same_request.h"

namespace {

using namespace vexfs;

template <class T>
using decode_function = result<T> (*)(std::string_view, arena&);

template <class T>
void compare(std::string_view body, decode_function<T> fast, decode_function<T> slow) {
  arena one, other;
  const std::string got = rest::show_result(fast(body, one));
  const std::string expected = rest::show_result(slow(body, other));
  if (got == expected) return;
  std::fprintf(stderr, "fast: %s\ntree: %s\n", got.c_str(), expected.c_str());
  std::abort();
}

void check_grammar(std::string_view body) {
  arena memory;
  const bool read = json::parse_document(body, memory).has_value();
  if (read == json::find_syntax_error(body).has_value()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t count) {
  if (count == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(bytes) + 1, count - 1);
  arena memory;
  switch (bytes[0]) {
    case 'u':
      compare(body, rest::decode_upsert, rest::decode_upsert_document);
      break;
    case 'q':
      compare(body, rest::decode_query, rest::decode_query_document);
      break;
    case 'b':
      compare(body, rest::decode_query_batch, rest::decode_query_batch_document);
      break;
    case 's':
      compare(body, rest::decode_search, rest::decode_search_document);
      break;
    case 'g':
      compare(body, rest::decode_query_groups, rest::decode_query_groups_document);
      break;
    case 'c':
      (void)rest::decode_create_collection(body, memory);
      break;
    case 'p':
      (void)rest::decode_update_collection(body, memory);
      break;
    case 'a':
      (void)rest::decode_alias_actions(body, memory);
      break;
    case 'i':
      (void)rest::decode_create_index(body, memory);
      break;
    case 'o':
      (void)rest::decode_batch(body, memory);
      break;
    case 'l':
      (void)rest::decode_scroll(body, memory);
      break;
    case 'f':
      (void)rest::decode_facet(body, memory);
      break;
    default:
      check_grammar(body);
  }
  return 0;
}
