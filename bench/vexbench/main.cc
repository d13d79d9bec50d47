// SPDX-License-Identifier: Apache-2.0
// The command line of vexbench.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <new>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include "bench/vexbench/environment.h"
#include "bench/vexbench/file_bytes.h"
#include "bench/vexbench/generate.h"
#include "bench/vexbench/plot.h"
#include "bench/vexbench/report_json.h"
#include "bench/vexbench/report_markdown.h"
#include "bench/vexbench/runner.h"
#include "bench/vexbench/table.h"
#include "bench/vexbench/truth.h"
#include "bench/vexbench/vector_file.h"

namespace vexfs::bench {
namespace {

std::atomic<bool> interrupted{false};

// The second Ctrl-C ends at once, as ever.
void on_interrupt(int number) {
  interrupted = true;
  std::signal(number, SIG_DFL);
}

int complain(const failure& why) {
  std::fprintf(stderr, "vexbench: %s\n", why.text.c_str());
  return static_cast<int>(why.code);
}

struct run_arguments {
  std::string file;
  std::string url = "http://127.0.0.1:6333";
  std::string api_key;
  std::vector<std::string> settings;
  std::string out = ".";
  std::optional<std::uint64_t> seed{};
  bool check = false;
  bool quiet_machine = false;
  bool no_progress = false;
  run_options options;
};

// Every connection is a descriptor.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string file_name(std::string name) {
  for (char& letter : name)
    if (letter == '/' || letter == ' ') letter = '-';
  return name;
}

outcome<void> write_results(const run_arguments& given, const scenario& plan, const run_report& run,
                            const std::string& markdown) {
  std::error_code bad;
  std::filesystem::create_directories(given.out, bad);
  const std::string base = fmt::format("{}/{}-{:%Y%m%d-%H%M%S}", given.out, file_name(plan.name),
                                       fmt::gmtime(static_cast<std::time_t>(run.started_at)));
  for (const auto& [ending, text] : {std::pair{".json", print_json(plan, run)},
                                     {".md", markdown},
                                     {".hlog", print_histogram_log(run)}})
    if (auto written = write_whole(base + ending, text); !written) return written;
  std::fprintf(stderr, "written: %s.json, .md, .hlog\n", base.c_str());
  for (const step_report& step : run.steps) {
    if (step.marks.empty()) continue;
    const std::string file = fmt::format("{}-{}.svg", base, file_name(step.name));
    const std::string title = fmt::format("{}: {}, {}", plan.name, step.name, run.data_description);
    if (auto written = write_whole(file, plot_course(title, step)); !written) return written;
    std::fprintf(stderr, "written: %s\n", file.c_str());
  }
  return {};
}

int run(run_arguments& given) {
  std::map<std::string, std::string> variables;
  for (const std::string& setting : given.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      return complain({exit_code::usage, fmt::format("--set {}: must be NAME=VALUE", setting)});
    variables[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  auto server = target::parse(given.url);
  if (!server) return complain(server.error());
  server->api_key = given.api_key;
  // What a scenario needs to start its own server on the port that it will be asked at.
  variables.try_emplace("port", std::to_string(server->port()));
  auto plan = read_scenario(given.file, variables);
  if (!plan) return complain(plan.error());
  if (given.seed) plan->seed = *given.seed;
  raise_descriptor_limit();
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);

  progress shown(given.no_progress);
  const run_report found = run_scenario(*plan, *server, given.options, interrupted, shown);
  const std::string markdown = print_markdown(*plan, found);
  // Nothing measured: the reason alone says more than empty tables.
  if (!found.steps.empty()) {
    std::fputs(markdown.c_str(), stdout);
    std::fflush(stdout);
    if (auto written = write_results(given, *plan, found, markdown); !written)
      return complain(written.error());
  }
  if (found.ended_by) return complain(*found.ended_by);
  if (given.check)
    for (const table_row& row : plan->table)
      if (const table_cell cell = measured(row, found);
          (row.at_least || row.at_most) && !cell.reached.value_or(false))
        return complain(
            {exit_code::check_failed, fmt::format("'{}' is not what it must be", row.what)});
  if (given.quiet_machine)
    if (const std::string noise = found.noise_verdict(); !noise.empty())
      return complain({exit_code::too_noisy, "the machine was too noisy: " + noise});
  return 0;
}

struct generate_arguments {
  std::string shape_name = "clustered";
  std::string base;
  std::string queries;
  recipe from;
};

int run_generate(generate_arguments& given) {
  given.from.which = *shape_named(given.shape_name);
  const made_vectors made = generate(given.from);
  for (const auto& [file, vectors] :
       {std::pair{given.base, &made.base}, {given.queries, &made.queries}})
    if (auto written = write_vectors(file, *vectors); !written) return complain(written.error());
  return 0;
}

struct truth_arguments {
  std::string base;
  std::string queries;
  std::string out;
  std::string metric_name = "Cosine";
  std::uint32_t count = 100;
  std::uint32_t threads = 1;
};

int run_truth(const truth_arguments& given) {
  const auto base = read_vectors(given.base);
  if (!base) return complain(base.error());
  const auto queries = read_vectors(given.queries);
  if (!queries) return complain(queries.error());
  if (base->columns != queries->columns)
    return complain(
        {exit_code::failed, fmt::format("{} has vectors of {}, {} of {}", given.base, base->columns,
                                        given.queries, queries->columns)});
  const exact_search search(*base, *metric_named(given.metric_name));
  // Not from a cache: who asks for it wants it computed.
  const truth made = compute_truth(search, *queries, given.count, given.threads, "");
  if (auto written = write_indices(given.out, made.rows); !written)
    return complain(written.error());
  return 0;
}

int run_environment() {
  for (const auto& [name, value] : describe_environment())
    std::printf("%s: %s\n", name.c_str(), value.c_str());
  const noise_probe noise = probe_noise(1000);
  std::printf(
      "noise: %.1f %% lost, worst gap %.1f ms, p99 of a piece of work %.2f times the fastest\n",
      noise.lost_share * 100, noise.worst_gap_ms, noise.slowdown_p99);
  return noise.lost_share > noisy_share ? static_cast<int>(exit_code::too_noisy) : 0;
}

int main(int argc, char** argv) {
  CLI::App app{
      "Loads servers of the Qdrant API and measures them: latency from the planned time, "
      "recall while under load."};
  app.require_subcommand(1);
  const std::uint32_t processors = processor_count();

  run_arguments given;
  given.options.threads = std::max(1U, processors / 2);
  CLI::App* running = app.add_subcommand("run", "run a scenario");
  running->add_option("SCENARIO", given.file, "a YAML file")->required();
  running->add_option("--url", given.url, "the server")->capture_default_str();
  running->add_option("--api-key", given.api_key, "sent with every request")
      ->envname("VEXBENCH_API_KEY");
  running->add_option("--set", given.settings, "NAME=VALUE of a variable of the scenario")
      ->allow_extra_args(false);  // or it would take the scenario's name for another value
  running->add_option("--out", given.out, "folder of the results")->capture_default_str();
  running->add_option("--threads", given.options.threads, "of the generator")
      ->capture_default_str()
      ->check(CLI::Range(1U, 256U));
  running->add_option("--seed", given.seed, "instead of the scenario's");
  running->add_option("--pid", given.options.server_pid,
                      "the server's process, to measure its cost");
  running->add_option("--storage", given.options.storage_folder,
                      "the server's storage folder, to measure its size");
  running->add_option("--cache", given.options.cache_folder,
                      "folder of computed truths (default: vexbench-cache beside the data)");
  running
      ->add_option("--patience", given.options.patience_seconds,
                   "seconds without any answer after which a server is given up")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 86400.0));
  running->add_flag("--check", given.check,
                    "fail where a row of the table misses what it must reach");
  running->add_flag("--quiet-machine", given.quiet_machine, "fail where the machine was too noisy");
  running->add_flag("--no-progress", given.no_progress, "no progress line on stderr");

