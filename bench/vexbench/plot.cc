// SPDX-License-Identifier: Apache-2.0
#include "bench/vexbench/plot.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

namespace vexfs::bench {
namespace {

constexpr double left = 70;
constexpr double width = 760;
constexpr double top = 58;
constexpr double panel_height = 130;
constexpr double panel_gap = 46;
constexpr double columns_max = 190;  // of the whole time: more could not be told apart

struct place {
  double seconds;
  double value;
};
struct series {
  std::string name;
  std::string colour;
  std::vector<place> places;  // by time
};
enum class scale : std::uint8_t { from_zero, logarithmic, up_to_one };
struct panel {
  std::string title;
  scale how = scale::from_zero;
  std::vector<series> all;
};

/// What answers of some seconds have in common.
struct column {
  histogram latency;
  double units = 0;
  double recall_sum = 0;
  double recall_count = 0;
};
/// By number of the column.
using columns = std::map<std::uint32_t, column>;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '<')
      out += "&lt;";
    else if (letter == '&')
      out += "&amp;";
    else
      out += letter;
  }
  return out;
}

bool is_search(const operation_report& each) {
  return each.name.starts_with("search");
}

columns gather(const step_report& step, std::uint32_t column_seconds, bool searches) {
  columns made;
  for (const operation_report& each : step.operations) {
    if (is_search(each) != searches || each.counts.answered == 0) continue;
    const double units =
        static_cast<double>(each.counts.units) / static_cast<double>(each.counts.answered);
    for (const auto& [second, counts] : each.counts.seconds) {
      column& to = made[second / column_seconds];
      to.latency.add(counts);
      for (const auto& [index, count] : counts)
        to.units += units * count;
    }
    if (!each.recall) continue;
    for (const recall_report::second& judged : each.recall->seconds) {
      column& to = made[judged.number / column_seconds];
      to.recall_sum += judged.mean * static_cast<double>(judged.queries);
      to.recall_count += static_cast<double>(judged.queries);
    }
  }
  return made;
}

template <class ValueOf>
series series_of(std::string name, std::string colour, const columns& from, double column_seconds,
                 const ValueOf& value_of) {
  series made{std::move(name), std::move(colour), {}};
  for (const auto& [number, each] : from)
    if (const std::optional<double> value = value_of(each))
      made.places.push_back({(number + 0.5) * column_seconds, *value});
  return made;
}

std::vector<panel> panels_of(const step_report& step, std::uint32_t column_seconds) {
  const columns writes = gather(step, column_seconds, false);
  const columns searches = gather(step, column_seconds, true);
  const auto at = [](double quantile) {
    return [quantile](const column& each) -> std::optional<double> {
      if (each.latency.total() == 0) return std::nullopt;
      return static_cast<double>(each.latency.value_at(quantile)) / 1e6;
    };
  };
  std::vector<panel> made(3);
  made[0].title = "points written, a second";
  made[0].all = {series_of("", "#2a6f97", writes, column_seconds, [&](const column& each) {
    return std::optional(each.units / column_seconds);
  })};
  made[1].title = "time of a search, ms";
  made[1].how = scale::logarithmic;
  made[1].all = {series_of("slowest", "#c8553d", searches, column_seconds, at(1)),
                 series_of("p50", "#2a6f97", searches, column_seconds, at(0.5))};
  made[2].title = "recall of those searches";
  made[2].how = scale::up_to_one;
  made[2].all = {series_of("", "#2a6f97", searches, column_seconds,
                           [](const column& each) -> std::optional<double> {
                             if (each.recall_count == 0) return std::nullopt;
                             return each.recall_sum / each.recall_count;
                           })};
  return made;
}

/// The values at the lower and the upper end of a panel, and those that are written beside it.
struct axis {
  scale how;
  double low;
  double high;
  std::vector<double> ticks;

  [[nodiscard]] double height_of(double value) const {
    const double part = how == scale::logarithmic
                            ? std::log(std::max(value, low) / low) / std::log(high / low)
                            : (value - low) / (high - low);
    return std::clamp(part, 0.0, 1.0) * panel_height;
  }
};

