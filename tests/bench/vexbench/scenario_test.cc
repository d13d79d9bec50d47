// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/scenario.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace vexfs::bench {
namespace {

using ::testing::HasSubstr;

class scenarios : public ::testing::Test {
 protected:
  scenarios()
      : file_(std::filesystem::temp_directory_path() /
              ("vexbench-" + std::to_string(::getpid()) + ".yaml")) {}
  ~scenarios() override { std::filesystem::remove(file_); }
  outcome<scenario> read(const std::string& text,
                         const std::map<std::string, std::string>& given = {}) const {
    std::ofstream(file_) << text;
    return read_scenario(file_, given);
  }
  std::string fault(const std::string& text) const {
    const auto made = read(text);
    if (made) return "was accepted";
    EXPECT_EQ(made.error().code, exit_code::usage);
    return made.error().text;
  }
  std::string file_;
};

const std::string head = "name: test\ndata: {generate: {shape: clustered, points: 10}}\n";

TEST_F(scenarios, values_variables_and_defaults_arrive) {
  const auto made = read(
      "name: test\nseed: 7\nvariables: {seconds: 3, folder: nowhere}\n"
      "data: {base: \"${folder}/base.fbin\", queries: q.npy, distance: euclid}\n"
      "collection: {settings: {hnsw_config: {m: 8}, on_disk_payload: true, name: \"5\"}, indexes: "
      "{bucket: integer}}\n"
      "steps:\n  - create\n  - search: {seconds: \"${seconds}\", hnsw_ef: 64, connections: 3,\n"
      "            filter: {field: bucket, below: 10}}\n  - search: {rate: 100, arrivals: "
      "constant}\n",
      {{"folder", "/data"}});
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->seed, 7U);
  EXPECT_EQ(made->data->base, "/data/base.fbin") << "the command line must win";
  EXPECT_EQ(made->data->distance, metric::euclid);
  EXPECT_EQ(made->collection.settings,
            R"({"hnsw_config":{"m":8},"on_disk_payload":true,"name":"5"})");
  ASSERT_EQ(made->steps.size(), 3U);
  EXPECT_EQ(made->steps[1].name, "search");
  EXPECT_EQ(made->steps[2].name, "search 2");
  const auto& search = std::get<search_step>(made->steps[1].spec);
  EXPECT_EQ(search.seconds, 3);
  EXPECT_EQ(search.search.hnsw_ef, 64U);
  EXPECT_EQ(search.search.limit, 10U);
  EXPECT_EQ(search.how.connections, 3U);
  EXPECT_EQ(search.search.filter->below, 10);
  EXPECT_EQ(std::get<search_step>(made->steps[2].spec).how.spacing, arrivals::constant);
}

TEST_F(scenarios, faults_name_file_line_and_key) {
  EXPECT_EQ(fault(head + "steps:\n  - search:\n      conections: 3\n"),
            file_ + ":5: steps[0].search.conections: is not a key that is known here");
  EXPECT_EQ(fault(head + "steps:\n  - create\n  - upload: {batch: many}\n"),
            file_ + ":5: steps[1].upload.batch: 'many' is not a whole number from 0 on");
  EXPECT_EQ(fault(head + "steps:\n  - search:\n      seconds: ${time}\n"),
            file_ +
                ":5: steps[0].search.seconds: no variable 'time': give it with --set time=VALUE, "
                "or a default "
                "under 'variables'");
  EXPECT_EQ(fault("name: test\nsteps:\n  - create\n"), file_ + ": steps[0].create: needs data");
}

