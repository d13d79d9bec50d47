// SPDX-License-Identifier: Apache-2.0
#include "net/http/parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <optional>
#include <span>

namespace vexfs::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::string_view;

std::string_view std_view(string_view text) { return {text.data(), text.size()}; }

method method_of(beast_http::verb verb) {
  switch (verb) {
    case beast_http::verb::get: return method::get;
    case beast_http::verb::head: return method::head;
    case beast_http::verb::post: return method::post;
    case beast_http::verb::put: return method::put;
    case beast_http::verb::patch: return method::patch;
    case beast_http::verb::delete_: return method::remove;
    case beast_http::verb::options: return method::options;
    default: return method::other;
  }
}

std::optional<header> header_of(beast_http::field field, string_view name) {
  switch (field) {
    case beast_http::field::accept_encoding: return header::accept_encoding;
    case beast_http::field::access_control_request_headers:
      return header::access_control_request_headers;
    case beast_http::field::access_control_request_method:
      return header::access_control_request_method;
    case beast_http::field::authorization: return header::authorization;
    case beast_http::field::content_encoding: return header::content_encoding;
    case beast_http::field::content_type: return header::content_type;
    case beast_http::field::origin: return header::origin;
    case beast_http::field::unknown:
      if (boost::beast::iequals(name, "api-key")) return header::api_key;
      if (boost::beast::iequals(name, "x-request-id")) return header::x_request_id;
      return std::nullopt;
    default: return std::nullopt;
  }
}

/// Beast's push parser, storing into one request.
class request_parser final : public beast_http::basic_parser<true> {
 public:
  request_parser(request& target, arena& memory, const parser_limits& limits)
      : target_(target), memory_(memory), body_bytes_max_(limits.body_bytes_max) {
    header_limit(limits.head_bytes_max);
    body_limit(boost::none);  // own check below: the announced size belongs into the answer
    eager(true);
  }

  bool expect_continue = false;
  std::uint64_t body_bytes = 0;
  bool too_large = false;

 private:
  using error_code = boost::system::error_code;

  void on_request_impl(beast_http::verb verb, string_view, string_view target, int,
                       error_code&) override {
    target_.verb = method_of(verb);
    const std::string_view copied = memory_.copy(std_view(target));
    const auto question = copied.find('?');
    target_.path = copied.substr(0, question);
    if (question != std::string_view::npos) target_.query = copied.substr(question + 1);
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(beast_http::field field, string_view name, string_view value,
                     error_code&) override {
    if (field == beast_http::field::expect) {
      expect_continue = boost::beast::iequals(value, "100-continue");
      return;
    }
    if (const auto known = header_of(field, name))
      target_.headers[static_cast<std::size_t>(*known)] = memory_.copy(std_view(value));
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& error) override {
    if (!length) return;
    body_bytes = *length;
    if (*length > body_bytes_max_) {
      too_large = true;
      error = beast_http::error::body_limit;
      return;
    }
    // Not touched before bytes arrive: an announced length alone costs no memory.
    body_ = {static_cast<char*>(memory_.allocate(*length, 1)), *length};
  }
  std::size_t on_body_impl(string_view piece, error_code&) override {
    append(piece);
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code& error) override {
    if (body_size_ + piece.size() > body_bytes_max_) {
      too_large = true;
      body_bytes = body_size_ + piece.size();
      error = beast_http::error::body_limit;
      return 0;
    }
    if (body_size_ + piece.size() > body_.size()) {
      const std::size_t size = std::max(body_.size() * 2, body_size_ + piece.size());
      const std::span<char> grown(static_cast<char*>(memory_.allocate(size, 1)), size);
      std::copy_n(body_.data(), body_size_, grown.data());
      body_ = grown;
    }
    append(piece);
    return piece.size();
  }
  void on_finish_impl(error_code&) override {
    target_.body = {body_.data(), body_size_};
    target_.keep_alive = keep_alive();
  }

  void append(string_view piece) {
    std::copy(piece.begin(), piece.end(), body_.begin() + static_cast<std::ptrdiff_t>(body_size_));
    body_size_ += piece.size();
  }

  request& target_;
  arena& memory_;
  const std::uint64_t body_bytes_max_;
  std::span<char> body_;
  std::size_t body_size_ = 0;
};

}  // namespace

struct parser::state {
  explicit state(const parser_limits& given) : limits(given) {}
  const parser_limits limits;
  std::optional<request_parser> current;
};

parser::parser(const parser_limits& limits) : state_(std::make_unique<state>(limits)) {}
parser::~parser() = default;

void parser::start(request& target, arena& memory) {
  target = {};
  state_->current.emplace(target, memory, state_->limits);
}

parser::outcome parser::feed(std::string_view bytes, std::size_t& taken) {
  request_parser& current = *state_->current;
  boost::system::error_code error;
  taken = 0;
  while (taken < bytes.size() && !current.is_done()) {
    const std::size_t count = current.put(
        boost::asio::const_buffer(bytes.data() + taken, bytes.size() - taken), error);
    taken += count;
    if (error == beast_http::error::need_more) return outcome::need_more;
    if (error == beast_http::error::header_limit) return outcome::head_too_large;
    if (current.too_large) return outcome::body_too_large;
    if (error) return outcome::bad_request;
    if (count == 0) break;
  }
  return current.is_done() ? outcome::complete : outcome::need_more;
}

bool parser::head_done() const { return state_->current->is_header_done(); }

bool parser::take_expect_continue() {
  return std::exchange(state_->current->expect_continue, false);
}

std::uint64_t parser::body_bytes() const { return state_->current->body_bytes; }

}  // namespace vexfs::http
