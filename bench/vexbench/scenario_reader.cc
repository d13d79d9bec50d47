// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include <fmt/format.h>

#include "bench/vexbench/file_bytes.h"
#include "bench/vexbench/scenario.h"
#include "bench/vexbench/table.h"
#include "bench/vexbench/yaml_map.h"

namespace vexfs::bench {
namespace {

constexpr double seconds_max = 24 * 3600;
constexpr std::uint32_t connections_max = 20'000;
constexpr std::uint32_t pipeline_max = 1024;
constexpr std::uint32_t batch_max = 100'000;
constexpr std::uint32_t limit_max = 10'000;  // as many true neighbours are looked for
constexpr std::uint32_t payload_bytes_max = 16 << 20;
constexpr std::uint32_t dim_max = 65'536;
constexpr std::uint32_t clusters_max = 1'000'000;
constexpr std::uint64_t made_values_max = 1ULL << 33;  // 32 GiB

// What is printed in tables and logs.
bool is_printable(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char letter) {
    return (letter >= 0 && letter < ' ') || letter == '|';
  });
}

// What goes into a request's first line as it is.
bool is_path(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter != 0x7f; });
}

data_spec read_data(yaml_map& from) {
  data_spec made;
  from.text("base", made.base);
  from.text("queries", made.queries);
  from.text("truth", made.truth);
  from.text("payload", made.payload);
  from.number("points", made.points_max, 1);
  from.number("query_count", made.queries_max, 1);
  from.number("payload_bytes", made.payload_bytes, 0, payload_bytes_max);
  from.flag("filter_fields", made.filter_fields);
  std::string distance = "Cosine";
  from.text("distance", distance);
  const auto which = metric_named(distance);
  if (!which) from.refuse("distance", "is one of Cosine, Dot, Euclid, Manhattan");
  made.distance = *which;
  from.map("generate", [&](yaml_map& inner) {
    recipe drawn;
    std::string named;
    inner.text("shape", named);
    const auto chosen = shape_named(named);
    if (!chosen)
      inner.refuse("shape",
                   "is one of clustered, anisotropic, drifting, uniform (uniform data is "
                   "like nothing that people store)");
    drawn.which = *chosen;
    inner.number("points", drawn.points, 1);
    inner.number("queries", drawn.queries, 1);
    inner.number("dim", drawn.dim, 1, dim_max);
    inner.number("clusters", drawn.clusters, 1, clusters_max);
    inner.number("spread", drawn.spread, 0, 100);
    inner.number("seed", drawn.seed);
    if ((std::uint64_t{drawn.points} + drawn.queries) * drawn.dim > made_values_max ||
        std::uint64_t{drawn.clusters} * drawn.dim > made_values_max / 64)
      inner.refuse("points", fmt::format("points and queries times dim must be at most {} values, "
                                         "clusters times dim a 64th of that",
                                         made_values_max));
    made.made = drawn;
  });
  if (made.made.has_value() == !made.base.empty())
    from.refuse("base", "either base and queries, or generate, must be there");
  if (!made.made && made.queries.empty()) from.refuse("queries", "is missing");
  return made;
}

collection_spec read_collection(yaml_map& from) {
  collection_spec made;
  from.text("name", made.name);
  if (made.name.empty() || !is_path(made.name))
    from.refuse("name", "must be letters without blanks");
  from.json("settings", made.settings);
  from.json("vectors", made.vector_settings);
  from.map("indexes", [&](yaml_map& inner) {
    inner.each([&](const std::string& field, const YAML::Node&) {
      std::string schema;
      inner.json(field, schema);
      made.indexes.emplace_back(field, schema);
    });
  });
  return made;
}

server_spec read_server(yaml_map& from) {
  server_spec made;
  from.texts("command", made.command);
  if (made.command.empty()) from.refuse("command", "is missing");
  from.text("storage", made.storage);
  from.number("start_seconds_max", made.start_seconds_max, 1);
  from.map("environment", [&](yaml_map& inner) {
    inner.each([&](const std::string& name, const YAML::Node& value) {
      made.environment[name] = inner.scalar(value, name);
    });
  });
  return made;
}

