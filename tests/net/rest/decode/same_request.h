// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <string>
#include <variant>

#include "core/base/result.h"
#include "core/model/query.h"
#include "core/model/update.h"

// Requests as text, every member of them: equal texts are equal requests, to the bit of each float.
namespace vexfs::rest {

inline std::string show(const vector_value& value) {
  std::string out = "v" + std::to_string(static_cast<int>(value.kind)) + "/" +
                    std::to_string(value.row_count) + "[";
  for (const float one : value.values)
    out += std::to_string(std::bit_cast<std::uint32_t>(one)) + " ";
  for (const std::uint32_t one : value.indices) {
    out += '#';
    out += std::to_string(one);
  }
  return out + "]";
}

inline std::string show(const payload_path& path) {
  std::string out;
  for (const path_step& step : path.steps)
    out += std::to_string(static_cast<int>(step.kind)) + std::string(step.key) +
           std::to_string(step.index) + "/";
  return out;
}

inline std::string show(const point_struct& point) {
  std::string out = point.id.text() + " " + std::string(point.payload) + " ";
  for (const named_vector& one : point.vectors)
    out += std::string(one.name) + "=" + show(one.value);
  return out;
}

/// Only how the filter is made up; what is in its conditions is the filter tests' business.
inline std::string show(const filter* given) {
  if (!given) return "none";
  const auto clause = [](std::span<const condition> conditions) {
    std::string out = "(";
    for (const condition& one : conditions) {
      out += std::to_string(one.index());
      if (const auto* field = std::get_if<field_condition>(&one)) out += show(field->key);
      if (const auto* inner = std::get_if<filter_condition>(&one)) out += show(inner->inner);
    }
    return out + ")";
  };
  return clause(given->must) + clause(given->should) + clause(given->must_not);
}

inline std::string show(const update_operation& operation) {
  const auto* upsert = std::get_if<upsert_points>(&operation);
  if (!upsert) return std::to_string(operation.index());
  std::string out = "upsert " + std::to_string(static_cast<int>(upsert->mode)) +
                    show(upsert->update_filter) + "\n";
  for (const point_struct& point : upsert->points)
    out += show(point) + "\n";
  return out;
}

inline std::string show(const vector_input& input) {
  if (const auto* id = std::get_if<point_id>(&input)) return id->text();
  return show(std::get<vector_value>(input));
}

inline std::string show(std::span<const context_pair> pairs) {
  std::string out;
  for (const context_pair& pair : pairs)
    out += show(pair.positive) + " not " + show(pair.negative) + ",";
  return out;
}

inline std::string show(const expression& part) {
  std::string out = std::to_string(static_cast<int>(part.kind)) + " " +
                    std::to_string(std::bit_cast<std::uint64_t>(part.number)) + " " +
                    std::to_string(part.index) + show(part.path) + show(part.if_true) +
                    std::to_string(part.fallback.value_or(-1)) + "(";
  for (const expression& operand : part.operands)
    out += show(operand);
  return out + ")";
}

inline std::string show(const query_kind& what) {
  std::string out = std::to_string(what.index()) + " ";
  if (const auto* nearest = std::get_if<nearest_query>(&what)) {
    out += show(nearest->target);
    if (nearest->mmr)
      out += " mmr " + std::to_string(nearest->mmr->diversity) + " " +
             std::to_string(nearest->mmr->candidates_limit.value_or(0));
  }
  if (const auto* liked = std::get_if<recommend_query>(&what)) {
    out += std::to_string(static_cast<int>(liked->how));
    for (const vector_input& input : liked->positive)
      out += " + " + show(input);
    for (const vector_input& input : liked->negative)
      out += " - " + show(input);
  }
  if (const auto* discover = std::get_if<discover_query>(&what))
    out += show(discover->target) + " in " + show(discover->pairs);
  if (const auto* context = std::get_if<context_query>(&what)) out += show(context->pairs);
  if (const auto* feedback = std::get_if<feedback_query>(&what)) {
    out += show(feedback->target) + std::to_string(feedback->a) + std::to_string(feedback->b) +
           std::to_string(feedback->c);
    for (const feedback_query::item& item : feedback->items)
      out += show(item.example) + "=" + std::to_string(item.score);
  }
  if (const auto* fusion = std::get_if<fusion_query>(&what)) {
    out += std::to_string(static_cast<int>(fusion->how)) + " " + std::to_string(fusion->k);
    for (const float weight : fusion->weights)
      out += " " + std::to_string(weight);
  }
  if (const auto* formula = std::get_if<formula_query>(&what)) {
    out += show(*formula->root);
    for (const formula_default& one : formula->defaults)
      out += show(one.path) + std::to_string(one.score.value_or(0)) + std::string(one.value);
  }
  if (const auto* order = std::get_if<order_by>(&what))
    out += show(order->key) + std::to_string(order->descending);
  return out;
}

inline std::string show(const payload_selector& selector) {
  std::string out = std::to_string(static_cast<int>(selector.kind));
  for (const payload_path& path : selector.paths)
    out += show(path) + ",";
  return out;
}

inline std::string show(const vector_selector& selector) {
  std::string out = std::to_string(static_cast<int>(selector.kind));
  for (const std::string_view name : selector.names)
    out += std::string(name) + ",";
  return out;
}

inline std::string show(const query_request& request) {
  std::string stages;
  for (const query_request& stage : request.prefetch)
    stages += "[" + show(stage) + "]";
  return stages + show(request.what) + " using " + std::string(request.using_vector) + " if " +
         show(request.condition) + " ef " + std::to_string(request.params.hnsw_ef.value_or(0)) +
         " exact " + std::to_string(request.params.exact) + " indexed " +
         std::to_string(request.params.indexed_only) + " more " +
         std::to_string(request.params.oversampling.value_or(-1)) + " rescore " +
         std::to_string(request.params.rescore.value_or(true)) + " originals " +
         std::to_string(request.params.ignore_codes) + " than " +
         std::to_string(request.score_threshold.value_or(-7)) + " limit " +
         std::to_string(request.limit) + "+" + std::to_string(request.offset) + " payload " +
         show(request.with_payload) + " vectors " + show(request.with_vector) + " from " +
         (request.lookup_from ? std::string(request.lookup_from->collection) : "") + "\n";
}

inline std::string show(std::span<const query_request> requests) {
  std::string out;
  for (const query_request& request : requests)
    out += show(request);
  return out;
}

inline std::string show(const group_request& group) {
  return show(group.search) + " by " + show(group.group_by) + " " +
         std::to_string(group.group_size) +
         (group.with_lookup ? group.with_lookup->collection : "-").data();
}

template <class T>
std::string show_result(const result<T>& decoded) {
  if (decoded) return show(*decoded);
  return "error " + std::to_string(static_cast<int>(decoded.error().code)) + " " +
         decoded.error().text;
}

}  // namespace vexfs::rest
