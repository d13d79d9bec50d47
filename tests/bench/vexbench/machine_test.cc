// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <ctime>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/vexbench/environment.h"
#include "bench/vexbench/metrics_text.h"
#include "bench/vexbench/process_cost.h"
#include "tests/bench/vexbench/stub_server.h"

namespace vexfs::bench {
namespace {

TEST(metrics_text, samples_are_read_with_their_labels_and_only_changes_are_told) {
  const auto before = parse_metrics(
      "# HELP a text\n# TYPE a counter\na 3\nb{x=\"1 2\",y=\"}\"} 4.5 "
      "1700000000\nwrong\nc{x=\"\\\"\"} NaN\n"
      "d +Inf\nsame 1\n");
  EXPECT_EQ(before.at("a"), 3);
  EXPECT_EQ(before.at("b{x=\"1 2\",y=\"}\"}"), 4.5);
  EXPECT_TRUE(before.contains("c{x=\"\\\"\"}"));
  EXPECT_FALSE(before.contains("wrong"));
  const auto after = parse_metrics("a 10\nb{x=\"1 2\",y=\"}\"} 4\nsame 1\nnew 2\n");
  EXPECT_EQ(changed_metrics(before, after),
            (std::map<std::string, double>{{"a", 7}, {"b{x=\"1 2\",y=\"}\"}", -0.5}, {"new", 2}}));
}

TEST(process_cost, children_count_and_what_cannot_be_read_is_not_zero) {
  int ready[2];
  int go[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(go), 0);
  std::fflush(nullptr);  // or the child would print it too
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t grandchild = ::fork();
    char byte = 0;
    if (grandchild == 0) {
      volatile std::uint64_t kept = 1;
      for (int turn = 0; turn < 60'000'000; ++turn)
        kept = kept * 3 + 1;
      (void)!::write(ready[1], &byte, 1);
    }
    (void)!::read(go[0], &byte, 1);
    if (grandchild != 0) ::waitpid(grandchild, nullptr, 0);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const process_cost cost = cost_of(child, "/dev/null/nowhere");
  EXPECT_EQ(cost.processes, 2U);
  EXPECT_GT(cost.cpu_seconds.value_or(0), 0) << "the grandchild's work was not counted";
  EXPECT_GT(cost.resident_bytes.value_or(0), 0U);
  EXPECT_FALSE(cost.storage_bytes);
  ASSERT_EQ(::write(go[1], "xx", 2), 2);
  ::waitpid(child, nullptr, 0);

  const process_cost gone = cost_of(child, "");
  EXPECT_EQ(gone.processes, 0U);
  EXPECT_FALSE(gone.cpu_seconds);
  EXPECT_FALSE(difference(cost, gone).cpu_seconds);
}

TEST(process_cost, the_work_of_children_that_have_ended_counts) {
  int ready[2];
  int go[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(go), 0);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const pid_t grandchild = ::fork();
    if (grandchild == 0) {
      const std::clock_t end = std::clock() + CLOCKS_PER_SEC / 10;
      while (std::clock() < end) {
      }
      ::_exit(0);
    }
    ::waitpid(grandchild, nullptr, 0);
    char byte = 0;
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(go[0], &byte, 1);
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const process_cost cost = cost_of(child, "");
  EXPECT_EQ(cost.processes, 1U);
  EXPECT_GE(cost.cpu_seconds.value_or(0), 0.08);
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  ::waitpid(child, nullptr, 0);
}

TEST(find_listener, is_the_process_that_listens) {
  testing::stub_server server(
      [](std::string_view, std::string_view) { return testing::stub_server::answer{}; });
  const auto at = target::parse(server.url());
  ASSERT_TRUE(at);
  EXPECT_EQ(find_listener(*at), ::getpid());
}

TEST(environment, facts_that_are_not_there_are_said_to_be_missing) {
  const auto facts = describe_environment();
  for (const char* name : {"cpu", "kernel", "governor", "mitigations", "processors", "memory"}) {
    ASSERT_TRUE(facts.contains(name)) << name;
    EXPECT_FALSE(facts.at(name).empty()) << name;
  }
  const noise_probe noise = probe_noise(30);
  EXPECT_GE(noise.lost_share, 0);
  EXPECT_LE(noise.lost_share, 1);
  EXPECT_GE(noise.slowdown_p99, 1);
}

}  // namespace
}  // namespace vexfs::bench