// An upload's rate is the question itself; other loads are also asked how long they make wait.
enum class asks_for : std::uint8_t { rate, rate_and_latency };

void read_sending(yaml_map& from, sending& to, asks_for what) {
  from.number("connections", to.connections, 1, connections_max);
  from.number("pipeline", to.pipeline, 1, pipeline_max);
  from.optional_number("rate", to.rate, 0.001, 1e8);
  from.optional_number("rate_share", to.rate_share, 0.001, 10);
  from.text("rate_of", to.rate_of);
  if (to.rate && to.rate_share) from.refuse("rate_share", "and rate cannot both be there");
  if (to.rate_share.has_value() == to.rate_of.empty())
    from.refuse("rate_of",
                "names the step whose rate rate_share is a share of: one needs the other");
  std::string spacing;
  from.text("arrivals", spacing);
  if (spacing == "constant")
    to.spacing = arrivals::constant;
  else if (!spacing.empty() && spacing != "poisson")
    from.refuse("arrivals", "is constant or poisson");
  if (what == asks_for::rate_and_latency) {
    std::string mode;
    from.text("mode", mode);
    if (!mode.empty() && mode != "closed")
      from.refuse("mode", "can only be closed: without it latencies are measured too");
    to.is_closed = mode == "closed";
    if (to.is_closed && to.has_rate()) from.refuse("mode", "closed has no rate");
    if (from.has("latency_share") && (to.is_closed || to.has_rate()))
      from.refuse("latency_share", "is for steps with neither a rate nor mode: closed");
    from.number("latency_share", to.latency_share, 0.01, 10);
    if (to.pipeline > 1 && !to.is_closed && !to.has_rate())
      from.refuse("pipeline", "is for a peak: say mode: closed");
  }
  if (!spacing.empty() && !to.has_rate() && (to.is_closed || what == asks_for::rate))
    from.refuse("arrivals", "belong to an open loop: give rate or rate_share");
}

void read_where(yaml_map& from, const std::string& field, filter_place& to) {
  std::string where;
  from.text("where", where);
  if (where.empty()) return;
  if (where != "near" && where != "far") from.refuse("where", "is near or far");
  if (field != "correlated") from.refuse("where", "is for the field correlated");
  to = where == "near" ? filter_place::near : filter_place::far;
}

void read_search(yaml_map& from, search_spec& to) {
  from.number("limit", to.limit, 1, limit_max);
  from.number("batch", to.batch, 1, batch_max);
  from.optional_number("hnsw_ef", to.hnsw_ef, 1);
  from.flag("exact", to.exact);
  from.flag("with_payload", to.with_payload);
  from.flag("with_vector", to.with_vector);
  from.map("filter", [&](yaml_map& inner) {
    filter_spec made;
    inner.text("field", made.field);
    if (made.field.empty()) inner.refuse("field", "is missing");
    inner.optional_number("pass", made.pass, 0, 1);
    read_where(inner, made.field, made.where);
    if (inner.has("where") && !made.pass) inner.refuse("where", "belongs to pass");
    inner.optional_number("below", made.below);
    if (inner.has("equals")) {
      made.equals.emplace();
      inner.text("equals", *made.equals);
    }
    if (made.pass.has_value() + made.below.has_value() + made.equals.has_value() != 1)
      inner.refuse("field", "one of pass, below and equals must be there");
    if (made.pass && made.field != "uniform" && made.field != "correlated")
      inner.refuse("pass", "is for the fields uniform and correlated (data.filter_fields)");
    to.filter = made;
  });
}

void read_search_step(yaml_map& from, search_step& to) {
  read_sending(from, to.how, asks_for::rate_and_latency);
  read_search(from, to.search);
  from.number("seconds", to.seconds, 0.01, seconds_max);
  from.number("samples_per_second", to.samples_per_second, 0, 1e6);
}

// Searches beside writes: a closed loop would ask less while they are slow, and hide it.
void read_searches_meanwhile(yaml_map& from, search_step& to) {
  from.map("search", [&](yaml_map& inner) {
    if (inner.has("seconds")) inner.refuse("seconds", "is the time that the writes take");
    read_search_step(inner, to);
  });
  if (!to.how.has_rate() && !to.how.is_closed)
    from.refuse("search", "needs a rate (or mode: closed, where latencies do not matter)");
}

