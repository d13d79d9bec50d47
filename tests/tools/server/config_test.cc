// SPDX-License-Identifier: Apache-2.0
#include "tools/server/config.h"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace vexfs {
namespace {

TEST(config_test, later_settings_win_and_an_unset_one_leaves_the_default) {
  const auto applied = apply_settings({{"service.http_port", "7000", "a:1"},
                                       {"service.http_port", "7001", "b:1"},
                                       {"service.http_port", "", "c:1"},
                                       {"service.api_key", "secret", "a:2"}});
  ASSERT_TRUE(applied) << applied.error().text;
  EXPECT_EQ(applied->process.http.port, 7001);
  EXPECT_EQ(applied->process.rest.api_key, "secret");
  EXPECT_EQ(applied->process.storage_path, "./storage");
}

TEST(config_test, only_a_null_of_the_file_unsets_a_key_not_the_word) {
  const std::string path =
      testing::TempDir() + "config_test_null_" + std::to_string(::getpid()) + ".yaml";
  std::ofstream(path) << "service:\n  api_key: 'null'\n  alt_api_key: null\n  http_port: ~\n";
  auto settings = read_settings_file(path);
  std::remove(path.c_str());
  ASSERT_TRUE(settings);
  std::string variable = "QDRANT__SERVICE__READ_ONLY_API_KEY=null";
  char* environment[] = {variable.data(), nullptr};
  settings->push_back(read_settings_environment(environment).front());
  const auto applied = apply_settings(*settings);
  ASSERT_TRUE(applied) << applied.error().text;
  EXPECT_EQ(applied->process.rest.api_key, "null");
  EXPECT_EQ(applied->process.rest.alt_api_key, "");
  EXPECT_EQ(applied->process.rest.read_only_api_key, "null");
  EXPECT_EQ(applied->process.http.port, 6333);
}

TEST(config_test, static_content_can_be_switched_off) {
  const auto off = apply_settings({{"service.static_content_dir", "./static", "X"},
                                   {"service.enable_static_content", "false", "X"}});
  ASSERT_TRUE(off) << off.error().text;
  EXPECT_TRUE(off->warnings.empty());
  EXPECT_EQ(off->process.rest.static_content_dir, "");
  const auto on = apply_settings({{"service.static_content_dir", "./static", "X"},
                                  {"service.enable_static_content", "true", "X"}});
  ASSERT_TRUE(on);
  EXPECT_EQ(on->process.rest.static_content_dir, "./static");
}

TEST(config_test, a_bad_value_is_named_with_its_place) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"service.http_port", "abc"},
           {"service.http_port", "65536"},
           {"service.http_port", "-1"},
           {"service.enable_cors", "maybe"},
           {"storage.optimizers.deleted_threshold", "much"},
           {"log_level", "loud"},
           {"logger.log_level", "warning"},
           {"logger.format", "xml"},
           {"io.transport", "dpdk"}}) {
    const auto applied = apply_settings({{key, value, "config.yaml:12"}});
    ASSERT_FALSE(applied) << key;
    EXPECT_EQ(applied.error().text.find("config.yaml:12: " + key), 0U) << applied.error().text;
  }
}

TEST(config_test, a_protection_that_is_not_there_refuses_to_start_unless_it_is_off) {
  for (const std::string key : {"service.jwt_rbac", "service.enable_tls", "cluster.enabled",
                                "audit.enabled", "storage.recovery_mode"}) {
    const auto refused = apply_settings({{key, "true", "X"}});
    ASSERT_FALSE(refused) << key;
    EXPECT_EQ(refused.error().code, errc::unsupported);
    EXPECT_TRUE(apply_settings({{key, "false", "X"}})) << key;
    EXPECT_TRUE(apply_settings({{key, "", "X"}})) << key;
  }
}

TEST(config_test, a_key_without_effect_is_said_once) {
  const auto applied =
      apply_settings({{"gpu.indexing", "true", "X"}, {"gpu.indexing", "true", "X"}});
  ASSERT_TRUE(applied);
  ASSERT_EQ(applied->warnings.size(), 1U);
  EXPECT_EQ(applied->warnings[0], "X: gpu.indexing has no effect in this server");
}

