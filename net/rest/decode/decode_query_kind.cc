// SPDX-License-Identifier: Apache-2.0
#include "net/rest/decode/decode_query_kind.h"

#include <array>

#include "core/base/limits.h"
#include "net/rest/decode/decode_formula.h"
#include "net/rest/decode/decode_vector.h"

namespace vexfs::rest {
namespace {

/// A query with the one member `name`, an object of its own.
using decode_member = query_kind (*)(decoder&, const node& whole, const node& member,
                                     const std::string& path);

query_kind decode_nearest(decoder& in, const node& whole, const node& member,
                          const std::string& path) {
  nearest_query nearest{decode_input(in, member, path + ".nearest"), std::nullopt};
  const node* given = whole.find_set("mmr");
  if (!given || !in.object(given, "Mmr")) return nearest;
  mmr_params mmr;
  mmr.diversity = in.optional(*given, "diversity", [&](const node& n) {
                      return in.f32(n);
                    }).value_or(mmr.diversity);
  if (mmr.diversity < 0 || mmr.diversity > 1)
    in.invalid(path + ".mmr.diversity",
               "value " + in.number_text(mmr.diversity) + " invalid, must be from 0.0 to 1.0");
  mmr.candidates_limit =
      in.optional(*given, "candidates_limit", [&](const node& n) { return in.u64(n); });
  if (mmr.candidates_limit > mmr_candidates_max)
    in.invalid(path + ".mmr.candidates_limit",
               "value " + std::to_string(*mmr.candidates_limit) + " invalid, must be " +
                   std::to_string(mmr_candidates_max) + " or smaller");
  nearest.mmr = mmr;
  return nearest;
}

query_kind decode_recommend(decoder& in, const node&, const node& member, const std::string& path) {
  recommend_query liked;
  if (!in.object(&member, "RecommendInput")) return liked;
  liked.positive = decode_inputs(in, member.find_set("positive"), path + ".recommend");
  liked.negative = decode_inputs(in, member.find_set("negative"), path + ".recommend");
  if (const node* word = member.find_set("strategy")) liked.how = decode_strategy(in, *word);
  if (!in.failed() && liked.positive.empty() && liked.negative.empty())
    in.invalid(path + ".recommend.positives, negatives",
               "Validation error: At least one positive or negative vector/id must be provided "
               "[{}]");
  return liked;
}

query_kind decode_discover(decoder& in, const node&, const node& member, const std::string& path) {
  discover_query discover;
  if (!in.object(&member, "DiscoverInput")) return discover;
  if (const node* target = in.required(member, "target"))
    discover.target = decode_input(in, *target, path + ".discover.target");
  if (in.required(member, "context"))
    discover.pairs = decode_pairs(in, member.find_set("context"), path + ".discover.context");
  return discover;
}

query_kind decode_context(decoder& in, const node&, const node& member, const std::string& path) {
  return context_query{
      decode_pairs(in, member.is(node::form::null) ? nullptr : &member, path + ".context")};
}

query_kind decode_order_member(decoder& in, const node&, const node& member, const std::string&) {
  return decode_order(in, member);
}

query_kind decode_fusion(decoder& in, const node&, const node& member, const std::string&) {
  fusion_query fusion;
  const std::string_view word = in.string(member);
  if (!in.failed() && word != "rrf" && word != "dbsf")
    in.malformed("unknown variant `" + std::string(word) + "`, expected `rrf` or `dbsf`");
  if (word == "dbsf") fusion.how = fusion_query::method::dbsf;
  return fusion;
}

query_kind decode_rrf(decoder& in, const node&, const node& member, const std::string& path) {
  fusion_query fusion;
  if (!in.object(&member, "Rrf")) return fusion;
  if (const node* k = member.find_set("k")) {
    fusion.k = in.u64(*k);
    if (!in.failed()) in.at_least(path + ".rrf.k", fusion.k, 1);
  }
  if (const node* weights = member.find_set("weights"))
    fusion.weights =
        in.each<float>(in.array(*weights), [&](const node& weight) { return in.f32(weight); });
  return fusion;
}

query_kind decode_formula_member(decoder& in, const node& whole, const node&,
                                 const std::string& path) {
  return decode_formula(in, whole, path);
}

query_kind decode_sample(decoder& in, const node&, const node& member, const std::string&) {
  const std::string_view word = in.string(member);
  if (!in.failed() && word != "random")
    in.malformed("unknown variant `" + std::string(word) + "`, expected `random`");
  return sample_query{};
}

query_kind decode_feedback(decoder& in, const node&, const node& member, const std::string& path) {
  feedback_query query;
  if (!in.object(&member, "RelevanceFeedbackInput")) return query;
  const std::string here = path + ".relevance_feedback";
  if (const node* target = in.required(member, "target"))
    query.target = decode_input(in, *target, here + ".target");
  if (const node* list = in.required(member, "feedback"))
    query.items = in.each<feedback_query::item>(in.array(*list), [&](const node& given) {
      feedback_query::item item;
      if (!in.object(&given, "FeedbackItem")) return item;
      if (const node* example = in.required(given, "example"))
        item.example = decode_input(in, *example, here + ".feedback");
      if (const node* score = in.required(given, "score")) item.score = in.f32(*score);
      return item;
    });
  if (!in.failed() && query.items.empty())
    in.invalid(here + ".__all__", "feedback elements must be non-empty");
  const node* strategy = in.object(in.required(member, "strategy"), "FeedbackStrategy");
  const node* naive = strategy ? in.object(in.required(*strategy, "naive"), "naive") : nullptr;
  if (!naive) return query;
  const auto number = [&](std::string_view name) {
    const node* given = in.required(*naive, name);
    return given ? in.f32(*given) : 0.0F;
  };
  query.a = number("a");
  query.b = number("b");
  query.c = number("c");
  if (!in.failed() && query.b < 0)
    in.invalid(here + ".strategy.naive.b",
               "value " + in.number_text(query.b) + " invalid, must be 0.0 or larger");
  return query;
}

struct kind_entry {
  std::string_view name;
  decode_member decode;
};
constexpr std::array kinds = std::to_array<kind_entry>({
    {"nearest", decode_nearest},
    {"recommend", decode_recommend},
    {"discover", decode_discover},
    {"context", decode_context},
    {"order_by", decode_order_member},
    {"fusion", decode_fusion},
    {"rrf", decode_rrf},
    {"formula", decode_formula_member},
    {"sample", decode_sample},
    {"relevance_feedback", decode_feedback},
});

}  // namespace

vector_input decode_input(decoder& in, const node& value, const std::string& path) {
  if (value.is(node::form::number) || value.is(node::form::string)) return in.id(value);
  return decode_vector(in, value, path);
}

std::span<const vector_input> decode_inputs(decoder& in, const node* list,
                                            const std::string& path) {
  if (!list) return {};
  return in.each<vector_input>(in.array(*list),
                               [&](const node& item) { return decode_input(in, item, path); });
}

std::span<const context_pair> decode_pairs(decoder& in, const node* given,
                                           const std::string& path) {
  if (!given) return {};
  const auto list = given->is(node::form::array) ? given->items : std::span(given, 1);
  return in.each<context_pair>(list, [&](const node& item) {
    context_pair pair;
    if (!in.object(&item, "ContextPair")) return pair;
    if (const node* positive = in.required(item, "positive"))
      pair.positive = decode_input(in, *positive, path + ".positive");
    if (const node* negative = in.required(item, "negative"))
      pair.negative = decode_input(in, *negative, path + ".negative");
    return pair;
  });
}

recommend_query::strategy decode_strategy(decoder& in, const node& value) {
  const std::string_view word = in.string(value);
  if (word == "average_vector") return recommend_query::strategy::average_vector;
  if (word == "best_score") return recommend_query::strategy::best_score;
  if (word == "sum_scores") return recommend_query::strategy::sum_scores;
  in.malformed("unknown variant `" + std::string(word) +
               "`, expected one of `average_vector`, `best_score`, `sum_scores`");
  return {};
}

order_by decode_order(decoder& in, const node& value) {
  order_by order;
  if (value.is(node::form::string)) {
    order.key = in.path(value);
    return order;
  }
  if (!in.object(&value, "OrderBy")) return order;
  if (const node* key = in.required(value, "key")) order.key = in.path(*key);
  if (const node* direction = value.find_set("direction")) {
    const std::string_view word = in.string(*direction);
    if (word != "asc" && word != "desc")
      in.malformed("unknown variant `" + std::string(word) + "`, expected `asc` or `desc`");
    order.descending = word == "desc";
  }
  if (const node* start = value.find_set("start_from")) {
    if (start->is(node::form::string)) {
      order.start_from = in.datetime(*start);
    } else if (start->is(node::form::number) &&
               start->text.find_first_of(".eE") == std::string_view::npos) {
      order.start_from = in.i64(*start);
    } else {
      order.start_from = in.f64(*start);
    }
  }
  return order;
}

query_kind decode_query_kind(decoder& in, const node& value, const std::string& path) {
  if (value.is(node::form::object)) {
    for (const kind_entry& kind : kinds)
      if (const node* member = value.find(kind.name)) return kind.decode(in, value, *member, path);
    return nearest_query{decode_vector(in, value, path), std::nullopt};
  }
  return nearest_query{decode_input(in, value, path), std::nullopt};
}

}  // namespace vexfs::rest