TEST_F(scenarios, what_makes_no_sense_is_refused) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"name: test\n", "steps: is missing"},
           {head, "steps: is missing"},
           {"steps: [create]\n", "name: is missing"},
           {head + "steps: []\n", "must be a list of steps"},
           {head + "steps:\n  - dance\n", "is no step"},
           {head + "steps:\n  - create\n    index\n", "is no step"},
           {head + "steps:\n  - {create: {}, index: {}}\n", "is one step"},
           {head + "steps:\n  - search: {rate: 10, rate_share: 1, rate_of: x}\n", "rate_share"},
           {head + "steps:\n  - search: {rate_share: 1}\n", "rate_of"},
           {head +
                "steps:\n  - search: {rate_share: 1, rate_of: later}\n  - search: {name: later}\n",
            "'later' is no step before"},
           {head + "steps:\n  - search: {mode: closed, arrivals: poisson}\n", "open loop"},
           {head + "steps:\n  - upload: {arrivals: poisson}\n", "open loop"},
           {head + "steps:\n  - upload: {mode: closed}\n", "is not a key"},
           {head + "steps:\n  - search: {mode: open}\n", "can only be closed"},
           {head + "steps:\n  - search: {mode: closed, rate: 5}\n", "closed has no rate"},
           {head + "steps:\n  - search: {rate: 5, latency_share: 0.5}\n", "latency_share"},
           {head + "steps:\n  - search: {latency_share: 0}\n", "from 0.01 to 10"},
           {head + "steps:\n  - request: {pipeline: 16}\n", "is for a peak"},
           {head + "steps:\n  - solve: {peak: {rate: 5}}\n", "has no rate"},
           {head + "steps:\n  - mixed: {search: {connections: 4}}\n", "needs a rate"},
           {head + "steps:\n  - churn: {search: {connections: 4}}\n", "needs a rate"},
           {head + "steps:\n  - search: {rate: 5, arrivals: weekly}\n", "constant or poisson"},
           {head + "steps:\n  - search: {name: \"a\\nb\"}\n", "of one line"},
           {"name: a|b\nsteps: [create]\n", "of one line"},
           {head + "steps:\n  - search: {name: a}\n  - search: {name: a}\n", "another step's name"},
           {head + "steps:\n  - search: {filter: {field: uniform, pass: 0.1}}\n", "filter_fields"},
           {head + "steps:\n  - search: {filter: {field: words, pass: 0.1}}\n",
            "uniform and correlated"},
           {head + "steps:\n  - search: {filter: {field: words, below: 1, equals: x}}\n",
            "one of pass, below and equals"},
           {head + "steps:\n  - search: {connections: 0}\n", "at least 1"},
           {head + "steps:\n  - sweep: {where: near}\n", "is for the field correlated"},
           {head + "steps:\n  - sweep: {field: correlated, where: here}\n", "is near or far"},
           {head + "steps:\n  - search: {filter: {field: correlated, where: far, below: 3}}\n",
            "belongs to pass"},
           {head + "steps:\n  - churn: {choice: all, search: {rate: 1}}\n", "random or clusters"},
           {head + "steps:\n  - churn: {rounds: 0, search: {rate: 1}}\n", "at least 1"},
           {head + "steps:\n  - mixed: {search: {rate: 1, seconds: 3}}\n", "that the writes take"},
           {"name: t\ndata: {distance: Dot, generate: {shape: clustered}}\nsteps:\n  - update: "
            "{search: {rate: 1}}\n",
            "needs distance Cosine"},
           {head + "steps:\n  - restart\n", "server.command"},
           {head + "steps:\n  - search: {batch: 4294967295}\n", "at most 100000"},
           {head + "steps:\n  - search: {limit: 4294967295}\n", "at most 10000"},
           {head + "steps:\n  - search: {limit: -1}\n", "whole number from 0 on"},
           {head + "steps:\n  - search: {limit: 0}\n", "at least 1"},
           {head + "steps:\n  - upload: {batch: 4294967295}\n", "at most 100000"},
           {head + "steps:\n  - request: {method: HEAD}\n", "is one of GET"},
           {head + "steps:\n  - request: {path: \"/a b\"}\n", "has no blanks"},
           {head + "steps:\n  - request: {path: \"/a\\r\\nX: y\"}\n", "has no blanks"},
           {head + "collection: {name: \"a b\"}\nsteps: [create]\n", "without blanks"},
           {"name: t\ndata: {generate: {shape: clustered, points: 4294967295}}\nsteps: [create]\n",
            "must be at most"},
           {"name: t\ndata: {generate: {shape: clustered, dim: 4294967295}}\nsteps: [create]\n",
            "must be at most"},
           {"name: t\ndata: {generate: {shape: clustered}, payload_bytes: 4294967295}\nsteps: "
            "[create]\n",
            "must be at most"},
           {head + "steps:\n  - solve: {hnsw_ef: 3}\n", "solved for"},
           {head + "steps:\n  - sweep: {pass: [0.5, 2]}\n", "'2' is not a number from 0 to 1"},
           {head + "steps:\n  - upload: {from: 0.5, to: 0.5}\n", "less than to"},
           {head + "steps: [create]\ntable: {rows: [{step: none, value: recall}]}\n",
            "is no step of this scenario"},
           {head + "steps: [create]\ntable: {rows: [{step: create, value: speed}]}\n",
            "requests_per_second"},
           {"name: test\ndata: {generate: {shape: random}}\nsteps: [create]\n",
            "uniform data is like nothing"},
           {"name: test\ndata: {base: x}\nsteps: [create]\n", "queries: is missing"},
           {"name: test\ndata: {distance: Cosine}\nsteps: [create]\n", "either base and queries"},
           {"name: test\nname: twice\nsteps: [create]\n", "is there twice"},
           {"name: [\n", ":2:"},
           {"- a\n", "must be a mapping"}})
    EXPECT_THAT(fault(text), HasSubstr(why)) << text;
  const auto misspelt = read(head +
                                 "variables: {seconds: 1}\nsteps:\n  - search: {seconds: "
                                 "\"${seconds}\"}\n",
                             {{"secnds", "5"}});
  ASSERT_FALSE(misspelt);
  EXPECT_THAT(misspelt.error().text, HasSubstr("--set secnds: nothing in this scenario uses it"));
  const auto missing = read_scenario("/nowhere.yaml", {});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().text, HasSubstr("/nowhere.yaml: cannot be read"));
}

}  // namespace
}  // namespace vexfs::bench
