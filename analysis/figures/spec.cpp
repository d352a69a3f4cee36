#include "analysis/figures/spec.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/figures/theme.hpp"

namespace isthmus::analysis {
namespace {

/// Powers of ten where there are enough of them, else 1, 2, 5 in each.
Json logarithmic_ticks(double low, double high) {
  const double decades = std::log10(high / low);
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / 7)));
  const std::vector<double> steps = decades >= 2     ? std::vector<double>{1}
                                    : decades >= 0.8 ? std::vector<double>{1, 2, 5}
                                                     : std::vector<double>{1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9};
  Json ticks = Json::array();
  for (int exponent = static_cast<int>(std::floor(std::log10(low))); std::pow(10, exponent) <= high;
       exponent += 1) {
    if (exponent % stride != 0) continue;
    for (const double step : steps) {
      // As people write it: 0.001, not 0.0010000000000000002.
      const double tick = exponent < 0 ? step / std::pow(10, -exponent) : step * std::pow(10, exponent);
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push_back(tick);
    }
  }
  return ticks;
}

struct BinaryPrefix {
  const char* name;
  double factor;
};
constexpr std::array binary_prefixes = {BinaryPrefix{"TiB", 0x1p40}, BinaryPrefix{"GiB", 0x1p30},
                                        BinaryPrefix{"MiB", 0x1p20}, BinaryPrefix{"KiB", 0x1p10}};

/// The least of 1, 2, 5, 10 ... that makes at most five steps up to `high`.
double round_step(double high) {
  constexpr double most_steps = 5;
  const double least = high / most_steps;
  const double decade = std::pow(10, std::floor(std::log10(least)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * decade >= least * (1 - 1e-9)) return step * decade;
  }
  return 10 * decade;
}

Json multiples(double step, double high) {
  Json ticks = Json::array();
  for (int i = 0; i * step <= high * (1 + 1e-9); ++i) ticks.push_back(i * step);
  return ticks;
}

/// Round numbers of KiB, MiB ...
Json memory_ticks(double high) {
  double factor = 1;
  for (const BinaryPrefix& prefix : binary_prefixes) {
    if (high < prefix.factor) continue;
    factor = prefix.factor;
    break;
  }
  return multiples(round_step(high / factor) * factor, high);
}

/// SI prefix apart from the number, with the unit behind it.
std::string si_expression(const std::string& unit) {
  return "datum.value === 0 ? '0' : replace(format(datum.value, '~s'), regexp('([a-zA-Zµ]?)$'), ' $1') + '" +
         unit + "'";
}

/// Header, and the space below.
constexpr double panel_margin = 30;

std::size_t panels_in_a_row(FigureWidth width) { return width == FigureWidth::one_column ? 2 : 4; }

/// The ends of a scale: beyond the data by a little.
std::pair<double, double> scale_domain(const Position& position) {
  constexpr double margin = 0.04;
  double low = position.low, high = position.high;
  if (position.logarithmic) {
    const double factor = low < high ? std::pow(high / low, margin) : 2;
    return {low / factor, high * factor};
  }
  if (position.from_zero) low = std::min(low, 0.0);
  const double gap = low < high ? margin * (high - low) : std::max(std::abs(high), 1.0) * margin;
  return {position.from_zero && low == 0 ? 0 : low - gap, high + gap};
}

/// What labels of an axis read: a Vega expression of datum.value.
std::string label_expression(Unit unit, bool logarithmic, double high) {
  switch (unit) {
    case Unit::bits_per_second:
      return si_expression("bps");
    case Unit::bytes:
      return si_expression("B");
    case Unit::memory: {
      std::string expression = "datum.value === 0 ? '0' : ";
      for (const BinaryPrefix& prefix : binary_prefixes) {
        const std::string factor = Json(prefix.factor).dump();
        expression += "datum.value >= " + factor + " ? format(datum.value / " + factor + ", '.3~r') + ' " +
                      prefix.name + "' : ";
      }
      return expression + "format(datum.value, '~r') + ' B'";
    }
    case Unit::flops_per_second:
      return si_expression("FLOP/s");
    case Unit::joules:
      return si_expression("J");
    case Unit::fraction:
      return "format(100 * datum.value, '~r') + ' %'";
    case Unit::seconds: {
      const std::string plain = "format(datum.value, ',~r') + ' s'";
      if (!logarithmic && high >= 1) return "datum.value === 0 ? '0' : " + plain;
      return "datum.value >= 1 ? " + plain + " : (" + si_expression("s") + ")";
    }
    case Unit::none:
      break;
  }
  const std::string plain = "format(datum.value, '~r')";
  if (!logarithmic && high < 10000) return plain;
  return "datum.value < 1 ? " + plain + " : replace(format(datum.value, '~s'), 'G', 'B')";
}

