// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_selectors.h"

#include "net/rest/decode/decode_filter.h"

namespace vexfs::rest {
namespace {

payload_selector decode_payload_selector(decoder& in, const node& value) {
  payload_selector selector;
  const auto paths = [&](const node& list) {
    return in.each<payload_path>(in.array(list), [&](const node& item) { return in.path(item); });
  };
  if (value.is(node::form::boolean)) {
    selector.kind = value.truth ? payload_selector::form::all : payload_selector::form::none;
  } else if (value.is(node::form::array)) {
    selector.kind = payload_selector::form::include;
    selector.paths = paths(value);
  } else if (value.is(node::form::object) && value.members.size() == 1 && value.find("include")) {
    selector.kind = payload_selector::form::include;
    selector.paths = paths(*value.find("include"));
  } else if (value.is(node::form::object) && value.members.size() == 1 && value.find("exclude")) {
    selector.kind = payload_selector::form::exclude;
    selector.paths = paths(*value.find("exclude"));
  } else {
    in.malformed("data did not match any variant of untagged enum WithPayloadInterface");
  }
  return selector;
}

vector_selector decode_vector_selector(decoder& in, const node& value) {
  vector_selector selector;
  if (value.is(node::form::boolean)) {
    selector.kind = value.truth ? vector_selector::form::all : vector_selector::form::none;
  } else if (value.is(node::form::array)) {
    selector.kind = vector_selector::form::named;
    selector.names =
        in.each<std::string_view>(value.items, [&](const node& item) { return in.string(item); });
  } else {
    in.malformed("data did not match any variant of untagged enum WithVector");
  }
  return selector;
}

}  // namespace

void read_selectors(decoder& in, const node& body, payload_selector& payload,
                    vector_selector& vectors) {
  if (const node* given = body.find_set("with_payload"))
    payload = decode_payload_selector(in, *given);
  const node* given = body.find_set("with_vector");
  if (!given) given = body.find_set("with_vectors");
  if (given) vectors = decode_vector_selector(in, *given);
}

const filter* read_filter(decoder& in, const node& body, const std::string& path) {
  const node* given = body.find_set("filter");
  return given && !in.failed() ? decode_filter(in, *given, path + "filter") : nullptr;
}

}  // namespace vexfs::rest