void read_upload_step(yaml_map& from, upload_step& to) {
  read_sending(from, to.how, asks_for::rate);
  from.number("batch", to.batch, 1, batch_max);
  from.flag("wait", to.wait);
  from.number("from", to.from, 0, 1);
  from.number("to", to.to, 0, 1);
  if (to.from >= to.to) from.refuse("from", "must be less than to");
}

step_spec read_step(const std::string& kind, yaml_map& from) {
  if (kind == "create") return create_step{};
  if (kind == "index") return index_step{};
  if (kind == "settle") {
    settle_step made;
    from.number("seconds_max", made.seconds_max, 0, seconds_max);
    return made;
  }
  if (kind == "pause") {
    pause_step made;
    from.number("seconds", made.seconds, 0, seconds_max);
    return made;
  }
  if (kind == "upload") {
    upload_step made;
    read_upload_step(from, made);
    return made;
  }
  if (kind == "request") {
    request_step made;
    read_sending(from, made.how, asks_for::rate_and_latency);
    from.text("method", made.method);
    from.text("path", made.path);
    from.json("body", made.body);
    from.number("seconds", made.seconds, 0.01, seconds_max);
    if (!made.path.starts_with('/') || !is_path(made.path))
      from.refuse("path", "begins with / and has no blanks");
    // An answer to HEAD announces a body that does not come.
    constexpr std::array<std::string_view, 5> methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
    if (std::ranges::find(methods, made.method) == methods.end())
      from.refuse("method", "is one of GET, POST, PUT, PATCH, DELETE");
    return made;
  }
  if (kind == "search") {
    search_step made;
    read_search_step(from, made);
    return made;
  }
  if (kind == "sweep") {
    sweep_step made;
    read_sending(from, made.how, asks_for::rate_and_latency);
    read_search(from, made.search);
    from.number("seconds", made.seconds, 0.01, seconds_max);
    from.number("samples_per_second", made.samples_per_second, 0, 1e6);
    from.text("field", made.field);
    read_where(from, made.field, made.where);
    from.numbers("pass", made.pass, 0, 1);
    if (made.field != "uniform" && made.field != "correlated")
      from.refuse("field", "is uniform or correlated");
    if (made.search.filter) from.refuse("filter", "is the sweep's own");
    return made;
  }
  if (kind == "mixed") {
    mixed_step made;
    read_searches_meanwhile(from, made.search);
    from.map("upload", [&](yaml_map& inner) { read_upload_step(inner, made.upload); });
    from.number("idle_seconds", made.idle_seconds, 0.01, seconds_max);
    from.number("drain_seconds_max", made.drain_seconds_max, 0, seconds_max);
    return made;
  }
  if (kind == "churn") {
    churn_step made;
    read_searches_meanwhile(from, made.search);
    read_sending(from, made.how, asks_for::rate);
    from.number("batch", made.batch, 1, batch_max);
    from.number("share", made.share, 0.0001, 1);
    from.number("rounds", made.rounds, 1, 1000);
    std::string choice;
    from.text("choice", choice);
    if (choice == "clusters")
      made.choice = churn_choice::clusters;
    else if (!choice.empty() && choice != "random")
      from.refuse("choice", "is random or clusters");
    from.flag("wait", made.wait);
    return made;
  }
  if (kind == "update") {
    update_step made;
    read_searches_meanwhile(from, made.search);
    read_sending(from, made.how, asks_for::rate);
    from.number("batch", made.batch, 1, batch_max);
    from.number("share", made.share, 0.0001, 1);
    from.number("seconds", made.seconds, 0.01, seconds_max);
    from.flag("wait", made.wait);
    return made;
  }
  if (kind == "restart") {
    restart_step made;
    from.flag("kill", made.kill);
    read_search(from, made.search);
    return made;
  }
  if (kind == "solve") {
    solve_step made;
    read_search(from, made.search);
    if (made.search.hnsw_ef) from.refuse("hnsw_ef", "is what is solved for");
    from.numbers("targets", made.targets, 0.01, 1);
    from.number("ef_max", made.ef_max, 1);
    from.map("peak", [&](yaml_map& inner) { read_sending(inner, made.peak, asks_for::rate); });
    if (made.peak.has_rate()) from.refuse("peak", "is a closed loop: it has no rate");
    from.number("latency_share", made.peak.latency_share, 0.01, 10);
    from.number("seconds", made.seconds, 0.01, seconds_max);
    std::ranges::sort(made.targets);
    return made;
  }
  throw scenario_fault{from.line(), from.path(),
                       "is no step: create, index, settle, pause, upload, request, search, sweep, "
                       "mixed, churn, update, restart, solve are"};
}