bool has_two_lines(const std::vector<std::string>& labels) {
  return std::ranges::any_of(labels,
                             [](const std::string& label) { return label.find(" (") != std::string::npos; });
}

/// What labels of series take on the left, in pixels.
double label_width(const std::vector<std::string>& labels) {
  constexpr double letter = 4.9, margin = 14;
  std::size_t longest = 0;
  for (const std::string& label : labels) {
    const std::size_t first_line = std::min(label.find(" ("), label.size());
    longest = std::max({longest, first_line, label.size() - first_line});
  }
  return letter * static_cast<double>(longest) + margin;
}

}  // namespace

void fill_position(Json& channel, const Position& position) {
  const auto [low, high] = scale_domain(position);
  Json scale = {{"domain", {low, high}}, {"nice", false}}, axis = channel.value("axis", Json::object());
  axis["labelExpr"] = label_expression(position.unit, position.logarithmic, high);
  if (position.logarithmic) {
    scale["type"] = "log";
    axis["values"] = logarithmic_ticks(low, high);
  } else {
    scale["zero"] = false;
    axis["tickCount"] = 5;
    axis.erase("values");
    if (position.unit == Unit::memory) axis["values"] = memory_ticks(high);
  }
  channel["scale"] = std::move(scale);
  channel["axis"] = std::move(axis);
}

void fill_bytes(Json& channel, double least, double most) {
  const bool logarithmic = most >= 10 * least;
  fill_position(channel, {.unit = Unit::bytes,
                          .logarithmic = logarithmic,
                          .low = logarithmic ? least : 0,
                          .high = most,
                          .from_zero = true});
}

void fill_time(Json& channel, double high) {
  struct TimeUnit {
    const char* name;
    double seconds;
    std::vector<double> steps;  ///< of ticks; otherwise round numbers
  };
  static const std::vector<TimeUnit> units = {{"d", 86400, {}},
                                              {"h", 3600, {0.5, 1, 2, 3, 6, 12}},
                                              {"min", 60, {0.5, 1, 2, 5, 10, 15, 30, 60}},
                                              {"s", 1, {}},
                                              {"ms", 1e-3, {}},
                                              {"µs", 1e-6, {}},
                                              {"ns", 1e-9, {}}};
  // Up to four of a larger unit, ticks of the smaller one read better.
  constexpr double least_units = 4;
  const auto fits = [&](const TimeUnit& unit) {
    return high >= (unit.seconds > 1 ? least_units : 1) * unit.seconds;
  };
  auto unit = std::ranges::find_if(units, fits);
  if (unit == units.end()) --unit;
  const double in_units = high / unit->seconds;
  double step = round_step(in_units);
  for (const double candidate : unit->steps) {
    constexpr double most_steps = 6;
    if (candidate * most_steps < in_units) continue;
    step = candidate;
    break;
  }
  channel["title"] = channel["title"].get<std::string>() + " (" + unit->name + ")";
  channel["scale"]["domain"] = {0, high};
  channel["axis"]["values"] = multiples(step * unit->seconds, high);
  channel["axis"]["labelExpr"] = "format(datum.value / " + Json(unit->seconds).dump() + ", '.6~r')";
}

std::vector<std::string> present_series(const Dataset& dataset, const Table& table) {
  std::vector<std::string> present;
  for (const std::string& series : dataset.series()) {
    for (std::size_t row = 0; row < table.rows().size(); ++row) {
      if (table.cell(row, "series") != series) continue;
      present.push_back(series);
      break;
    }
  }
  return present;
}

