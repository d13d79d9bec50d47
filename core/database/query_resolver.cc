// SPDX-License-Identifier: Apache-2.0
#include "core/database/query_resolver.h"

#include <cmath>
#include <vector>

#include "core/database/average_vector.h"
#include "core/database/hnsw_settings.h"
#include "core/database/records.h"
#include "core/database/scroll.h"
#include "core/database/slot_reading.h"
#include "core/database/sparse_idf.h"
#include "core/io/read_guard.h"

namespace vexfs {
namespace {

/// Whether a quantization is set for one named vector: its own or the collection's.
bool is_quantized(const collection_config& config, const std::string& vector_name) {
  if (config.quantization) return true;
  const auto params = config.vectors.params.find(vector_name);
  return params != config.vectors.params.end() && params->second.quantization.has_value();
}

template <class Visit>
void visit_inputs(const query_kind& what, Visit&& visit) {
  const auto pairs = [&](std::span<const context_pair> given) {
    for (const context_pair& pair : given) {
      visit(pair.positive);
      visit(pair.negative);
    }
  };
  if (const auto* nearest = std::get_if<nearest_query>(&what)) visit(nearest->target);
  if (const auto* liked = std::get_if<recommend_query>(&what)) {
    for (const vector_input& input : liked->positive)
      visit(input);
    for (const vector_input& input : liked->negative)
      visit(input);
  }
  if (const auto* discover = std::get_if<discover_query>(&what)) {
    visit(discover->target);
    pairs(discover->pairs);
  }
  if (const auto* context = std::get_if<context_query>(&what)) pairs(context->pairs);
  if (const auto* feedback = std::get_if<feedback_query>(&what)) {
    visit(feedback->target);
    for (const feedback_query::item& item : feedback->items)
      visit(item.example);
  }
}

std::string quoted(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

}  // namespace

/// Where the vectors of a query's points are.
struct query_resolver::origin {
  const collection& points;
  std::shared_ptr<column> vectors;  // null where there are none of that name
  std::string_view vector_name;
  const column& compared;  // the vectors are looked for in it
};

bool is_by_example(const query_kind& what) {
  bool found = false;
  visit_inputs(what, [&](const vector_input&) { found = true; });
  return found || std::holds_alternative<context_query>(what) ||
         std::holds_alternative<recommend_query>(what);
}

bool is_one_search(const query_request& request) {
  const auto* nearest = std::get_if<nearest_query>(&request.what);
  return request.prefetch.empty() && is_by_example(request.what) && !(nearest && nearest->mmr);
}

std::span<const point_id> query_resolver::references(const query_request& request) const {
  std::vector<point_id> ids;
  const auto gather = [&](const query_request& stage, const auto& self) -> void {
    const auto* other = stage.lookup_from ? names_->find(stage.lookup_from->collection) : nullptr;
    if (!stage.lookup_from || (other && *other == source_))
      visit_inputs(stage.what, [&](const vector_input& input) {
        if (const auto* id = std::get_if<point_id>(&input)) ids.push_back(*id);
      });
    for (const query_request& inner : stage.prefetch)
      self(inner, self);
  };
  gather(request, gather);
  return memory_.copy(std::span<const point_id>(ids));
}

result<std::shared_ptr<collection>> query_resolver::origin_of(const query_request& request) const {
  if (!request.lookup_from) return source_;
  if (const auto* other = names_->find(request.lookup_from->collection)) return *other;
  return fail(errc::not_found,
              "Collection " + std::string(request.lookup_from->collection) + " not found");
}

result<vector_value> query_resolver::find(const vector_input& given, const origin& from,
                                          row_reads& reads) const {
  vector_value value;
  if (const auto* id = std::get_if<point_id>(&given)) {
    const auto slot = from.points.id_to_slot.find(*id);
    if (!slot) return fail(errc::not_found, "No point with id " + id->text() + " found");
    if (!from.vectors) return std::unexpected(unknown_vector(from.vector_name));
    if (!from.vectors->has(*slot))
      return fail(errc::not_found,
                  "Vector with name " + quoted(from.vector_name) + " for point not found");
    value = from.vectors->read(*slot, reads, memory_);
  } else {
    value = std::get<vector_value>(given);
  }
  VEXFS_CHECK(from.compared.check(value));
  return value;
}

io::task<result<std::span<const vector_value>>> query_resolver::find_inputs(
    const query_request& request, const column& compared) const {
  const auto points = origin_of(request);
  if (!points) co_return std::unexpected(points.error());
  std::string_view name = request.using_vector;
  if (request.lookup_from) name = request.lookup_from->vector.value_or(name);
  const slot_reading held((*points)->readers);
  row_reads reads(memory_);
  std::vector<vector_value> found;
  {
    const auto section = co_await io::read((*points)->guard);
    const origin from{**points, (*points)->find_column(name), name, compared};
    result<void> outcome;
    visit_inputs(request.what, [&](const vector_input& input) {
      if (!outcome) return;
      auto value = find(input, from, reads);
      if (value)
        found.push_back(*value);
      else
        outcome = std::unexpected(std::move(value).error());
    });
    if (!outcome) co_return std::unexpected(std::move(outcome).error());
  }
  VEXFS_CHECK_CO(co_await reads.finish());
  co_return std::span<const vector_value>(memory_.copy(std::span<const vector_value>(found)));
}

namespace {

/// Pairs that were visited one after the other, each the positive one first.
void take_pairs(std::span<const vector_value> inputs, example_query& examples, arena& memory) {
  const auto positive = memory.array<vector_value>(inputs.size() / 2);
  const auto negative = memory.array<vector_value>(inputs.size() / 2);
  for (std::size_t i = 0; i < positive.size(); ++i) {
    positive[i] = inputs[2 * i];
    negative[i] = inputs[2 * i + 1];
  }
  examples.positive = positive;
  examples.negative = negative;
}

/// Every two items of different scores are a pair, and count by how different these are.
void take_feedback(const feedback_query& given, std::span<const vector_value> inputs,
                   example_query& examples, arena& memory) {
  examples.kind = example_query::form::feedback;
  examples.target = inputs.front();
  examples.target_weight = given.a;
  const auto items = inputs.subspan(1);
  std::vector<vector_value> positive;
  std::vector<vector_value> negative;
  std::vector<float> weights;
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t j = 0; j < items.size(); ++j) {
      const float confidence = given.items[i].score - given.items[j].score;
      if (i == j || confidence <= 0) continue;
      positive.push_back(items[i]);
      negative.push_back(items[j]);
      weights.push_back(std::pow(confidence, given.b) * given.c);
    }
  }
  examples.positive = memory.copy(std::span<const vector_value>(positive));
  examples.negative = memory.copy(std::span<const vector_value>(negative));
  examples.weights = memory.copy(std::span<const float>(weights));
}

}  // namespace