void read_steps(const YAML::Node& list, const yaml_map::variables& values, scenario& to) {
  if (!list.IsSequence() || list.size() == 0)
    throw scenario_fault{list.Mark().line + 1, "steps", "must be a list of steps"};
  std::set<std::string> names;
  for (std::size_t index = 0; index < list.size(); ++index) {
    const YAML::Node& entry = list[index];
    const int line = entry.Mark().line + 1;
    const std::string path = fmt::format("steps[{}]", index);
    step made;
    YAML::Node inner;
    // `- create` alone, or a mapping with the kind as its one key.
    if (entry.IsScalar()) {
      made.kind = entry.Scalar();
    } else if (entry.IsMap() && entry.size() == 1) {
      made.kind = entry.begin()->first.Scalar();
      inner = entry.begin()->second;
    } else {
      throw scenario_fault{line, path, "is one step: a name, or a name with its options below it"};
    }
    if (!inner.IsDefined() || inner.IsNull()) inner = YAML::Node(YAML::NodeType::Map);
    yaml_map options(inner, path + "." + made.kind, values);
    made.name = made.kind;
    options.text("name", made.name);
    for (int count = 2; !options.has("name") && names.contains(made.name); ++count)
      made.name = fmt::format("{} {}", made.kind, count);
    if (!is_printable(made.name))
      options.refuse("name", "must be plain text of one line, without |");
    if (!names.insert(made.name).second) options.refuse("name", "is another step's name too");
    made.spec = read_step(made.kind, options);
    options.done();
    to.steps.push_back(std::move(made));
  }
}

void read_table(yaml_map& from, scenario& to) {
  from.text("title", to.table_title);
  const YAML::Node rows = from.at("rows");
  if (!rows.IsDefined() || !rows.IsSequence()) from.refuse("rows", "must be a list");
  for (std::size_t index = 0; index < rows.size(); ++index) {
    yaml_map row(rows[index], fmt::format("table.rows[{}]", index), from.values());
    table_row made;
    row.text("what", made.what);
    row.text("step", made.step);
    row.text("operation", made.operation);
    row.optional_number("target", made.target, 0, 1);
    row.text("value", made.value);
    row.text("published", made.published);
    row.optional_number("at_least", made.at_least, 0, 1e18);
    row.optional_number("at_most", made.at_most, 0, 1e18);
    if (std::ranges::none_of(to.steps, [&](const step& each) { return each.name == made.step; }))
      row.refuse("step", fmt::format("'{}' is no step of this scenario", made.step));
    if (!is_table_value(made.value))
      row.refuse("value", fmt::format("is one of {}", table_values()));
    row.done();
    to.table.push_back(std::move(made));
  }
}

