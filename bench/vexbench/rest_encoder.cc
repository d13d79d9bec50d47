// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/rest_encoder.h"

#include <array>
#include <charconv>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace vexfs::bench {
namespace {

void append_vector(std::string& out, std::span<const float> values, float factor = 1) {
  out.push_back('[');
  for (std::size_t index = 0; index < values.size(); ++index) {
    if (index > 0) out.push_back(',');
    append_float(out, values[index] * factor);
  }
  out.push_back(']');
}

}  // namespace

void append_float(std::string& out, float value) {
  std::array<char, 32> text;
  const auto [end, bad] = std::to_chars(text.data(), text.data() + text.size(), value);
  out.append(text.data(), end);
}

rest_encoder::rest_encoder(const target& server, std::string collection, const dataset& data)
    : server_(server), path_("/collections/" + std::move(collection) + "/points"), data_(data) {}

std::string rest_encoder::whole(std::string_view method, std::string_view path,
                                std::string_view body) const {
  return server_.request(method, path, body);
}

std::string rest_encoder::upsert(std::span<const std::uint32_t> rows, bool wait,
                                 float factor) const {
  std::string body = "{\"points\":[";
  for (const std::uint32_t row : rows) {
    if (body.back() != '[') body.push_back(',');
    body.append("{\"id\":").append(std::to_string(row)).append(",\"vector\":");
    append_vector(body, data_.base().row(row), factor);
    if (data_.has_payload()) {
      body.append(",\"payload\":");
      data_.append_payload(row, body);
    }
    body.push_back('}');
  }
  body.append("]}");
  return whole("PUT", path_ + (wait ? "?wait=true" : "?wait=false"), body);
}

std::string rest_encoder::remove(std::span<const std::uint32_t> rows, bool wait) const {
  std::string body = "{\"points\":[";
  for (const std::uint32_t row : rows)
    body.append(body.back() != '[' ? "," : "").append(std::to_string(row));
  body.append("]}");
  return whole("POST", path_ + (wait ? "/delete?wait=true" : "/delete?wait=false"), body);
}

std::string rest_encoder::search(const search_spec& how, const row_filter* filter,
                                 std::uint32_t first, std::uint32_t count) const {
  std::string body;
  if (count > 1) body.append("{\"searches\":[");
  for (std::uint32_t index = 0; index < count; ++index) {
    if (index > 0) body.push_back(',');
    body.append("{\"query\":");
    const std::uint32_t query = (first + index) % data_.queries().rows;
    append_vector(body, data_.queries().row(query));
    fmt::format_to(std::back_inserter(body), ",\"limit\":{}", how.limit);
    if (how.exact)
      body.append(",\"params\":{\"exact\":true}");
    else if (how.hnsw_ef)
      fmt::format_to(std::back_inserter(body), ",\"params\":{{\"hnsw_ef\":{}}}", *how.hnsw_ef);
    if (how.with_payload) body.append(",\"with_payload\":true");
    if (how.with_vector) body.append(",\"with_vector\":true");
    if (filter) body.append(",\"filter\":").append(filter->json(query));
    body.push_back('}');
  }
  if (count > 1) body.append("]}");
  return whole("POST", path_ + (count > 1 ? "/query/batch" : "/query"), body);
}

outcome<std::vector<std::vector<std::uint64_t>>> read_search_answer(std::string_view body,
                                                                    bool is_batch) {
  const auto wrong = [&](std::string_view why) {
    constexpr std::size_t quoted_bytes_max = 200;
    return fail_with(exit_code::error_status,
                     fmt::format("a search was answered with something else ({}): {}", why,
                                 body.substr(0, quoted_bytes_max)));
  };
  boost::system::error_code bad;
  const boost::json::value whole = boost::json::parse(body, bad);
  if (bad || !whole.is_object()) return wrong("no JSON object");
  const boost::json::value* found = whole.get_object().if_contains("result");
  if (!found) return wrong("no result");
  boost::json::array one;
  if (!is_batch) one.push_back(*found);
  if (is_batch && !found->is_array()) return wrong("no list of results");
  const boost::json::array& results = is_batch ? found->get_array() : one;

  std::vector<std::vector<std::uint64_t>> ids;
  for (const boost::json::value& each : results) {
    // points/query wraps its hits, the older points/search does not.
    const boost::json::value* hits = &each;
    if (each.is_object()) hits = each.get_object().if_contains("points");
    if (!hits || !hits->is_array()) return wrong("no list of points");
    std::vector<std::uint64_t>& list = ids.emplace_back();
    for (const boost::json::value& hit : hits->get_array()) {
      const boost::json::value* id = hit.is_object() ? hit.get_object().if_contains("id") : nullptr;
      if (!id || !(id->is_int64() || id->is_uint64())) return wrong("an id that is no number");
      list.push_back(id->to_number<std::uint64_t>());
    }
  }
  return ids;
}

}  // namespace vexfs::bench