  generate_arguments made;
  CLI::App* generating = app.add_subcommand("generate", "write made vectors");
  generating->add_option("BASE", made.base, ".fbin, .fvecs or .npy")->required();
  generating->add_option("QUERIES", made.queries, "the same")->required();
  generating->add_option("--shape", made.shape_name, "clustered, anisotropic, drifting or uniform")
      ->capture_default_str()
      ->check([](const std::string& name) { return shape_named(name) ? "" : "no such shape"; });
  generating->add_option("--points", made.from.points)->capture_default_str();
  generating->add_option("--queries", made.from.queries)->capture_default_str();
  generating->add_option("--dim", made.from.dim)
      ->capture_default_str()
      ->check(CLI::Range(1U, 65536U));
  generating->add_option("--clusters", made.from.clusters)
      ->capture_default_str()
      ->check(CLI::Range(1U, 1000000U));
  generating->add_option("--spread", made.from.spread)->capture_default_str();
  generating->add_option("--seed", made.from.seed)->capture_default_str();

  truth_arguments wanted;
  wanted.threads = processors;
  CLI::App* finding = app.add_subcommand("truth", "compute exact neighbours");
  finding->add_option("BASE", wanted.base)->required();
  finding->add_option("QUERIES", wanted.queries)->required();
  finding->add_option("OUT", wanted.out, ".ibin, .ivecs or .npy")->required();
  finding->add_option("--distance", wanted.metric_name, "Cosine, Dot, Euclid or Manhattan")
      ->capture_default_str()
      ->check([](const std::string& name) { return metric_named(name) ? "" : "no such distance"; });
  finding->add_option("--count", wanted.count, "neighbours of each query")
      ->capture_default_str()
      ->check(CLI::Range(1U, 10000U));
  finding->add_option("--threads", wanted.threads)
      ->capture_default_str()
      ->check(CLI::Range(1U, 256U));

  CLI::App* describing = app.add_subcommand("environment", "describe the machine and its noise");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    const int status = app.exit(wrong);
    return status == 0 ? 0 : static_cast<int>(exit_code::usage);
  }
  if (running->parsed()) return run(given);
  if (generating->parsed()) return run_generate(made);
  if (finding->parsed()) return run_truth(wanted);
  if (describing->parsed()) return run_environment();
  return static_cast<int>(exit_code::usage);
}

}  // namespace
}  // namespace vexfs::bench

int main(int argc, char** argv) {
  try {
    return vexfs::bench::main(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("vexbench: out of memory: take fewer points\n", stderr);
    return static_cast<int>(vexfs::bench::exit_code::failed);
  }
}