void fill_series(Json& view, const Dataset& dataset, const std::vector<std::string>& present,
                 const FigureOptions& options, double axis_width) {
  std::size_t longest = 1;
  Json colors = Json::array(), shapes = Json::array(), dashes = Json::array();
  for (const std::string& series : present) {
    longest = std::max(longest, series.size());
    const SeriesStyle look = series_style(dataset, series, options);
    colors.push_back(look.color);
    shapes.push_back(look.shape);
    // By conditions and not by a scale: a legend of dashes would break up the outlines of the markers in it.
    dashes.push_back({{"test", "datum.series === " + Json(series).dump()}, {"value", look.dash}});
  }
  constexpr double symbol = 24, letter = 4.4;
  const double width =
      (width_pixels(options.width) - axis_width) / (symbol + letter * static_cast<double>(longest));
  const auto columns =
      std::clamp<std::size_t>(static_cast<std::size_t>(width), 1, std::max<std::size_t>(1, present.size()));
  for (Json& layer : view.at("layer")) {
    if (!layer.contains("encoding")) continue;
    for (auto& [name, channel] : layer["encoding"].items()) {
      if (name == "strokeDash") channel["condition"] = dashes;
      if (name != "color" && name != "shape") continue;
      channel["scale"] = {{"domain", present}, {"range", name == "color" ? colors : shapes}};
      if (!channel.at("legend").is_null()) channel["legend"]["columns"] = columns;
    }
  }
}

Plot plot_of(const std::string& name, const Dataset& dataset, const Panels& panels) {
  Plot plot;
  plot.view = read_template(name);
  plot.panels = panels.labels;
  plot.columns = panels.columns;
  set_title(plot.view, "series", dataset.series_title());
  return plot;
}

double row_height(const std::vector<std::string>& labels) { return has_two_lines(labels) ? 24 : 16; }

void fill_rows(Plot& plot, const std::vector<std::string>& present) {
  constexpr int half_a_line = -5;
  Json& y = plot.view["encoding"]["y"];
  y["sort"] = present;
  y["axis"]["labelOffset"] = has_two_lines(present) ? half_a_line : 0;
  plot.axis_width = label_width(present);
  plot.height = row_height(present) * static_cast<double>(present.size());
}

std::size_t panels_that_fit(double panel_height, const FigureOptions& options) {
  constexpr std::size_t most_rows = 3;
  const double rows = most_height_pixels(options.width) / (panel_height + panel_margin);
  return panels_in_a_row(options.width) *
         std::clamp<std::size_t>(static_cast<std::size_t>(rows), 1, most_rows);
}

Json make_spec(const Plot& plot, const Table& table, const FigureOptions& options) {
  return make_spec(plot, table.records(), options);
}

Json make_spec(const Plot& plot, const Json& records, const FigureOptions& options) {
  Json spec = plot.view;
  spec["data"]["values"] = records;
  const double width = width_pixels(options.width);
  if (!plot.title.empty())
    spec["title"] = {{"text", plot.title}, {"fontSize", 9.5}, {"fontWeight", "normal"}, {"frame", "bounds"}};
  if (plot.panels.size() < 2) {
    spec["width"] = width;
    spec["height"] = plot.height;
    spec["autosize"] = {{"type", "fit-x"}, {"contains", "padding"}};
  } else {
    std::size_t columns = std::clamp<std::size_t>(
        plot.columns, 1, std::min(panels_in_a_row(options.width), plot.panels.size()));
    // Three in two columns would leave a hole.
    if (plot.panels.size() == 3 && columns == 2) columns = 1;
    constexpr double spacing = 12;
    const double panel_width = (width - plot.axis_width) / static_cast<double>(columns) - spacing;
    Json panel = {{"width", std::round(panel_width)}, {"height", plot.height}};
    spec.erase("width");
    spec.erase("height");
    for (const char* part : {"transform", "encoding", "layer"}) {
      if (!spec.contains(part)) continue;
      panel[part] = std::move(spec[part]);
      spec.erase(part);
    }
    spec["columns"] = columns;
    spec["spacing"] = spacing;
    spec["facet"] = {{"field", "panel"}, {"type", "nominal"}, {"sort", plot.panels}, {"title", nullptr}};
    spec["spec"] = std::move(panel);
  }
  spec["config"] = theme_config(options.theme, options.style);
  return spec;
}

}  // namespace isthmus::analysis
