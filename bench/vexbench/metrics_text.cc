// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/metrics_text.h"

#include <charconv>

namespace vexfs::bench {

std::map<std::string, double> parse_metrics(std::string_view text) {
  std::map<std::string, double> samples;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    // NAME{labels} VALUE [TIME]; labels may contain blanks, in quotes.
    const std::size_t brace = line.find('{');
    std::size_t name_end = line.find(' ');
    if (brace != std::string_view::npos && brace < name_end) {
      bool quoted = false;
      for (name_end = brace; name_end < line.size(); ++name_end) {
        if (line[name_end] == '\\')
          ++name_end;
        else if (line[name_end] == '"')
          quoted = !quoted;
        else if (line[name_end] == '}' && !quoted)
          break;
      }
      ++name_end;
    }
    if (name_end >= line.size()) continue;
    std::string_view value = line.substr(name_end);
    while (value.starts_with(' '))
      value.remove_prefix(1);
    if (value.starts_with('+')) value.remove_prefix(1);
    double number = 0;
    const auto [stop, bad] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (bad == std::errc{} && (stop == value.data() + value.size() || *stop == ' '))
      samples[std::string(line.substr(0, name_end))] = number;
  }
  return samples;
}

std::map<std::string, double> changed_metrics(const std::map<std::string, double>& before,
                                              const std::map<std::string, double>& after) {
  std::map<std::string, double> changed;
  for (const auto& [name, value] : after) {
    const auto earlier = before.find(name);
    const double by = value - (earlier == before.end() ? 0 : earlier->second);
    if (by != 0) changed[name] = by;
  }
  return changed;
}

}  // namespace vexfs::bench