result<void> query_resolver::take_examples(const query_kind& what,
                                           std::span<const vector_value> inputs,
                                           nearest_search& search) const {
  if (std::holds_alternative<nearest_query>(what)) {
    search.target = inputs.front();
    return {};
  }
  example_query& examples = *memory_.make<example_query>();
  if (const auto* liked = std::get_if<recommend_query>(&what)) {
    const auto positive = inputs.first(liked->positive.size());
    const auto negative = inputs.subspan(liked->positive.size());
    if (liked->how == recommend_query::strategy::average_vector) {
      VEXFS_TRY(search.target, average_vector(positive, negative, memory_));
      return {};
    }
    examples.kind = liked->how == recommend_query::strategy::best_score
                        ? example_query::form::best_score
                        : example_query::form::sum_scores;
    examples.positive = positive;
    examples.negative = negative;
  } else if (std::holds_alternative<discover_query>(what)) {
    examples.kind = example_query::form::discover;
    examples.target = inputs.front();
    take_pairs(inputs.subspan(1), examples, memory_);
  } else if (std::holds_alternative<context_query>(what)) {
    examples.kind = example_query::form::context;
    take_pairs(inputs, examples, memory_);
  } else {
    take_feedback(std::get<feedback_query>(what), inputs, examples, memory_);
  }
  search.examples = &examples;
  return {};
}