// What steps ask of each other and of the rest of the file.
void check(const scenario& of) {
  std::set<std::string> before;
  for (std::size_t index = 0; index < of.steps.size(); ++index) {
    const step& each = of.steps[index];
    const auto fault = [&](const std::string& why) {
      throw scenario_fault{0, fmt::format("steps[{}].{}", index, each.kind), why};
    };
    const bool needs_data = !std::holds_alternative<request_step>(each.spec) &&
                            !std::holds_alternative<pause_step>(each.spec);
    if (needs_data && !of.data) fault("needs data");
    if (std::holds_alternative<restart_step>(each.spec) && !of.server)
      fault("needs server.command: vexbench restarts only what it has started");
    const auto check_rate = [&](const sending& how) {
      if (!how.rate_of.empty() && !before.contains(how.rate_of))
        fault(fmt::format("rate_of: '{}' is no step before this one", how.rate_of));
    };
    const auto check_filter = [&](const std::optional<filter_spec>& filter) {
      if (filter && filter->pass && !of.data->filter_fields)
        fault("filter: pass needs data.filter_fields: true");
    };
    if (const auto* search = std::get_if<search_step>(&each.spec)) {
      check_rate(search->how);
      check_filter(search->search.filter);
    } else if (const auto* request = std::get_if<request_step>(&each.spec)) {
      check_rate(request->how);
    } else if (const auto* upload = std::get_if<upload_step>(&each.spec)) {
      check_rate(upload->how);
    } else if (const auto* sweep = std::get_if<sweep_step>(&each.spec)) {
      check_rate(sweep->how);
      if (!of.data->filter_fields) fault("needs data.filter_fields: true");
    } else if (const auto* mixed = std::get_if<mixed_step>(&each.spec)) {
      check_rate(mixed->search.how);
      check_rate(mixed->upload.how);
      check_filter(mixed->search.search.filter);
    } else if (const auto* churn = std::get_if<churn_step>(&each.spec)) {
      check_rate(churn->search.how);
      check_rate(churn->how);
      check_filter(churn->search.search.filter);
    } else if (const auto* update = std::get_if<update_step>(&each.spec)) {
      check_rate(update->search.how);
      check_rate(update->how);
      check_filter(update->search.search.filter);
      if (of.data->distance != metric::cosine)
        fault("needs distance Cosine: the vectors change their length and keep their direction");
    } else if (const auto* solve = std::get_if<solve_step>(&each.spec)) {
      check_filter(solve->search.filter);
    }
    before.insert(each.name);
  }
}

// A setting that nothing asks for is a misspelt one. The port is always given.
void check_used(const std::string& file, const yaml_map::variables& given) {
  const auto opened = file_bytes::open(file);
  if (!opened) return;  // it was read a moment ago
  for (const auto& [name, value] : given)
    if (name != "port" && opened->view().find("${" + name + "}") == std::string_view::npos)
      throw scenario_fault{0, "--set " + name, "nothing in this scenario uses it"};
}

scenario read_whole(const std::string& file, const yaml_map::variables& given) {
  scenario made;
  made.file = file;
  const YAML::Node root = YAML::LoadFile(file);
  check_used(file, given);
  yaml_map from(root, "", made.variables);
  // Variables first: everything else may use them.
  if (from.has("variables")) {
    yaml_map inner(from.at("variables"), "variables", given);
    inner.each([&](const std::string& name, const YAML::Node& value) {
      made.variables[name] = inner.scalar(value, name);
    });
  }
  for (const auto& [name, value] : given)
    made.variables[name] = value;
  from.text("name", made.name);
  if (made.name.empty()) from.refuse("name", "is missing");
  if (!is_printable(made.name)) from.refuse("name", "must be plain text of one line, without |");
  from.number("seed", made.seed);
  from.map("server", [&](yaml_map& inner) { made.server = read_server(inner); });
  from.map("data", [&](yaml_map& inner) { made.data = read_data(inner); });
  from.map("collection", [&](yaml_map& inner) { made.collection = read_collection(inner); });
  if (!from.has("steps")) from.refuse("steps", "is missing");
  read_steps(from.at("steps"), made.variables, made);
  from.map("table", [&](yaml_map& inner) { read_table(inner, made); });
  from.done();
  check(made);
  return made;
}

}  // namespace

outcome<scenario> read_scenario(const std::string& file,
                                const std::map<std::string, std::string>& given) {
  try {
    return read_whole(file, given);
  } catch (const scenario_fault& fault) {
    const std::string place = fault.line > 0 ? fmt::format("{}:{}", file, fault.line) : file;
    return fail_with(exit_code::usage, fmt::format("{}: {}: {}", place, fault.key, fault.why));
  } catch (const YAML::BadFile&) {
    return fail_with(exit_code::usage, fmt::format("{}: cannot be read", file));
  } catch (const YAML::Exception& fault) {
    return fail_with(exit_code::usage,
                     fmt::format("{}:{}: {}", file, fault.mark.line + 1, fault.msg));
  }
}

}  // namespace vexfs::bench
