// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace vexfs::bench {

/// Where reading a scenario stopped. Thrown inside the reader only, because yaml-cpp throws too;
/// read_scenario() makes a failure of both.
struct scenario_fault {
  int line;  // from 1; 0: of the whole file
  std::string key;
  std::string why;
};

/// A mapping of a scenario file. Every key must be asked for: done() refuses the others, so that a
/// misspelt option is an error and not a default. ${NAME} in scalars is replaced on the way.
class yaml_map {
 public:
  using variables = std::map<std::string, std::string>;

  yaml_map(const YAML::Node& node, std::string path, const variables& values);

  [[nodiscard]] bool has(const std::string& key) const;
  void text(const std::string& key, std::string& to);
  void number(const std::string& key, std::uint32_t& to, std::uint32_t min = 0,
              std::uint32_t max = UINT32_MAX);
  void number(const std::string& key, std::uint64_t& to);
  void number(const std::string& key, double& to, double min, double max);
  void optional_number(const std::string& key, std::optional<double>& to, double min, double max);
  void optional_number(const std::string& key, std::optional<std::uint32_t>& to, std::uint32_t min);
  void optional_number(const std::string& key, std::optional<std::int64_t>& to);
  void flag(const std::string& key, bool& to);
  void numbers(const std::string& key, std::vector<double>& to, double min, double max);
  void texts(const std::string& key, std::vector<std::string>& to);
  /// The value, whatever it is, as JSON text.
  void json(const std::string& key, std::string& to);
  /// Calls read() with the mapping under the key, if it is there, and checks that all was used.
  void map(const std::string& key, const std::function<void(yaml_map&)>& read);
  /// Every key of this mapping with its value, in order; all count as used.
  void each(const std::function<void(const std::string&, const YAML::Node&)>& visit);

  void done() const;
  [[noreturn]] void refuse(const std::string& key, const std::string& why) const;
  [[nodiscard]] int line() const { return line_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const variables& values() const { return values_; }
  [[nodiscard]] YAML::Node at(const std::string& key);
  [[nodiscard]] std::string scalar(const YAML::Node& node, const std::string& key) const;

 private:
  template <class Number>
  [[nodiscard]] Number parsed(const std::string& key);

  YAML::Node node_;
  std::string path_;
  int line_;
  const variables& values_;
  std::set<std::string> used_;
};

}  // namespace vexfs::bench