TEST(config_test, a_list_is_refused_where_a_value_is_meant_and_said_where_nothing_is) {
  const auto known = apply_settings({{"service.host", "", "config.yaml:3", true}});
  ASSERT_FALSE(known);
  EXPECT_EQ(known.error().text, "config.yaml:3: service.host: a list is no value for it");
  const auto unknown = apply_settings({{"service.hosts", "", "config.yaml:3", true}});
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->warnings.size(), 1U);
}

TEST(config_test, levels_of_the_log_are_read_in_any_case_and_from_lists_of_modules) {
  for (const auto& [text, level] :
       std::vector<std::pair<std::string, log_level>>{{"OFF", log_level::off},
                                                      {"error", log_level::error},
                                                      {"Warn", log_level::warn},
                                                      {"INFO", log_level::info},
                                                      {"debug,actix=warn", log_level::debug},
                                                      {"hyper=trace", log_level::info},
                                                      {"trace", log_level::trace}}) {
    const auto applied = apply_settings({{"log_level", text, "X"}});
    ASSERT_TRUE(applied) << text;
    EXPECT_EQ(applied->logger.level, level) << text;
  }
}

TEST(config_test, every_kind_of_setting_arrives_where_it_is_used) {
  const auto applied = apply_settings({{"service.max_request_size_mb", "2", "X"},
                                       {"service.http_keep_alive_timeout_sec", "7", "X"},
                                       {"service.max_workers", "3", "X"},
                                       {"io.transport", "Epoll", "X"},
                                       {"storage.max_collections", "5", "X"},
                                       {"storage.hnsw_index.m", "8", "X"},
                                       {"storage.optimizers.deleted_threshold", "0.5", "X"},
                                       {"storage.on_disk_payload", "false", "X"}});
  ASSERT_TRUE(applied) << applied.error().text;
  EXPECT_EQ(applied->process.http.limits.parsing.body_bytes_max, 2U << 20);
  EXPECT_EQ(applied->process.http.limits.keep_alive, std::chrono::seconds(7));
  EXPECT_EQ(applied->process.core_count, 3U);
  EXPECT_EQ(applied->transport, io::transport_kind::epoll);
  EXPECT_EQ(applied->process.data.max_collections, 5U);
  const collection_config& defaults = applied->process.data.collection_defaults;
  EXPECT_EQ(defaults.hnsw_config.m, 8U);
  EXPECT_EQ(defaults.optimizers_config.deleted_threshold, 0.5);
  EXPECT_EQ(defaults.on_disk_payload, false);
}

TEST(config_test, variables_name_keys_in_any_case) {
  std::string first = "QDRANT__SERVICE__HTTP_PORT=7002";
  std::string second = "qdrant__Service__Api_Key=k=v";
  std::string other = "PATH=/bin";
  char* environment[] = {first.data(), second.data(), other.data(), nullptr};
  const auto settings = read_settings_environment(environment);
  ASSERT_EQ(settings.size(), 2U);
  EXPECT_EQ(settings[0].key, "service.http_port");
  EXPECT_EQ(settings[1].key, "service.api_key");
  EXPECT_EQ(settings[1].value, "k=v");
}

TEST(config_test, a_file_gives_its_leaves_with_their_lines_and_its_errors_too) {
  const std::string path =
      testing::TempDir() + "config_test_" + std::to_string(::getpid()) + ".yaml";
  std::ofstream(path) << "service:\n  http_port: 7003\nlog_level: DEBUG\n";
  const auto settings = read_settings_file(path);
  ASSERT_TRUE(settings);
  ASSERT_EQ(settings->size(), 2U);
  EXPECT_EQ((*settings)[0].place, path + ":2");
  EXPECT_EQ((*settings)[1].key, "log_level");
  std::ofstream(path) << "service: [1, 2\n";
  EXPECT_FALSE(read_settings_file(path));
  std::ofstream(path) << "service:\n  host: [a, b]\n";
  const auto with_list = read_settings_file(path);
  ASSERT_TRUE(with_list);
  EXPECT_TRUE((*with_list)[0].is_list);
  EXPECT_EQ((*with_list)[0].place, path + ":2");
  std::remove(path.c_str());
  const auto missing = read_settings_file(path);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text, path + ": cannot be read");
}

}  // namespace
}  // namespace vexfs