/// 1, 2 or 5 times a power of ten, at least as large.
double round_up(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 5.0})
    if (value <= step * power * 1.000001) return step * power;
  return 10 * power;
}

axis axis_of(const panel& of) {
  double low = 1e300;
  double high = 0;
  for (const series& each : of.all)
    for (const place& one : each.places) {
      low = std::min(low, one.value);
      high = std::max(high, one.value);
    }
  low = std::min(low, high);
  axis made{of.how, 0, high > 0 ? round_up(high) : 1, {}};
  if (of.how == scale::logarithmic) {
    made.low = low > 0 ? std::pow(10, std::floor(std::log10(low))) : 0.1;
    made.high = std::max(made.low * 10, std::pow(10, std::ceil(std::log10(std::max(high, 1e-9)))));
    for (double tick = made.low; tick < made.high * 1.001; tick *= 10)
      made.ticks.push_back(tick);
    return made;
  }
  if (of.how == scale::up_to_one) {
    made.high = 1;
    made.low = high > 0 ? std::min(0.9, std::floor(low * 10) / 10) : 0.9;
  }
  for (int part = 0; part <= 4; ++part)
    made.ticks.push_back(made.low + (made.high - made.low) * part / 4);
  return made;
}

void draw_panel(const panel& of, double y, double seconds, std::string& out) {
  const axis scaled = axis_of(of);
  const double bottom = y + panel_height;
  out += fmt::format("<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\n", left, y - 8,
                     of.title);
  double legend = left + width;
  for (const series& each : of.all) {
    if (each.name.empty()) continue;
    out += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"{}\" text-anchor=\"end\">{}</text>\n",
                       legend, y - 8, each.colour, each.name);
    legend -= 70;
  }
  for (const double tick : scaled.ticks) {
    const double height = bottom - scaled.height_of(tick);
    out += fmt::format(
        "<path d=\"M{} {:.1f}h{}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{:.6g}</text>\n",
        left, height, width, left - 6, height + 4, tick);
  }
  for (const series& each : of.all) {
    if (each.places.empty()) continue;
    out += fmt::format("<polyline fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" points=\"",
                       each.colour);
    for (const place& one : each.places)
      out += fmt::format("{:.1f},{:.1f} ", left + one.seconds / seconds * width,
                         bottom - scaled.height_of(one.value));
    out += "\"/>\n";
  }
}

}  // namespace

std::string plot_course(const std::string& title, const step_report& step) {
  std::uint32_t last = 1;
  for (const operation_report& each : step.operations)
    for (const auto& [second, counts] : each.counts.seconds)
      last = std::max(last, second + 1);
  const auto column_seconds = static_cast<std::uint32_t>(std::ceil(last / columns_max));
  const std::vector<panel> panels = panels_of(step, column_seconds);
  const double bottom = top + static_cast<double>(panels.size()) * (panel_height + panel_gap);

  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" "
      "font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{}\" y=\"20\" font-size=\"14\">{}</text>\n",
      left + width + 20, bottom + 13.0 * static_cast<double>(step.marks.size()), left,
      escaped(title));
  double y = top;
  for (const panel& each : panels) {
    draw_panel(each, y, last, out);
    y += panel_height + panel_gap;
  }
  // Labels that stand close to each other get lines of their own.
  double label_y = bottom - panel_gap + 14;
  for (const auto& [seconds, what] : step.marks) {
    const double x = left + seconds / last * width;
    out += fmt::format(
        "<path d=\"M{:.1f} {}V{}\" stroke=\"#555\" stroke-dasharray=\"4 3\"/>"
        "<text x=\"{:.1f}\" y=\"{}\" fill=\"#555\">{:.1f} s: {}</text>\n",
        x, top, label_y, x + 4, label_y, seconds, escaped(what));
    label_y += 13;
  }
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} s</text>\n</svg>\n",
                     left + width, bottom - 2, last);
  return out;
}

}  // namespace vexfs::bench
