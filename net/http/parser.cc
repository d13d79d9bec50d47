// SPDX-License-Identifier: Apache-2.0
#include "net/http/parser.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

namespace vexfs::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::iequals;
using boost::beast::string_view;
using error_code = boost::system::error_code;

std::string_view std_view(string_view text) {
  return {text.data(), text.size()};
}

method method_of(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get:
      return method::get;
    case beast_http::verb::head:
      return method::head;
    case beast_http::verb::post:
      return method::post;
    case beast_http::verb::put:
      return method::put;
    case beast_http::verb::patch:
      return method::patch;
    case beast_http::verb::delete_:
      return method::remove;
    case beast_http::verb::options:
      return method::options;
    default:
      return method::other;
  }
}

std::optional<header> header_of(beast_http::field field, string_view name) {
  switch (field) {
    case beast_http::field::accept_encoding:
      return header::accept_encoding;
    case beast_http::field::access_control_request_headers:
      return header::access_control_request_headers;
    case beast_http::field::access_control_request_method:
      return header::access_control_request_method;
    case beast_http::field::authorization:
      return header::authorization;
    case beast_http::field::content_encoding:
      return header::content_encoding;
    case beast_http::field::content_type:
      return header::content_type;
    case beast_http::field::origin:
      return header::origin;
    case beast_http::field::unknown:
      if (iequals(name, "api-key")) return header::api_key;
      if (iequals(name, "x-request-id")) return header::x_request_id;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

constexpr std::size_t chunk_tail_bytes_min = 5;

/// A proxy sends "http://host/path": the path begins behind the host.
std::string_view origin_form(std::string_view target) {
  if (target.starts_with('/')) return target;
  const auto scheme = target.find("://");
  if (scheme == std::string_view::npos) return target;
  const auto slash = target.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
}

/// Beast's push parser, storing into one request. It sees heads and chunked bodies.
class request_parser final : public beast_http::basic_parser<true> {
 public:
  request_parser(request& target, arena& memory, const parser_limits& limits)
      : target_(target), memory_(memory), body_bytes_max_(limits.body_bytes_max) {
    header_limit(limits.head_bytes_max);
    body_limit(boost::none);  // own checks: the announced size belongs into the answer
    eager(false);             // put() returns at the end of the head
  }

  bool expect_continue = false;
  bool too_large = false;
  std::span<char> body;  // room for it
  std::size_t body_size = 0;
  std::uint64_t chunk_bytes_left = 0;  // of the chunk that is being read

  void append(std::string_view piece) {
    std::memcpy(body.data() + body_size, piece.data(), piece.size());
    body_size += piece.size();
  }
  void reserve(std::size_t size) {
    const std::span<char> grown(static_cast<char*>(memory_.allocate(size, 1)), size);
    if (body_size != 0) std::memcpy(grown.data(), body.data(), body_size);
    body = grown;
  }

 private:
  void on_request_impl(beast_http::verb verb, string_view, string_view target, int version,
                       error_code&) override {
    target_.verb = method_of(verb);
    target_.is_http_1_0 = version == 10;
    const std::string_view copied = memory_.copy(origin_form(std_view(target)));
    const auto question = copied.find('?');
    target_.path = copied.substr(0, question);
    if (question != std::string_view::npos) target_.query = copied.substr(question + 1);
  }
  void on_response_impl(int, string_view, int, error_code&) override {}

  void on_field_impl(beast_http::field field, string_view name, string_view value,
                     error_code& error) override {
    if (is_header_done()) return;  // trailers of a chunked body say nothing that we use
    if (field == beast_http::field::transfer_encoding) {
      // Beast lets other codings pass as "no body", and HTTP/1.0 has none; a proxy before us may
      // see it otherwise.
      if (!iequals(value, "chunked") || target_.is_http_1_0)
        error = beast_http::error::bad_transfer_encoding;
      return;
    }
    if (field == beast_http::field::expect) {
      expect_continue = !target_.is_http_1_0 && iequals(value, "100-continue");
      return;
    }
    const auto known = header_of(field, name);
    if (!known) return;
    std::string_view& place = target_.headers[static_cast<std::size_t>(*known)];
    if (place.data() == nullptr) place = memory_.copy(std_view(value));  // the first one counts
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t size, string_view, error_code& error) override {
    chunk_bytes_left = size;
    if (size <= body_bytes_max_ - body_size) return;
    too_large = true;
    error = beast_http::error::body_limit;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code&) override {
    const std::size_t needed = body_size + piece.size();
    if (needed > body.size()) reserve(std::max(body.size() * 2, needed));
    append(std_view(piece));
    chunk_bytes_left -= piece.size();
    return piece.size();
  }
  void on_finish_impl(error_code&) override {}

  request& target_;
  arena& memory_;
  const std::uint64_t body_bytes_max_;
};

}  // namespace

struct parser::state {
  explicit state(const parser_limits& given) : limits(given) {}

  const parser_limits limits;
  std::optional<request_parser> current;
  request* target = nullptr;
  std::uint64_t length = 0;  // announced, of a body that is not chunked
  std::size_t head_bytes = 0;
  bool head_seen = false;
  bool body_accepted = false;

  outcome head(std::string_view bytes, std::size_t& taken);
  outcome head_complete();
  outcome chunked_body(std::string_view bytes, std::size_t& taken);
  outcome plain_body(std::string_view bytes, std::size_t& taken);
  outcome finished() {
    target->body = {current->body.data(), current->body_size};
    return outcome::complete;
  }
};

parser::parser(const parser_limits& limits) : state_(std::make_unique<state>(limits)) {}
parser::~parser() = default;

void parser::start(request& target, arena& memory) {
  state& s = *state_;
  target = {};
  s.current.emplace(target, memory, s.limits);
  s.target = &target;
  s.length = 0;
  s.head_bytes = 0;
  s.head_seen = false;
  s.body_accepted = false;
}

parser::outcome parser::feed(std::string_view bytes, std::size_t& taken) {
  state& s = *state_;
  taken = 0;
  if (!s.head_seen) {
    const outcome head = s.head(bytes, taken);
    if (head != outcome::need_more || !s.head_seen) return head;
  }
  if (!s.body_accepted) return outcome::large_body;
  return s.current->chunked() ? s.chunked_body(bytes, taken) : s.plain_body(bytes, taken);
}

parser::outcome parser::state::head(std::string_view bytes, std::size_t& taken) {
  request_parser& beast = *current;
  // Empty lines before a request are to be skipped; some clients send one after a body.
  while (head_bytes == 0 && taken < bytes.size() &&
         (bytes[taken] == '\r' || bytes[taken] == '\n') && !beast.got_some())
    ++taken;
  error_code error;
  while (taken < bytes.size() && !beast.is_header_done()) {
    const std::size_t count =
        beast.put(boost::asio::const_buffer(bytes.data() + taken, bytes.size() - taken), error);
    taken += count;
    head_bytes += count;
    if (error == beast_http::error::need_more) {
      // Beast's limit is on what it sees at once; this one is on the sum.
      return head_bytes + (bytes.size() - taken) > limits.head_bytes_max ? outcome::head_too_large
                                                                         : outcome::need_more;
    }
    if (error == beast_http::error::header_limit) return outcome::head_too_large;
    if (error) return outcome::bad_request;
  }
  if (!beast.is_header_done()) return outcome::need_more;
  return head_bytes > limits.head_bytes_max ? outcome::head_too_large : head_complete();
}

parser::outcome parser::state::head_complete() {
  request_parser& beast = *current;
  head_seen = true;
  target->keep_alive = beast.keep_alive();
  if (beast.is_done()) return finished();
  const bool coded = !target->value_of(header::content_encoding).empty();
  if (beast.chunked()) {
    // Its size is not known: as much as a body may have is set aside before it is read.
    return outcome::large_body;
  }
  length = beast.content_length().value_or(0);
  if (length > limits.body_bytes_max) return outcome::body_too_large;
  if (length > inline_body_bytes_max || coded) return outcome::large_body;
  beast.reserve(length);
  body_accepted = true;
  return outcome::need_more;
}

parser::outcome parser::state::chunked_body(std::string_view bytes, std::size_t& taken) {
  request_parser& beast = *current;
  error_code error;
  while (!beast.is_done()) {
    // Between chunks at least "0", and two line ends, are to come; when Beast has seen the last
    // chunk's line it asserts that it is called with all of these.
    if (bytes.size() - taken < (beast.chunk_bytes_left > 0 ? 1U : chunk_tail_bytes_min))
      return outcome::need_more;
    const std::size_t count =
        beast.put(boost::asio::const_buffer(bytes.data() + taken, bytes.size() - taken), error);
    taken += count;
    if (beast.too_large) return outcome::body_too_large;
    if (error == beast_http::error::need_more) {
      // A chunk's header line and the trailers are bounded as a head is.
      return bytes.size() - taken > limits.head_bytes_max ? outcome::bad_request
                                                          : outcome::need_more;
    }
    if (error) return outcome::bad_request;
  }
  return finished();
}

parser::outcome parser::state::plain_body(std::string_view bytes, std::size_t& taken) {
  const std::size_t count =
      std::min<std::size_t>(bytes.size() - taken, length - current->body_size);
  current->append(bytes.substr(taken, count));
  taken += count;
  return current->body_size == length ? finished() : outcome::need_more;
}

bool parser::head_done() const {
  return state_->head_seen;
}

bool parser::take_expect_continue() {
  return std::exchange(state_->current->expect_continue, false);
}

std::uint64_t parser::body_bytes_wanted() const {
  const state& s = *state_;
  const bool coded = !s.target->value_of(header::content_encoding).empty();
  // A chunked body grows by doubling, its earlier copies stay in the arena until the end.
  const std::uint64_t received = s.current->chunked() ? 2 * s.limits.body_bytes_max : s.length;
  return received + (coded ? s.limits.body_bytes_max : 0);
}

void parser::accept_body() {
  state& s = *state_;
  if (!s.current->chunked()) s.current->reserve(s.length);
  s.body_accepted = true;
}

std::span<std::byte> parser::body_room() {
  state& s = *state_;
  if (!s.current || !s.body_accepted || s.current->chunked()) return {};
  return std::as_writable_bytes(s.current->body.subspan(s.current->body_size));
}

parser::outcome parser::body_received(std::size_t count) {
  state& s = *state_;
  s.current->body_size += count;
  return s.current->body_size == s.length ? s.finished() : outcome::need_more;
}

std::uint64_t parser::body_bytes() const {
  return state_->current->body_size;
}

std::string parser::too_large_text() const {
  const std::string limit = std::to_string(state_->limits.body_bytes_max);
  if (state_->length == 0) return "JSON payload has exceeded limit (" + limit + " bytes).";
  return "JSON payload (" + std::to_string(state_->length) +
         " bytes) is larger than allowed (limit: " + limit + " bytes).";
}

}  // namespace vexfs::http
