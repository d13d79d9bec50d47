// SPDX-License-Identifier: Apache-2.0
#include "net/rest/rest_service.h"

#include <algorithm>
#include <chrono>
#include <span>

#include "core/base/limits.h"
#include "core/payload/utf8.h"
#include "net/http/cors.h"
#include "net/rest/error_response.h"
#include "net/rest/routes.h"

namespace vexfs::rest {
namespace {

/// Takes the same time for every key of the same length.
bool same_key(std::string_view given, std::string_view expected) {
  if (expected.empty() || given.size() != expected.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < given.size(); ++i)
    difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(expected[i]);
  return difference == 0;
}

/// Of text in UTF-8.
std::size_t count_chars(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void answer_plain(http::exchange& call, std::uint16_t status, std::string_view text) {
  call.answer.status = status;
  call.answer.content_type = "text/plain; charset=utf-8";
  call.answer.body.assign(text);
}

}  // namespace

rest_service::rest_service(database& served, const rest_config& config, std::uint32_t core_count)
    : data(served),
      info_cache(core_count),
      config_(config),
      log_(config.log),
      statistics_(core_count),
      started_us_(std::chrono::duration_cast<std::chrono::microseconds>(
                      std::chrono::system_clock::now().time_since_epoch())
                      .count()) {
  add_service_routes(router_, *this);
  add_collection_routes(router_, *this);
  add_point_routes(router_, *this);
  add_query_routes(router_, *this);
  add_vexfs_routes(router_, *this);
}

rest_service::~rest_service() = default;

io::task<server_state> rest_service::state() {
  server_state now;
  now.peer_id = config_.peer_id;
  now.started_us = started_us_;
  now.routes = &router_.routes();
  auto gathering = statistics_.gather();
  now.requests = co_await gathering;
  now.process = io::read_process_statistics();
  for (const std::string& name : data.collection_names()) {
    auto asking = data.info(name);
    auto info = co_await asking;
    // It may have gone meanwhile.
    if (info) now.collections.emplace_back(name, std::move(*info));
  }
  co_return now;
}

result<std::unique_ptr<rest_service>> rest_service::create(database& data,
                                                           const rest_config& config,
                                                           std::uint32_t core_count) {
  auto made = std::unique_ptr<rest_service>(new rest_service(data, config, core_count));
  if (!config.static_content_dir.empty()) {
    VEXFS_TRY(made->dashboard, http::static_files::load(config.static_content_dir));
  }
  return made;
}

bool rest_service::authorise(http::exchange& call) const {
  if (config_.api_key.empty() && config_.alt_api_key.empty() && config_.read_only_api_key.empty())
    return true;
  // What is not there says so only to who may read.
  const auto needed = call.matched ? static_cast<access>(call.matched->flags) : access::read;
  if (needed == access::open) return true;
  std::string_view key = call.in.value_of(http::header::api_key);
  if (key.empty()) {
    key = call.in.value_of(http::header::authorization);
    constexpr std::string_view bearer = "Bearer ";
    key = key.starts_with(bearer) ? key.substr(bearer.size()) : std::string_view{};
  }
  if (key.empty()) {
    answer_plain(call, 401, "Must provide an API key or an Authorization bearer token");
    return false;
  }
  if (same_key(key, config_.api_key) || same_key(key, config_.alt_api_key)) return true;
  if (same_key(key, config_.read_only_api_key)) {
    if (needed == access::read) return true;
    answer_error(call.answer, {errc::forbidden, "Global manage access is required"}, 0);
    return false;
  }
  answer_plain(call, 403, "Invalid API key or JWT");
  return false;
}

void rest_service::handle(http::exchange& call) {
  if (config_.enable_cors) {
    if (http::answer_preflight(call)) {
      call.finish();
      return;
    }
    http::allow_origin(call);
  }
  const auto found = router_.match(call);
  if (!authorise(call)) {
    call.finish();
    return;
  }
  switch (found) {
    case http::router::outcome::found:
      break;
    case http::router::outcome::no_method:
      call.answer.status = 405;
      call.finish();
      return;
    case http::router::outcome::bad_path:
      call.answer.status = 400;
      call.finish();
      return;
    case http::router::outcome::no_path:
      call.answer.status = 404;
      call.finish();
      return;
  }
  // Names are printed in JSON, so they have to be text.
  const auto capture_count =
      static_cast<std::size_t>(std::ranges::count(call.matched->pattern, '{'));
  if (!std::ranges::all_of(std::span(call.captures).first(capture_count), is_utf8)) {
    answer_error(call.answer,
                 {errc::malformed, "Deserialize error in path parameters: invalid utf-8 sequence"},
                 0);
    call.finish();
    return;
  }
  if (call.matched->pattern.starts_with("/collections/{name}") &&
      count_chars(call.captures[0]) > collection_name_chars_max) {
    answer_error(call.answer,
                 {errc::invalid, "Validation error in path parameters: [collection_name: value \"" +
                                     std::string(call.captures[0]) +
                                     "\" invalid, must be from 1 to 255 characters]"},
                 0);
    call.finish();
    return;
  }
  call.user = this;
  call.matched->handler(call, this);
}

void rest_service::refuse(http::exchange& call, std::uint16_t status, std::string_view text) {
  if (config_.enable_cors) http::allow_origin(call);
  if (!text.empty()) answer_error(call.answer, {errc::malformed, std::string(text)}, 0);
  call.answer.status = status;
}

}  // namespace vexfs::rest