/// All vectors of the search as the column compares them.
result<void> query_resolver::prepare(nearest_search& search) const {
  const column& over = *search.over;
  if (!search.examples) {
    VEXFS_CHECK(over.check(search.target));
    search.target = over.prepare(search.target, memory_);
    return {};
  }
  const auto prepare_all = [&](std::span<const vector_value> given) {
    const auto prepared = memory_.array<vector_value>(given.size());
    for (std::size_t i = 0; i < given.size(); ++i)
      prepared[i] = over.prepare(given[i], memory_);
    return prepared;
  };
  example_query& prepared = *memory_.make<example_query>(*search.examples);
  prepared.positive = prepare_all(prepared.positive);
  prepared.negative = prepare_all(prepared.negative);
  if (prepared.kind == example_query::form::discover ||
      prepared.kind == example_query::form::feedback)
    prepared.target = over.prepare(prepared.target, memory_);
  search.examples = &prepared;
  return {};
}

/// Of sparse vectors with the modifier idf, each value by the rarity of its index.
io::task<result<void>> query_resolver::weigh(const query_request& request, nearest_search& search) {
  // Rows are read without the guard.
  const slot_reading held(source_->readers);
  std::optional<std::span<const std::uint64_t>> among;
  if (request.params.idf_corpus) {
    auto selecting = select_points(*source_, request.params.idf_corpus, memory_);
    const selection corpus = co_await selecting;
    among = corpus.words;
  }
  const auto& sparse = static_cast<const variable_column&>(*search.over);
  slot_index limit = 0;
  {
    const auto section = co_await io::read(source_->guard);
    limit = source_->slots.limit();
  }
  if (!search.examples) {
    auto weighing = weigh_by_rarity(sparse, search.target, limit, among, memory_);
    search.target = co_await weighing;
    co_return result<void>{};
  }
  example_query& weighted = *memory_.make<example_query>(*search.examples);
  for (std::span<const vector_value>* list : {&weighted.positive, &weighted.negative}) {
    const auto values = memory_.copy(*list);
    for (vector_value& value : values) {
      auto weighing = weigh_by_rarity(sparse, value, limit, among, memory_);
      value = co_await weighing;
    }
    *list = values;
  }
  auto weighing = weigh_by_rarity(sparse, weighted.target, limit, among, memory_);
  weighted.target = co_await weighing;
  search.examples = &weighted;
  co_return result<void>{};
}

io::task<result<nearest_search>> query_resolver::resolve(const query_request& request,
                                                         std::span<const point_id> excluded) {
  nearest_search search;
  search.condition = request.condition;
  search.excluded = excluded;
  search.skipped = request.offset;
  search.wanted =
      request.limit > UINT64_MAX - request.offset ? UINT64_MAX : request.limit + request.offset;
  search.score_threshold = request.score_threshold;
  search.params = request.params;
  search.with_payload = request.with_payload;
  search.with_vector = request.with_vector;
  bool weighs = false;
  {
    const auto section = co_await io::read(source_->guard);
    search.over = source_->find_column(request.using_vector);
    if (!search.over) co_return std::unexpected(unknown_vector(request.using_vector));
    VEXFS_CHECK_CO(check_selector(*source_, request.with_vector));
    search.full_scan_threshold =
        hnsw_settings_of(source_->config, search.over->name()).full_scan_threshold;
    if (!is_quantized(source_->config, search.over->name())) {
      search.params.oversampling.reset();
      search.params.rescore.reset();
      search.params.ignore_codes = false;
    }
    const auto sparse = source_->config.sparse_vectors.find(std::string(request.using_vector));
    weighs = sparse != source_->config.sparse_vectors.end() &&
             sparse->second.modifier == sparse_vector_params::weighting::idf;
  }
  if (request.params.idf_given && !weighs)
    co_return fail(errc::bad_input,
                   "Validation failed: search param `idf` requires a sparse vector with the `idf` "
                   "modifier, which vector " +
                       quoted(request.using_vector) + " is not");
  auto finding = find_inputs(request, *search.over);
  const auto inputs = co_await finding;
  if (!inputs) co_return std::unexpected(inputs.error());
  VEXFS_CHECK_CO(take_examples(request.what, *inputs, search));
  VEXFS_CHECK_CO(prepare(search));
  if (weighs) {
    auto weighing = weigh(request, search);
    VEXFS_CHECK_CO(co_await weighing);
  }
  co_return search;
}

}  // namespace vexfs
